from __future__ import annotations

import sys

import numpy as np
import pytest

from pose3d_cli.errors import InputError, MissingExtraError, UnknownNameError
from pose3d_cli.files.keypoints import read_keypoints, write_keypoints
from pose3d_cli.learn.clip import DatasetOptions
from pose3d_cli.learn.datasets.folder import check, open_folder
from pose3d_cli.learn.rendered.truth import read_rendered
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests.miniatures import folder as mini
from tests.miniatures.folder import clips, notes, only_clip, write_json


@pytest.fixture
def walk(tmp_path):
    """A folder with a take `walk` of a second at 30 frames a second, its truth still to come."""
    mini.write_seen(tmp_path)
    mini.write_settings(tmp_path)
    return tmp_path


def in_camera(time_s):
    return mini.to_camera(mini.person_at(time_s))


# --- names ----------------------------------------------------------------------------------------


def two_views(folder, motion="walk_"):
    for camera in ("cam01", "cam03"):
        mini.write_seen(folder, f"{motion}{camera}")
        mini.write_settings(folder, camera)


@pytest.mark.parametrize(("motion", "truth"), [("walk_", "walk"), ("", "truth")])
def test_views_share_the_truth_of_a_motion(tmp_path, motion, truth):
    two_views(tmp_path, motion)
    mini.write_trc(tmp_path / f"{truth}.trc", mini.times(100, 1), 100)
    found = clips(tmp_path)
    assert [clip.name for clip in found] == [f"{motion}cam01", f"{motion}cam03"]
    assert {clip.take for clip in found} == {truth}
    assert all(clip.camera is not None and clip.truth.frame == "camera" for clip in found)


def test_each_view_takes_its_own_camera_of_an_npz(tmp_path):
    two_views(tmp_path)
    time_s = mini.times(30, 1)
    xyz = in_camera(time_s).astype(np.float32)
    nearer = xyz - np.float32([0, 0, 0.5])
    cameras = np.array(["cam03", "cam01"])
    np.savez(tmp_path / "walk_truth.npz", xyz_camera=np.stack([nearer, xyz]), cameras=cameras)
    first, second = clips(tmp_path)
    np.testing.assert_allclose(first.truth.xyz, xyz, atol=1e-6)
    np.testing.assert_allclose(second.truth.xyz, nearer, atol=1e-6)


def test_views_need_to_be_named_in_an_npz_that_they_share(tmp_path):
    two_views(tmp_path)
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30)
    with pytest.raises(InputError, match="names no `cameras`, so it is the truth of one view"):
        clips(tmp_path)
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30, cameras=np.array(["left"]))
    with pytest.raises(InputError, match="seen by left, but the take is by cam01 or walk_cam01"):
        clips(tmp_path)


def test_a_second_take_does_not_pass_for_a_view_of_the_first(walk):
    mini.write_seen(walk, "walk_2")
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    with pytest.raises(InputError, match=r"walk_2_keypoints.npz: no truth for it; .* walk_2.trc"):
        clips(walk)


def test_a_camera_may_have_underscores(tmp_path):
    mini.write_seen(tmp_path, "walk_cam_01")
    mini.write_settings(tmp_path, "cam_01")
    mini.write_trc(tmp_path / "walk.trc", mini.times(30, 1), 30)
    clip = only_clip(tmp_path)
    assert (clip.name, clip.take) == ("walk_cam_01", "walk")
    assert clip.camera is not None


def test_settings_for_all_takes_and_for_one(walk):
    (walk / "walk.toml").rename(walk / "camera.toml")
    (walk / "walk.toml").write_text('subject = "Ann"\naction = "walking"\n')
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    clip = only_clip(walk)
    assert (clip.subject, clip.action) == ("Ann", "walking")
    np.testing.assert_allclose(clip.camera.matrix, mini.MATRIX)


def test_clips_of_data_render_are_recordings_once_a_detector_saw_them(rendered, tmp_path):
    folder, settings, videos = rendered
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for video in videos:
        truth = read_rendered(video.with_name(video.stem + "_truth.npz"))
        n_frames = len(truth.xyz)
        seen = Keypoints2D(
            xy=truth.keypoints_px.astype(np.float32),
            score=np.ones((n_frames, 17), np.float32),
            frames=np.arange(n_frames),
            time_s=np.arange(n_frames) / settings.fps,
            fps=settings.fps,
            image_size=truth.camera.image_size,
            skeleton=H36M17,
        )
        write_keypoints(tmp_path / f"{video.stem}_keypoints.npz", [seen], {})
        last = truth
    found = clips(tmp_path)
    assert [clip.name for clip in found] == [video.stem for video in videos]
    np.testing.assert_allclose(found[-1].truth.xyz, last.xyz, atol=1e-6)
    np.testing.assert_allclose(found[-1].camera.focal_px, last.camera.focal_px, rtol=1e-5)


def test_splits_are_folders(tmp_path):
    for split, name in (("train", "a"), ("test", "b")):
        (tmp_path / split).mkdir()
        mini.write_seen(tmp_path / split, name)
        mini.write_settings(tmp_path / split, name)
        mini.write_npz(tmp_path / split / f"{name}.npz", mini.times(30, 1), 30)
    assert [clip.name for clip in clips(tmp_path, "train")] == ["a"]
    assert [clip.name for clip in clips(tmp_path)] == ["b"]
    with pytest.raises(InputError, match=r"no takes in the split 'val' \(there are some in train"):
        clips(tmp_path, "val")
    mini.write_seen(tmp_path, "c")
    mini.write_npz(tmp_path / "c.npz", mini.times(30, 1), 30)
    assert (
        "has takes beside the folders train, test, such as c"
        in check(tmp_path, DatasetOptions())[0]
    )


# --- what can be wrong ----------------------------------------------------------------------------


def test_an_empty_folder_and_none_are_told(tmp_path):
    with pytest.raises(
        InputError, match=r"no takes here. A take is NAME.mp4 or NAME_keypoints.npz"
    ):
        clips(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        clips(tmp_path / "nowhere")
    assert len(check(tmp_path / "nowhere", DatasetOptions())) == 1


def test_keypoints_are_found_or_true(walk):
    for ask in (open_folder, check):
        with pytest.raises(UnknownNameError, match="no 2D keypoints 'tru'; did you mean 'true'"):
            ask(walk, DatasetOptions(keypoints="tru"))


@pytest.mark.parametrize(
    ("unit", "said", "looks"),
    [("mm", "m", "millimetres"), ("m", "mm", "metres"), ("cm", "mm", "centimetres")],
)
def test_a_wrong_unit_is_recognised_and_told(walk, unit, said, looks):
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30, unit=unit, said=said)
    words = f"its header says Units {said}, but the numbers look like {looks}"
    with pytest.raises(InputError, match=words):
        clips(walk)


def test_an_npz_in_millimetres_is_told(walk):
    xyz = in_camera(mini.times(30, 1)).astype(np.float32) * 1000
    np.savez(walk / "walk.npz", xyz_camera=xyz)
    with pytest.raises(InputError, match="must be metres, but the numbers look like millimetres"):
        clips(walk)


def test_names_that_are_none_of_ours_are_listed(walk):
    path = mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    path.write_text(path.read_text().replace("LHip", "Marker7"))
    with pytest.raises(InputError, match=r"left_hip missing; .* Its names: CHip, RHip, .*Marker7"):
        clips(walk)
    path.write_text("time_s,joint,x,y,z\n0,LHip,0,1,0\n0,RHip,0,1,0\n")
    path.rename(walk / "walk.csv")
    with pytest.raises(InputError, match=r"too few joints; .* Its names: LHip, RHip"):
        clips(walk)


def test_two_files_for_one_thing_are_refused(walk):
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    with pytest.raises(InputError, match=r"walk.npz: and walk.trc, too, for one take"):
        clips(walk)
    (walk / "walk.trc").unlink()
    write_json(walk / "walk.json")
    with pytest.raises(InputError, match=r"walk.json: and walk_keypoints.npz, too, for one take"):
        clips(walk)


def test_all_that_is_wrong_is_listed_at_once(walk):
    """Of four takes one is right; of another three files are wrong, and all are told."""
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    (walk / "bad_keypoints.npz").write_bytes(b"no npz")
    (walk / "bad.trc").write_text("no trc")
    (walk / "bad.toml").write_text("fps = -1")
    mini.write_seen(walk, "alone")
    mini.write_seen(walk, "late")
    mini.write_settings(walk, "late")
    mini.write_trc(walk / "late.trc", mini.times(30, 1, start_s=9), 30)
    mini.write_npz(walk / "lost.npz", mini.times(30, 1), 30)
    told = check(walk, DatasetOptions())
    for words in (
        "alone_keypoints.npz: no truth",
        "lost.npz: nobody to see; expected lost_keypoints.npz, lost.json or lost.mp4",
        "bad.toml: fps",
        "bad.trc: not a TRC",
        "late.trc: from 9.00",
    ):
        assert sum(words in line for line in told) == 1, words
    assert len(told) == 5
    (walk / "bad.toml").unlink()
    assert any(
        "bad_keypoints.npz: not a readable" in line for line in check(walk, DatasetOptions())
    )


def test_a_fault_of_a_truth_that_views_share_is_listed_once(tmp_path):
    for camera in ("cam01", "cam03"):
        mini.write_seen(tmp_path, f"walk_{camera}")
    (tmp_path / "walk.trc").write_text("no trc")
    assert len(check(tmp_path, DatasetOptions())) == 1


def test_a_result_of_ours_as_truth_is_noted(walk):
    xyz = in_camera(mini.times(30, 1)).astype(np.float32)[None]
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30, xyz_root=xyz)
    assert any("agreement with it is measured, and not error" in note for note in notes(walk))


def test_a_c3d_without_its_package_is_told(walk, monkeypatch):
    (walk / "walk.c3d").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(MissingExtraError, match=r"pose3d\[c3d\]"):
        clips(walk)
    assert any("pose3d[c3d]" in line for line in check(walk, DatasetOptions()))


def test_frame_numbers_of_no_single_video_are_refused(walk):
    seen = mini.seen_at(mini.times(30, 2 / 30), 30)
    frames = np.array([0, 3_000_000])
    write_keypoints(
        walk / "walk_keypoints.npz",
        [type(seen)(**{**vars(seen), "frames": frames, "time_s": frames / 30})],
        {},
    )
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    with pytest.raises(InputError, match="frames 0 to 3000000 are of no single video"):
        clips(walk)


def test_the_files_of_a_take_are_left_as_they_are(walk):
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    before = {path.name: path.read_bytes() for path in walk.iterdir()}
    clips(walk)
    check(walk, DatasetOptions())
    assert {path.name: path.read_bytes() for path in walk.iterdir()} == before
    assert read_keypoints(walk / "walk_keypoints.npz")
