from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.skeleton import COCO17
from pose3d_cli.pose.types import Keypoints2D

FPS = 10.0
WRIST = COCO17.index("left_wrist")


def straight_line(frames: list[int], time_s: list[float] | None = None) -> Keypoints2D:
    """Every joint moves 30 px to the right and 10 px down a second."""
    at_s = np.array(frames) / FPS if time_s is None else np.array(time_s)
    start = np.arange(17 * 2, dtype=np.float64).reshape(17, 2)
    xy = start + at_s[:, None, None] * np.array([30.0, 10.0])
    return Keypoints2D(
        xy=xy.astype(np.float32),
        score=np.full((len(frames), 17), 0.8, np.float32),
        frames=np.array(frames, np.int64),
        time_s=at_s.astype(np.float64),
        fps=FPS,
        image_size=(640, 480),
        skeleton=COCO17,
        person=3,
    )


def blank(keypoints: Keypoints2D, rows: slice, joint: int) -> Keypoints2D:
    keypoints.xy[rows, joint] = np.nan
    keypoints.score[rows, joint] = 0
    return keypoints


def test_a_missing_frame_is_filled_in_time_and_scored_zero():
    filled = fill_gaps(straight_line([0, 1, 4, 5]))
    assert filled.frames.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(filled.time_s, np.arange(6) / FPS)
    np.testing.assert_allclose(filled.xy, straight_line(list(range(6))).xy, atol=1e-4)
    assert np.all(filled.score[[2, 3]] == 0)
    np.testing.assert_array_equal(filled.score[[0, 1, 4, 5]], np.float32(0.8))
    assert (filled.person, filled.fps, filled.image_size) == (3, FPS, (640, 480))


def test_uneven_times_count_not_frame_numbers():
    uneven = blank(straight_line([0, 1, 2], [0.0, 0.3, 0.4]), slice(1, 2), WRIST)
    filled = fill_gaps(uneven)
    np.testing.assert_allclose(
        filled.xy[1, WRIST], straight_line([0, 1, 2], [0.0, 0.3, 0.4]).xy[1, WRIST], atol=1e-4
    )


def test_an_unseen_joint_is_filled_and_others_keep_their_score():
    filled = fill_gaps(blank(straight_line([0, 1, 2, 3]), slice(1, 3), WRIST))
    np.testing.assert_allclose(filled.xy, straight_line([0, 1, 2, 3]).xy, atol=1e-4)
    assert np.all(filled.score[1:3, WRIST] == 0)
    assert (filled.score > 0).sum() == 4 * 17 - 2


def test_a_hole_at_an_end_takes_the_nearest_position():
    line = straight_line([0, 1, 2, 3])
    filled = fill_gaps(blank(straight_line([0, 1, 2, 3]), slice(0, 2), WRIST))
    np.testing.assert_allclose(filled.xy[:2, WRIST], np.stack([line.xy[2, WRIST]] * 2))
    filled = fill_gaps(blank(straight_line([0, 1, 2, 3]), slice(2, 4), WRIST))
    np.testing.assert_allclose(filled.xy[2:, WRIST], np.stack([line.xy[1, WRIST]] * 2))


def test_longer_holes_stay():
    filled = fill_gaps(straight_line([0, 1, 2, 9, 10]), max_gap_s=0.5)
    assert filled.frames.tolist() == [0, 1, 2, 9, 10]
    filled = fill_gaps(blank(straight_line(list(range(12))), slice(2, 10), WRIST), max_gap_s=0.5)
    assert np.isnan(filled.xy[2:10, WRIST]).all()
    assert np.all(filled.score[2:10, WRIST] == 0)
    filled = fill_gaps(blank(straight_line(list(range(12))), slice(0, 10), WRIST), max_gap_s=0.5)
    assert np.isnan(filled.xy[:10, WRIST]).all()


def test_a_joint_never_seen_stays_unseen():
    filled = fill_gaps(blank(straight_line([0, 1, 2]), slice(0, 3), WRIST))
    assert np.isnan(filled.xy[:, WRIST]).all()
    assert not np.isnan(np.delete(filled.xy, WRIST, axis=1)).any()


def test_the_input_is_left_alone():
    line = blank(straight_line([0, 1, 2, 4]), slice(1, 2), WRIST)
    before = line.xy.copy()
    fill_gaps(line)
    np.testing.assert_array_equal(line.xy, before)


def test_one_row_is_fine():
    assert len(fill_gaps(straight_line([7]))) == 1
    assert len(split_at_gaps(straight_line([7]))) == 1


@pytest.mark.parametrize(
    ("frames", "stretches"),
    [
        ([0, 1, 2], [[0, 1, 2]]),
        ([0, 1, 4, 5], [[0, 1, 4, 5]]),
        ([0, 1, 12, 13, 30], [[0, 1], [12, 13], [30]]),
    ],
)
def test_split_at_gaps_longer_than_asked(frames, stretches):
    parts = split_at_gaps(straight_line(frames), 0.5)
    assert [part.frames.tolist() for part in parts] == stretches
    np.testing.assert_array_equal(
        np.concatenate([part.xy for part in parts]), straight_line(frames).xy
    )


def test_neighbouring_frames_are_never_split_however_slow_the_video():
    slow = straight_line([0, 1, 2], [0.0, 0.1, 0.2])
    assert len(split_at_gaps(slow, 0.01)) == 1
