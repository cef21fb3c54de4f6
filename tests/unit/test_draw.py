"""What is drawn of a clip: layout, rate, and the sheet of pictures."""

from __future__ import annotations

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from pose3d_cli.files.results import META_KEYS, ClipResult, PersonResult
from pose3d_cli.pipeline.draw import ON_SHEET, Drawing
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.skeleton import H36M17
from tests.actors import SIZE, film

N_FRAMES = 40  # at ten a second


def result(rows=range(N_FRAMES)):
    """Somebody who stands still."""
    rows = np.array(rows, np.int64)
    xyz = np.zeros((len(rows), 17, 3), np.float32)
    xyz[:, :, 1] = np.linspace(-0.8, 0.8, 17)
    xyz[:, :, 0] = np.linspace(-0.3, 0.3, 17)
    xyz[:, :, 2] = 4
    person = PersonResult(
        person=0,
        rows=rows,
        xyz_camera=xyz,
        xyz_root=xyz - xyz[:, :1],
        keypoints_px=np.full((len(rows), 17, 2), 40, np.float32),
        score=np.ones((len(rows), 17), np.float32),
    )
    return ClipResult(
        people=[person] if len(rows) else [],
        time_s=np.arange(N_FRAMES) / 10,
        frame=np.arange(N_FRAMES),
        joint_names=H36M17.joints,
        parents=H36M17.parent_index,
        meta=dict.fromkeys(META_KEYS, "known"),
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return film(tmp_path_factory.mktemp("film") / "a.mp4", N_FRAMES / 10)


def drawn(clip, folder, of=None, **settings):
    """The times of the video's pictures, their size, and the sheet."""
    drawing = Drawing(clip, LiftSettings(**settings))
    video, sheet = folder / "v.mp4", folder / "v.png"
    drawing.draw(of or result(), video, sheet, Silent())
    drawing.close()
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    return [frame.time for frame in frames], (frames[0].width, frames[0].height), cv2.imread(sheet)


def test_every_frame_is_drawn(clip, tmp_path):
    times, _, _ = drawn(clip, tmp_path)
    np.testing.assert_allclose(times, np.arange(N_FRAMES) / 10, atol=1e-3)


@pytest.mark.parametrize(("fps", "every"), [(5.0, 2), (2.5, 4), (10.0, 1), (30.0, 1)])
def test_fewer_frames_a_second_keep_their_times(clip, tmp_path, fps, every):
    times, _, _ = drawn(clip, tmp_path, fps=fps)
    np.testing.assert_allclose(times, np.arange(0, N_FRAMES, every) / 10, atol=1e-3)


def test_a_rate_that_does_not_divide_that_of_the_clip_is_kept_in_the_mean(clip, tmp_path):
    times, _, _ = drawn(clip, tmp_path, fps=4.0)
    assert len(times) == 16
    assert np.diff(times).max() < 0.31


def test_the_sheet_has_pictures_from_where_somebody_is(clip, tmp_path):
    _, _, sheet = drawn(clip, tmp_path, render="overlay")
    gap, (width, height) = 8, SIZE
    assert sheet.shape == (3 * (height + gap) + gap, 2 * (width + gap) + gap, 3)
    later = drawn(clip, tmp_path, result(range(20, 40)), render="overlay")[2]

    def cell(of, number):
        row, column = divmod(number, 2)
        top, left = row * (height + gap) + gap, column * (width + gap) + gap
        return of[top : top + height, left : left + width]

    # Frames 0, 8, 16, 23, 31, 39, and 20, 24, 28, 31, 35, 39.
    for one, other in ((4, 3), (5, 5)):
        np.testing.assert_array_equal(cell(sheet, one), cell(later, other))
    assert (cell(sheet, 0) != cell(later, 0)).any()


def test_the_sheet_does_not_depend_on_the_rate_of_the_video(clip, tmp_path):
    sheets = [drawn(clip, tmp_path, render="overlay", fps=fps)[2] for fps in (0.0, 1.0)]
    np.testing.assert_array_equal(*sheets)


def test_a_clip_of_nobody_and_one_of_a_single_frame_have_a_sheet_too(clip, tmp_path):
    assert drawn(clip, tmp_path, result([]), render="overlay")[2] is not None
    one = result([0])
    one = replace(one, time_s=one.time_s[:1], frame=one.frame[:1])
    assert drawn(clip, tmp_path, one, render="overlay")[2].shape[0] == SIZE[1] + 16
    assert ON_SHEET > 1


@pytest.mark.parametrize(
    ("layout", "size"), [("overlay", SIZE), ("3d", (1280, 720)), ("side-by-side", (864, 480))]
)
def test_the_layout_asked_for_is_drawn(clip, tmp_path, layout, size):
    assert drawn(clip, tmp_path, render=layout)[1] == size


def test_a_rate_below_nothing_is_refused():
    with pytest.raises(ValueError, match=r"fps \(-1.0\) must be above 0"):
        LiftSettings(fps=-1.0)
