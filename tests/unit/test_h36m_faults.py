"""What is wrong with VideoPose3D's files of Human3.6M is told in words, and all of it."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import DatasetOptions
from pose3d_cli.learn.datasets.h36m import check, open_h36m
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures import h36m as mini

FEW = {"Directions": 5, "Directions 1": 5, "Photo": 8}


def every(change):
    """Apply a change to the motion of every trial."""

    def spoil(motion, _seen):
        for trials in motion.values():
            for trial, xyz in trials.items():
                trials[trial] = change(xyz)

    return spoil


def each_picture(change):
    """Apply a change to the keypoints of every trial in every camera."""

    def spoil(_motion, seen):
        for trials in seen.values():
            for trial, cameras in trials.items():
                trials[trial] = [change(xy) for xy in cameras]

    return spoil


def in_3dhp_order(xyz):
    out = xyz.copy()
    kept = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
    by_name = dict(zip(H36M17.joints, kept, strict=True))
    for place, joint in zip(kept, MPI_INF_3DHP17, strict=True):
        out[:, place] = xyz[:, by_name[joint]]
    return out


def set_one(values):
    def spoil(motion, _seen):
        motion["S9"]["Photo"] = values

    return spoil


def set_cameras(change):
    def spoil(_motion, seen):
        seen["S9"]["Photo"] = change(seen["S9"]["Photo"])

    return spoil


def reordered(_motion, seen):
    for trials in seen.values():
        for trial, cameras in trials.items():
            trials[trial] = [cameras[place] for place in (0, 3, 2, 1)]


FAULTS_3D = {
    "millimetres": (every(lambda xyz: xyz * 1000), "S1: positions are in millimetres; expected m"),
    "centimetres": (every(lambda xyz: xyz * 100), "S1: positions are in centimetres"),
    "no unit": (every(lambda xyz: xyz * 0.01), r"S1: positions are of people 0\.0.* long"),
    "17 joints": (every(lambda xyz: xyz[:, :17]), r"S1/.*: 17 joints: already cut; .*19 more such"),
    "16 joints": (every(lambda xyz: xyz[:, :16]), r"of shape \(16, 3\) a frame; expected \(32"),
    "2D": (every(lambda xyz: xyz[..., :2]), r"joints of shape \(32, 2\) a frame"),
    "root": (every(lambda xyz: xyz - xyz[:, :1]), "the pelvis is at the origin in every frame"),
    "mirrored": (every(lambda xyz: xyz * [1, -1, 1]), "left and right are exchanged, or the axes"),
    "order": (every(in_3dhp_order), "the pelvis does not lie between .* order of 32 joints"),
    "hole": (set_one(np.full((8, 32, 3), np.nan)), "S9/Photo: positions that are no numbers"),
    "empty": (set_one(np.zeros((0, 32, 3))), "S9/Photo: no frames"),
    "words": (set_one("none"), "S9/Photo: str 'none'; expected numbers of"),
    "subject": (lambda motion, _: motion.pop("S8"), "S8: this subject is missing; expected S1, S5"),
    "nobody": (lambda motion, _: motion["S8"].clear(), "S8: this subject is missing"),
    "action": (lambda motion, _: motion["S9"].update(Dancing=1), "S9: 'Dancing' is none of the 15"),
    "twice": (
        lambda motion, _: motion["S9"].update(TakingPhoto=motion["S9"]["Photo"]),
        "S9/Photo: two trials of this name",
    ),
}  # fmt: skip
FAULTS_2D = {
    "normalised": (each_picture(lambda xy: xy / 500 - 1), "S1/54138969: keypoints are screen"),
    "fractions": (each_picture(lambda xy: xy / 1000), "normalised to .*; expected pixels"),
    "16 joints": (each_picture(lambda xy: xy[:, :16]), r"shape \(16, 2\) a frame; by the file's"),
    "3D": (each_picture(lambda xy: np.dstack([xy, xy[..., :1]])), "3 numbers a joint: 3D pos"),
    "elsewhere": (each_picture(lambda xy: xy + 200), r"lie 28\d px \(median\) from the projected"),
    "mirrored": (each_picture(lambda xy: xy[:, H36M17.mirror]), "left and right are exchanged"),
    "cameras": (reordered, "S1/55011271: keypoints fit camera 60457274; expected the cameras in"),
    "camera": (set_cameras(lambda four: four[:3]), "S9/Photo: 3 cameras; expected 4, in"),
    "no list": (set_cameras(lambda four: four[0][0, 0, 0]), "expected 4, in the order 54138969"),
    "subject": (lambda _, seen: seen.pop("S11"), "S11: this subject is missing"),
    "trial": (lambda _, seen: seen["S9"].pop("Photo"), "S9/Photo: no 2D keypoints of this trial"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), FAULTS_3D.values(), ids=FAULTS_3D)
def test_a_faulty_3d_file_is_refused_in_words(tmp_path, spoil, message):
    motion, seen = mini.positions_3d(FEW), mini.positions_2d("gt", FEW)
    spoil(motion, seen)
    mini.save_3d(tmp_path, motion)
    mini.save_2d(tmp_path, "gt", seen)
    with pytest.raises(InputError, match=rf"data_3d_h36m\.npz: .*{message}"):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


@pytest.mark.parametrize(("spoil", "message"), FAULTS_2D.values(), ids=FAULTS_2D)
def test_a_faulty_2d_file_is_refused_in_words(tmp_path, spoil, message):
    motion, seen = mini.positions_3d(FEW), mini.positions_2d("gt", FEW)
    spoil(motion, seen)
    mini.save_3d(tmp_path, motion)
    mini.save_2d(tmp_path, "gt", seen)
    with pytest.raises(InputError, match=rf"data_2d_h36m_gt\.npz: .*{message}"):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"num_joints": 17}, "no metadata with keypoints_symmetry"),
        (
            {"keypoints_symmetry": [[1], [2]]},
            r"keypoints_symmetry is \[\[1\], \[2\]\], of no joint",
        ),
        ({"keypoints_symmetry": "no"}, "of no joint order known here; known are h36m17"),
        (mini.metadata("detectron_pt_coco"), "px .*or the joints are in another order"),
        (mini.metadata("sh_ft_h36m"), r"shape \(17, 2\) a frame; by the file's metadata .*\(16, 2"),
    ],
)
def test_metadata_that_do_not_fit_are_refused_in_words(tmp_path, about, message):
    mini.save_3d(tmp_path, mini.positions_3d(FEW))
    mini.save_2d(tmp_path, "gt", mini.positions_2d("gt", FEW), about)
    with pytest.raises(InputError, match=message):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


def test_other_files_of_the_field_are_called_by_name(tmp_path):
    mini.write_videopose3d(tmp_path, ("gt",), FEW)
    options = DatasetOptions(keypoints="gt")
    with pytest.raises(InputError, match=r"2D keypoints alone. Their truth is data_3d_h36m.npz"):
        open_h36m(tmp_path / "data_2d_h36m_gt.npz", options)
    pickle = mini.write_sh(tmp_path)
    with pytest.raises(
        InputError, match=r"this is MotionBERT's SH pickle .*expected VideoPose3D's 3D"
    ):
        open_h36m(pickle, options)
    mini.save_2d(tmp_path, "gt", {}).write_bytes((tmp_path / "data_3d_h36m.npz").read_bytes())
    with pytest.raises(InputError, match=r"gt\.npz: this is VideoPose3D's 3D npz .*expected .* 2D"):
        open_h36m(tmp_path, options)
    mini.save_3d(tmp_path, {"Validate/S1": {"Walking 1 chunk0": np.zeros((4, 15, 3))}})
    with pytest.raises(InputError, match="this is VideoPose3D's 3D npz of HumanEva"):
        open_h36m(tmp_path, options)
    mini.save_3d(tmp_path, [1, 2])
    with pytest.raises(InputError, match="positions_3d holds no dictionaries of subjects"):
        open_h36m(tmp_path, options)


def test_checking_finds_all_and_opening_tells_the_first(tmp_path):
    motion, seen = mini.positions_3d(FEW), mini.positions_2d("gt", FEW)
    del motion["S1"], seen["S5"]
    motion["S6"]["Dancing"] = motion["S6"]["Photo"]
    motion["S7"]["Photo"] = motion["S7"]["Photo"] * np.nan
    seen["S9"]["Photo"] = seen["S9"]["Photo"][:2]
    mini.save_3d(tmp_path, motion)
    mini.save_2d(tmp_path, "gt", seen)
    lines = check(tmp_path, DatasetOptions(keypoints="gt"))
    for part in ("S6: 'Dancing'", "S1: this", "S7/Photo: pos", "S5: this", "S9/Photo: 2 cameras"):
        assert sum(part in line for line in lines) == 1
    assert len(lines) == 5
    with pytest.raises(InputError, match=r"'Dancing'.*; and 2 more: `pose3d data check` lists all"):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


def test_checking_tells_of_both_files_that_cannot_be_read(tmp_path):
    for name in ("data_3d_h36m.npz", "data_2d_h36m_gt.npz"):
        (tmp_path / name).write_text("no archive")
    lines = check(tmp_path, DatasetOptions(keypoints="gt"))
    assert len(lines) == 2
    assert check(tmp_path / "nowhere", DatasetOptions()) == [
        f"{tmp_path / 'nowhere'}: no such file or folder"
    ]
