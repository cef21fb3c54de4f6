"""What a lifter gets to see of a recording: a file's keypoints, a detector's, or the true 2D."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.learn.benchmark.check import check_data
from pose3d_cli.learn.clip import DatasetOptions
from pose3d_cli.learn.datasets.folder import check, open_folder
from pose3d_cli.pose.skeleton import H36M17
from tests.clips import make_clip
from tests.miniatures import folder as mini
from tests.miniatures.folder import clips, notes, only_clip
from tests.people import empty, make_film, walking

TRUE = DatasetOptions(keypoints="true")


@pytest.fixture
def walk(tmp_path):
    """A folder with a take `walk` of a second at 30 frames a second, its truth still to come."""
    mini.write_seen(tmp_path)
    mini.write_settings(tmp_path)
    return tmp_path


def true_clip(path):
    (clip,) = open_folder(path, TRUE).clips("test")
    return clip


# --- a video without keypoints --------------------------------------------------------------------


def test_a_video_without_keypoints_is_looked_at_and_that_is_noted(tmp_path, pose3d):
    make_film(tmp_path / "walk.mp4", walking(8))
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30)
    looked_at = only_clip(tmp_path)
    assert np.isfinite(looked_at.keypoints.xy[:, H36M17.index("left_hip")]).all()
    (note,) = [note for note in notes(tmp_path) if "no keypoints beside it" in note]
    assert f"`pose3d data detect {tmp_path} -o {tmp_path}` keeps" in note
    pose3d("data", "detect", tmp_path, "-o", tmp_path)
    kept = only_clip(tmp_path)
    np.testing.assert_allclose(looked_at.keypoints.xy, kept.keypoints.xy, atol=1e-3)
    assert not any("no keypoints beside it" in note for note in notes(tmp_path))


def test_a_video_that_shows_nobody_is_told(tmp_path):
    make_film(tmp_path / "walk.mp4", empty(4))
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30)
    with pytest.raises(NobodyFoundError, match=r"walk.mp4: nobody was found"):
        clips(tmp_path)


def test_checking_looks_for_nobody_but_for_times(tmp_path, monkeypatch):
    def looks(*_):
        raise AssertionError("looked for people")

    monkeypatch.setattr("pose3d_cli.learn.recordings.seen.people_in", looks)
    make_clip(tmp_path / "walk.mp4", n_frames=3, size=mini.SIZE)
    mini.write_settings(tmp_path)
    mini.write_trc(tmp_path / "walk.trc", mini.times(30, 1, start_s=9), 30)
    (line,) = check(tmp_path, DatasetOptions())
    assert "walk.trc: from 9.00" in line
    (tmp_path / "walk.trc").unlink()
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30)
    report = check_data(tmp_path, "folder")
    assert (report.findings, report.splits) == ([], {})
    (tmp_path / "walk.mp4").write_bytes(b"no video")
    (line,) = check(tmp_path, DatasetOptions())
    assert "walk.mp4" in line
    mini.write_seen(tmp_path)
    assert check_data(tmp_path, "folder").splits["test"]["clips"] == 1


def test_what_was_drawn_of_a_take_is_no_take(tmp_path):
    """`cam01` shares the truth of all; so would any other video, but for its name."""
    for name in ("cam01", "cam01_overlay"):
        make_clip(tmp_path / f"{name}.mp4", n_frames=3, size=mini.SIZE)
    mini.write_settings(tmp_path, "camera")
    mini.write_trc(tmp_path / "truth.trc", mini.times(30, 1), 30)
    assert [clip.name for clip in open_folder(tmp_path, TRUE).clips("test")] == ["cam01"]


# --- the true 2D ----------------------------------------------------------------------------------


def test_true_keypoints_are_the_truth_through_the_lens(walk):
    """The detector was 30 pixels off; a lens that bends nothing brings the truth to where it is."""
    time_s = mini.times(30, 1)
    mini.write_npz(walk / "walk.npz", time_s, 30)
    off = mini.seen_at(time_s, 30, shift_px=30)
    mini.write_keypoints(walk / "walk_keypoints.npz", [off], {})
    found, true = only_clip(walk), true_clip(walk)
    assert np.nanmin(found.keypoints.xy[..., 0] - true.keypoints.xy[..., 0]) > 29
    np.testing.assert_allclose(true.keypoints.xy, mini.seen_at(time_s, 30).xy, atol=1e-2)
    assert (true.keypoints.score == 1).all()
    np.testing.assert_array_equal(true.keypoints.frames, found.keypoints.frames)


def test_true_keypoints_go_through_distortion(walk):
    """By hand: at the ray (0.1, 0.9) / 3, k1 = 0.3 pushes a point outwards by 1 + k1 r2."""
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    mini.write_settings(walk, more="distortion = [0.3, 0, 0, 0]\n")
    ankle = true_clip(walk).keypoints.xy[0, H36M17.index("left_ankle")]
    ray = np.array([0.1, 0.9]) / 3
    bent = ray * (1 + 0.3 * (ray @ ray))
    np.testing.assert_allclose(ankle, bent * 500 + (320, 240), atol=1e-3)


def test_a_joint_that_the_truth_lacks_is_unseen(walk):
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    seen = true_clip(walk).keypoints
    spine = H36M17.index("spine")
    assert np.isnan(seen.xy[:, spine]).all()
    assert (seen.score[:, spine] == 0).all()
    assert (np.delete(seen.score, spine, 1) == 1).all()


def test_true_keypoints_of_a_video_alone_are_at_its_frames(tmp_path):
    make_clip(tmp_path / "walk.mp4", n_frames=6, size=mini.SIZE, rate=Fraction(25))
    mini.write_settings(tmp_path)
    mini.write_trc(tmp_path / "walk.trc", mini.times(100, 1), 100)
    seen = true_clip(tmp_path).keypoints
    assert (len(seen), seen.fps, seen.image_size) == (6, 25, mini.SIZE)
    wrist = H36M17.index("left_wrist")
    expected = mini.seen_at(mini.times(25, 6 / 25), 25).xy[:, wrist]
    np.testing.assert_allclose(seen.xy[:, wrist], expected, atol=1e-2)


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("", "needs the camera; put matrix or fov into walk.toml"),
        (mini.CAMERA, "needs the camera's place; put rotation and translation into walk.toml"),
    ],
)
def test_true_keypoints_need_the_camera(walk, camera, words):
    (walk / "walk.toml").write_text(camera)
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    with pytest.raises(InputError, match=words):
        true_clip(walk)
    assert words in check(walk, TRUE)[0]


def test_true_keypoints_need_more_than_a_pose_about_the_pelvis(walk):
    xyz = mini.to_camera(mini.person_at(mini.times(30, 1))).astype(np.float32)
    np.savez(walk / "walk.npz", xyz_camera=(xyz - xyz[:, :1])[None])
    with pytest.raises(InputError, match=r"walk.npz has the pelvis at the origin"):
        true_clip(walk)


def test_the_command_measures_both_and_says_which(walk, pose3d, tiny_weights):
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    for keypoints in ("found", "true"):
        flags = ("--dataset", "folder", "--data", walk, "--keypoints", keypoints, "--json")
        (record,) = json.loads(pose3d("eval", tiny_weights, *flags).stdout)["evaluations"]
        assert (record["keypoints"], record["frames"]) == (keypoints, 30)
