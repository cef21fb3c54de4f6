"""What a reader of figures must know of a data set is said, once, by its first clip."""

from __future__ import annotations

import json

import pytest

from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from tests.miniatures import h36m, humaneva, mpi_inf_3dhp, threedpw


def notes_of(name, path, split="test", keypoints=""):
    """Return the notes of the first clip; no other has any."""
    dataset = DATASETS.get(name).open(path, DatasetOptions(keypoints=keypoints))
    first, *others = (list(clip.notes) for clip in dataset.clips(split))
    assert others
    assert not any(others)
    return first


@pytest.fixture
def contents():
    return h36m.sh_contents()


def test_the_two_truths_of_the_pickle_are_compared(tmp_path, contents):
    moved = contents["test"]["joints_2.5d_image"]
    moved[5, 3, 2] += 34.0
    path = h36m.save_sh(tmp_path / "moved.pkl", contents)
    (note,) = notes_of("h36m-sh", path)
    assert note.startswith("test: joints_2.5d_image and 2.5d_factor times joint3d_image differ by")
    assert note.endswith(f"34 mm at most ({len(moved)} frames); the first is the truth")


def test_what_the_pickle_lacks_is_told(tmp_path, contents):
    path = h36m.save_sh(tmp_path / "whole.pkl", contents)
    assert "truth is in screen units" in notes_of("h36m-sh", path, "train")[0]
    assert "without its depth" in notes_of("h36m-sh", path, keypoints="gt")[1]
    assert not any("confidence" in note for note in notes_of("h36m-sh", path))
    for split in contents.values():
        split.pop("confidence")
    path = h36m.save_sh(tmp_path / "unsure.pkl", contents)
    assert "no confidence in the file; 1 is filled in" in notes_of("h36m-sh", path)[1]


def test_joints_and_frames_that_videopose3ds_2d_has_too_few_or_too_many_of(tmp_path):
    """Of S9's two trials the cameras' detections go on for 0, 1, 2 and 3 frames."""
    trials = {"Directions 1": 7, "Photo": 8}
    folder = h36m.write_videopose3d(tmp_path, ("cpn_ft_h36m_dbb", "gt", "sh_ft_h36m"), trials)
    cut = "12 frames after the end of the motion were cut, in 6 views"
    assert notes_of("h36m", folder) == [f"data_2d_h36m_cpn_ft_h36m_dbb.npz: {cut}"]
    assert notes_of("h36m", folder, keypoints="gt") == []
    assert notes_of("h36m", folder, "train", keypoints="sh") == [
        "data_2d_h36m_sh_ft_h36m.npz: has no nose; not measured"
    ]


def test_cameras_that_are_fitted_are_said_to_be(tmp_path):
    mpi_inf_3dhp.write_3dhp(tmp_path)
    camera, valid = notes_of("3dhp", tmp_path)
    assert camera.startswith("cameras are not in the files: each is fitted to the pelvis")
    assert "(TS1: fitted to the annotation: 48 pairs" in camera
    assert "mark as valid" in valid
    humaneva.write_humaneva(tmp_path)
    camera, actions = notes_of("humaneva", tmp_path)
    assert "/C1: fitted to the annotation: " in camera
    assert "Walking, Jog, Box are measured" in actions


def test_what_3dpw_leaves_out_is_told_and_counted(tmp_path, pose3d, tiny_weights):
    """Three people of 24 frames; in each one camera pose is not valid, and once nobody is found."""
    threedpw.write_3dpw(tmp_path)
    (note,) = notes_of("3dpw", tmp_path)
    assert "camera pose the files mark as invalid" in note
    told = pose3d("eval", tiny_weights, "--dataset", "3dpw", "--data", tmp_path, "--json")
    (found,) = json.loads(told.stdout)["evaluations"]
    assert found["notes"][0] == note
    assert found["notes"][1].startswith("6 of 72 frames are not measured")
    assert told.stderr.count(note) == 1


def test_a_first_clip_that_the_protocol_leaves_out_is_heard_all_the_same(
    tmp_path, contents, pose3d, tiny_weights
):
    path = h36m.save_sh(tmp_path / "h36m.pkl", contents)
    assert contents["test"]["source"][0].startswith("s_09_act_05_subact_02")
    flags = ("--dataset", "h36m-sh", "--data", path, "--json")
    (found,) = json.loads(pose3d("eval", tiny_weights, *flags).stdout)["evaluations"]
    assert not any("act_05_subact_02" in name for name in found["groups"])
    assert sum("joints_2.5d_image and 2.5d_factor" in note for note in found["notes"]) == 1


def test_data_check_tells_them_too(tmp_path, contents, pose3d):
    path = h36m.save_sh(tmp_path / "h36m_sh_conf_cam_source_final.pkl", contents)
    lines = pose3d("data", "check", path).stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("note: test: joints_2.5d_image")]
    assert lines[-1].startswith("in order; measure on it")
    assert line.endswith("the first is the truth")


@pytest.mark.parametrize("is_there", [True, False])
def test_keypoints_alone_are_told_what_belongs_beside_them(tmp_path, pose3d, is_there):
    humaneva.write_humaneva(tmp_path)
    h36m.write_videopose3d(tmp_path, ("cpn_ft_h36m_dbb",), {"Photo": 4})
    for file, keypoints, motion in (
        ("data_2d_h36m_cpn_ft_h36m_dbb.npz", "cpn", "data_3d_h36m.npz"),
        ("data_2d_humaneva15_gt.npz", "gt", "data_3d_humaneva15.npz"),
    ):
        if not is_there:
            (tmp_path / motion).unlink()
        told = pose3d("data", "check", tmp_path / file, code=3).stdout
        beside = f"{motion}, which belongs beside them {'and is' if is_there else 'but is not'}"
        assert f"2D keypoints alone. Their truth is {beside} there" in told
        assert f"give the folder, {tmp_path}, and --keypoints {keypoints}" in told
