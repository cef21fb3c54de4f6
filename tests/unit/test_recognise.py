"""What a data file of the field is, and what its numbers are."""

from __future__ import annotations

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import write_arrays
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    Findings,
    as_numbers,
    extent,
    in_words,
    length_unit,
    looks_like_metres,
    looks_like_millimetres,
    looks_normalised,
    looks_root_relative,
    refuse,
    sampled,
    what_is,
)
from pose3d_cli.learn.videopose3d_npz import symmetry_of
from pose3d_cli.pose.dataset_joints import HUMANEVA15, MPI_INF_3DHP17, MPII16
from pose3d_cli.pose.skeleton import COCO17, H36M17
from tests.miniatures import h36m as mini


@pytest.fixture(scope="module")
def people():
    """Postures of several made-up people, metres, z up."""
    return np.concatenate([mini.world(f"S{n}", "Sitting", 20) for n in range(6)])


@pytest.mark.parametrize(
    ("per_metre", "unit"),
    [(1, "metres"), (100, "centimetres"), (1000, "millimetres"), (0.1, ""), (1e5, "")],
)
def test_the_unit_is_the_one_in_which_joints_are_a_person(people, per_metre, unit):
    assert length_unit(people * per_metre) == unit
    assert looks_like_metres(people * per_metre) == (unit == "metres")
    assert looks_like_millimetres(people * per_metre) == (unit == "millimetres")


@pytest.mark.parametrize("reach_m", [0.36, 0.6, 1.0, 1.8, 2.4, 3.4])
def test_no_person_is_one_in_two_units(reach_m):
    person = np.zeros((3, 17, 3))
    person[:, 4, 1] = reach_m
    units = [length_unit(person * scale) for scale in (1, 100, 1000)]
    assert units == ["metres", "centimetres", "millimetres"]


@pytest.mark.parametrize("reach_m", [0.3, 4.0])
def test_dolls_and_giants_are_of_no_unit(reach_m):
    person = np.zeros((3, 17, 3))
    person[:, 4, 1] = reach_m
    assert length_unit(person) == ""


def test_where_people_stand_says_nothing_about_the_unit(people):
    assert length_unit(people + 4000) == "metres"


def test_frames_with_holes_are_passed_over(people):
    holed = people.copy()
    holed[::2, 3] = np.nan
    assert extent(holed) == pytest.approx(extent(people[1::2]))
    assert np.isnan(extent(holed[::2]))
    assert length_unit(holed[::2]) == ""


def test_pixels_and_screen_coordinates_are_told_apart():
    pixels = np.random.default_rng(0).uniform(300, 700, (50, 17, 2)).astype(np.float32)
    assert not looks_normalised(pixels)
    assert looks_normalised(pixels / 500 - 1)
    assert looks_normalised(pixels / 1000)
    missed = pixels.copy()
    missed[:, 2:] = 0
    missed[0] = np.nan
    assert not looks_normalised(missed)
    assert not looks_normalised(np.zeros((3, 17, 2)))
    assert not looks_normalised(np.full((3, 17, 2), np.nan))


def test_a_pelvis_that_never_leaves_the_origin_is_noticed(people):
    centred = people - people[:, :1]
    assert looks_root_relative(centred)
    assert looks_root_relative(centred * 1000)
    assert not looks_root_relative(people)
    assert not looks_root_relative(centred, root=14)
    once = centred.copy()
    once[3] += 0.01
    assert not looks_root_relative(once)
    assert not looks_root_relative(np.full((2, 17, 3), np.nan))


def named(xyz):
    return {joint: xyz[..., place, :] for place, joint in enumerate(H36M17.joints)}


@pytest.mark.parametrize("scale", [1, 1000, 0.002])
def test_joints_in_order_have_no_fault_in_any_unit(people, scale):
    assert joint_order_fault(people * scale) == ""


def test_joints_in_the_picture_scaled_by_depth_have_no_fault():
    image = mini.sh_contents()["test"]["joint3d_image"]
    assert joint_order_fault(image) == ""


def test_other_orders_of_17_joints_are_noticed(people):
    at = named(people)
    as_3dhp = np.stack([at[joint] for joint in MPI_INF_3DHP17], -2)
    assert "does not lie between" in joint_order_fault(as_3dhp)
    as_coco = mini.seen_as(COCO17.joints, people)
    assert joint_order_fault(as_coco)
    shifted = people.copy()
    shifted[:, [2, 3]] = people[:, [3, 2]]
    assert joint_order_fault(shifted) == "from hip to knee, left and right differ in length"
    assert joint_order_fault(np.full((2, 17, 3), np.nan)) == ""


def test_sides_are_listed_as_videopose3d_lists_them():
    for keypoints, joints in {
        "gt": H36M17.joints,
        "sh_ft_h36m": MPII16,
        "detectron_pt_coco": COCO17.joints,
    }.items():
        assert list(symmetry_of(joints)) == mini.metadata(keypoints)["keypoints_symmetry"]
    assert symmetry_of(HUMANEVA15) == ([2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13])


def test_rows_to_look_at_are_spread_and_always_the_same():
    assert sampled(100, 3).tolist() == [0, 49, 99]
    assert sampled(2, 5).tolist() == [0, 1]
    assert sampled(1, 4).tolist() == [0]
    assert sampled(0, 4).tolist() == []


def test_values_are_named_in_words():
    assert in_words(np.zeros((4, 17, 3), np.float32)) == "an array of (4, 17, 3) float32"
    assert in_words({"a": 1, "b": 2}) == "a dictionary of 2 ('a', 'b')"
    assert in_words(dict.fromkeys("abcdef")) == "a dictionary of 6 ('a', 'b', 'c', 'd', ...)"
    assert in_words([1, 2]) == "a list of 2"
    assert in_words("word") == "str 'word'"


def test_only_arrays_of_real_numbers_are_numbers():
    assert as_numbers(np.arange(3)) is not None
    for other in ([1, 2], np.array(["a"]), np.array([True]), np.array([1j]), None):
        assert as_numbers(other) is None


def test_a_problem_is_told_once_with_its_first_place(tmp_path):
    findings = Findings(tmp_path / "a.npz")
    findings.add("no frames", "S1/Photo")
    findings.add("no metadata")
    findings.add("no frames", "S9/Photo")
    findings.add("no frames", "S9/Eating")
    assert findings.lines() == [
        f"{tmp_path}/a.npz: S1/Photo: no frames (and 2 more such)",
        f"{tmp_path}/a.npz: no metadata",
    ]


def test_the_first_findings_are_raised_and_the_rest_counted():
    refuse([])
    with pytest.raises(InputError, match=r"^a; b; c$"):
        refuse(["a", "b", "c"])
    with pytest.raises(InputError, match=r"^a; b; c; and 2 more: `pose3d data check` lists all$"):
        refuse(["a", "b", "c", "d", "e"])


KINDS = {
    "VideoPose3D's 3D npz (positions_3d)": {"positions_3d": {"S1": {"Eating": np.zeros(3)}}},
    "VideoPose3D's 2D npz (positions_2d)": {
        "positions_2d": {"S1": {"Eating": [np.zeros(3)]}},
        "metadata": {"num_joints": 17},
    },
    "VideoPose3D's 3D npz of HumanEva (positions_3d)": {
        "positions_3d": {"Train/S1": {"Walking 1 chunk0": np.zeros(3)}}
    },
    "VideoPose3D's 2D npz of HumanEva (positions_2d)": {
        "positions_2d": {"Validate/S1": {"Walking 1 chunk0": [np.zeros(3)]}}
    },
    "P-STMO's 3DHP train npz (data of S1 Seq1 ...)": {"data": {"S1 Seq1": [{"0": {}}, 25]}},
    "P-STMO's 3DHP test npz (data of TS1 ...)": {"data": {"TS1": {"data_2d": np.zeros(3)}}},
    "PoseAug's test npz (pose3d, pose2d)": {"pose3d": np.zeros(3), "pose2d": np.zeros(2)},
    "an npz of the SPIN kind (imgname, part, S)": {"imgname": ["a"], "part": [1], "S": [1.0]},
    "an npz with data": {"data": np.array([b"VTS1\n."])},
    "an npz with first, second": {"first": np.zeros(3), "second": np.array({"a": 1})},
}
PICKLES = {
    "MotionBERT's SH pickle (joint_2d, joint3d_image)": {
        "train": {"joint_2d": np.zeros(9), "joint3d_image": np.zeros(9)}
    },
    "MotionBERT's mesh pickle (smpl_pose)": {"train": {"joint_2d": 1, "smpl_pose": 1}},
    "one window that MotionBERT's slicing wrote (data_input, data_label)": {
        "data_input": np.zeros(9),
        "data_label": np.zeros(9),
    },
    "a 3DPW sequence (jointPositions)": {"sequence": "a", "jointPositions": [np.zeros(72)]},
    "a pickle with some, words": ["some", "words"],
    "a pickle with no words in it": [1, 2],
}


@pytest.mark.parametrize(("kind", "held"), KINDS.items(), ids=KINDS)
def test_an_npz_is_known_by_its_arrays_and_their_words(tmp_path, kind, held):
    np.savez_compressed(tmp_path / "a.npz", **held)
    assert what_is(tmp_path / "a.npz") == kind


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(("kind", "held"), PICKLES.items(), ids=PICKLES)
def test_a_pickle_is_known_by_its_words_plain_and_zipped(tmp_path, kind, held, protocol):
    plain = tmp_path / "a.pkl"
    plain.write_bytes(pickle.dumps(held, protocol))
    assert what_is(plain) == kind
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(plain, "a.pkl")
    assert what_is(tmp_path / "a.zip") == f"{kind}, zipped"


def test_real_layouts_are_known_also_where_arrays_are_long(tmp_path):
    folder = mini.write_videopose3d(tmp_path, ("gt",), {"Directions": 300})
    assert what_is(folder / "data_3d_h36m.npz") == "VideoPose3D's 3D npz (positions_3d)"
    assert what_is(folder / "data_2d_h36m_gt.npz") == "VideoPose3D's 2D npz (positions_2d)"
    assert what_is(mini.write_sh(tmp_path)).startswith("MotionBERT's SH pickle")


def test_a_pickle_that_is_cut_off_is_known_by_the_words_before(tmp_path):
    whole = mini.write_sh(tmp_path).read_bytes()
    (tmp_path / "cut.pkl").write_bytes(whole[: len(whole) // 2])
    assert what_is(tmp_path / "cut.pkl").startswith("MotionBERT's SH pickle")


def test_other_files_are_called_by_their_first_bytes(tmp_path):
    path = tmp_path / "file"
    assert what_is(tmp_path) == "a folder"
    assert what_is(path) == "no file"
    for data, kind in {
        b"": "an empty file",
        b"\x89HDF\r\n\x1a\n": "an HDF5 file",
        b"MATLAB 5.0 MAT-file": "a MATLAB file",
        b"\x1f\x8b\x08\x00": "a gzip file; unpack it",
        json.dumps({"a": 1}).encode(): "a JSON file",
        b"This is text.": "a file of unknown kind",
        b"PK\x03\x04 no archive": "a file that cannot be read",
    }.items():
        path.write_bytes(data)
        assert what_is(path) == kind
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert what_is(tmp_path / "a.npy") == "a single numpy array (.npy)"
    write_arrays(tmp_path / "b.npz", {"xyz_camera": np.zeros(3)}, {"format": "x"})
    assert what_is(tmp_path / "b.npz") == "a file that pose3d wrote"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    assert what_is(path) == "a PyTorch checkpoint"


def test_looking_at_a_pickle_runs_nothing_of_it(tmp_path):
    class Asks:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'mark'}",)

    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"train": {"joint_2d": Asks()}}))
    assert what_is(tmp_path / "a.pkl") == "a pickle of MotionBERT's kind without joint3d_image"
    np.savez(tmp_path / "a.npz", positions_3d=np.array(Asks(), dtype=object))
    assert what_is(tmp_path / "a.npz") == "VideoPose3D's 3D npz (positions_3d)"
    assert not (tmp_path / "mark").exists()


def test_a_file_that_is_cut_off_anywhere_has_a_kind(tmp_path):
    for name, whole in {
        "a.pkl": pickle.dumps(PICKLES["a 3DPW sequence (jointPositions)"]),
        "a.npz": mini.save_3d(tmp_path, {"S1": {}}).read_bytes(),
    }.items():
        for length in range(0, len(whole), 5):
            (tmp_path / name).write_bytes(whole[:length])
            assert what_is(tmp_path / name)
