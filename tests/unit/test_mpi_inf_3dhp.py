from __future__ import annotations

import copy

import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.datasets.mpi_inf_3dhp import check, open_3dhp
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17, to_h36m
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures.mpi_inf_3dhp import (
    Facts,
    make_test,
    make_train,
    write_3dhp,
    write_test,
    write_train,
)

USUAL = DatasetOptions()

# h36m17 of 3DHP's 17, as MotionAGFormer's code has it.
FIELD = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("3dhp")
    return folder, write_3dhp(folder)


@pytest.fixture(scope="module")
def content():
    """What the test file holds; tests spoil copies of it."""
    return make_test(Facts(), frames=25)


def clips_of(folder, split):
    return {clip.name: clip for clip in open_3dhp(folder, USUAL).clips(split)}


def joint(array, name):
    return array[:, H36M17.index(name)]


def test_it_goes_by_its_name_and_says_what_it_needs():
    entry = DATASETS.get("3dhp")
    assert entry.open is open_3dhp
    assert entry.protocols == ("3dhp-strict", "3dhp-legacy")
    assert "research only" in entry.source
    assert any("data_test_3dhp.npz" in line for line in entry.files)


def test_reordering_is_that_of_the_field_and_loses_nothing():
    numbers = np.arange(17.0)[:, None]
    assert to_h36m(numbers, MPI_INF_3DHP17)[:, 0].tolist() == FIELD
    back = np.argsort(FIELD)
    np.testing.assert_array_equal(to_h36m(numbers, MPI_INF_3DHP17)[back], numbers)
    assert FIELD[H36M17.index("pelvis")] == 14


def test_reordering_leaves_left_on_the_left():
    sides = {"left": [5, 6, 7, 11, 12, 13], "right": [2, 3, 4, 8, 9, 10]}
    for side, places in sides.items():
        own = [FIELD[row] for row, name in enumerate(H36M17.joints) if name.startswith(side)]
        assert sorted(own) == places


def test_each_test_sequence_is_a_clip_of_camera_space_metres(made):
    folder, facts = made
    clips = clips_of(folder, "test")
    assert list(clips) == ["TS1", "TS2", "TS3", "TS4", "TS5", "TS6"]
    for name, clip in clips.items():
        counted = clip.is_counted
        assert clip.truth.frame == "camera"
        assert clip.truth.is_metric
        np.testing.assert_allclose(clip.truth.xyz[counted], facts.truth[name][counted], atol=1e-6)
        np.testing.assert_allclose(
            clip.keypoints.xy[counted], facts.pixels[name][counted], atol=1e-3
        )
        assert (clip.keypoints.score[counted] == 1).all()
        assert (joint(clip.truth.xyz, "pelvis")[counted, 2] > 2).all()
        assert (clip.subject, clip.action, clip.take) == (name, "", "")


def test_the_root_is_the_files_15th_joint_and_not_its_first(made, content):
    folder, _ = made
    own = np.load(folder / "data_test_3dhp.npz", allow_pickle=True)["data"].item()["TS1"]
    clip = clips_of(folder, "test")["TS1"]
    np.testing.assert_allclose(
        joint(clip.truth.xyz, "pelvis"), own["data_3d"][:, 14] / 1000, atol=1e-6
    )
    np.testing.assert_allclose(
        joint(clip.truth.xyz, "head"), own["data_3d"][:, 0] / 1000, atol=1e-6
    )


def test_an_arm_that_is_up_on_the_left_is_the_left_arm(made):
    clip = clips_of(made[0], "test")["TS2"]
    for points in (clip.truth.xyz, clip.keypoints.xy):
        down = points[..., 1]  # y is down
        assert (joint(down, "left_wrist") < joint(down, "nose")).all()
        assert (joint(down, "right_wrist") > joint(down, "spine")).all()


def test_only_valid_frames_are_counted_but_all_are_there(made):
    clips = clips_of(made[0], "test")
    assert [len(clip) for clip in clips.values()] == [60] * 6
    np.testing.assert_array_equal(clips["TS1"].is_counted, np.arange(60) % 5 != 0)


def test_what_was_never_annotated_is_unseen_and_not_in_the_corner(made):
    clip = clips_of(made[0], "test")["TS6"]
    assert np.isnan(clip.keypoints.xy[:3]).all()
    assert (clip.keypoints.score[:3] == 0).all()
    assert not clip.is_counted[:3].any()
    assert np.isfinite(clip.keypoints.xy[3:]).all()


def test_sizes_rates_and_units_are_those_of_the_sequences(made):
    clips = clips_of(made[0], "test")
    for name, clip in clips.items():
        is_outdoors = name in ("TS5", "TS6")
        assert clip.keypoints.image_size == ((1920, 1080) if is_outdoors else (2048, 2048))
        assert clip.screen_width == (1920 if is_outdoors else 2048)
        assert clip.keypoints.fps == 25
        assert (clip.metres_per_unit == 1.024).all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_camera_is_found_although_people_are_scaled_to_one_size(made, split):
    folder, facts = made
    clips = clips_of(folder, split)
    assert len(clips) == (24 if split == "train" else 6)
    for name, clip in clips.items():
        np.testing.assert_allclose(clip.camera.matrix, facts.eyes[name].matrix, atol=0.05)
        assert clip.camera.image_size == clip.keypoints.image_size
        assert clip.camera.source.startswith("fitted to the annotation")


def test_each_training_sequence_is_a_clip_a_camera_at_its_own_rate(made):
    folder, facts = made
    clips = clips_of(folder, "train")
    names = [
        f"{take}/{camera}" for take in ("S1 Seq1", "S1 Seq2", "S2 Seq1") for camera in "01245678"
    ]
    assert list(clips) == names
    assert {clip.take: clip.keypoints.fps for clip in clips.values()} == {
        "S1 Seq1": 25, "S1 Seq2": 50, "S2 Seq1": 25
    }  # fmt: skip
    clip = clips["S2 Seq1/7"]
    np.testing.assert_allclose(clip.truth.xyz, facts.truth["S2 Seq1/7"], atol=1e-6)
    assert clip.subject == "S2"
    assert clip.is_counted.all()
    assert (clip.metres_per_unit == 1.024).all()


def test_one_file_is_enough_for_its_split(tmp_path):
    facts = Facts()
    test = write_test(tmp_path, make_test(facts, 25))
    assert len(list(open_3dhp(test, USUAL).clips("test"))) == 6
    with pytest.raises(InputError, match=r"holds the test sequences; .* give data_train_3dhp"):
        next(open_3dhp(test, USUAL).clips("train"))
    train = write_train(tmp_path, make_train(facts, 25))
    assert len(list(open_3dhp(train, USUAL).clips("train"))) == 24
    with pytest.raises(InputError, match=r"holds the train sequences; .* give data_test_3dhp"):
        next(open_3dhp(train, USUAL).clips("test"))


def test_the_training_file_is_not_read_for_the_test_split(tmp_path, content):
    write_test(tmp_path, content)
    (tmp_path / "data_train_3dhp.npz").write_bytes(b"half of a download")
    dataset = open_3dhp(tmp_path, USUAL)
    assert len(list(dataset.clips("test"))) == 6
    with pytest.raises(InputError, match=r"data_train_3dhp\.npz: not a readable \.npz"):
        next(dataset.clips("train"))
    assert len(check(tmp_path, USUAL)) == 1


def test_there_is_no_split_to_validate_on_and_no_other_2d(made):
    with pytest.raises(SettingsError, match="--split val: 3dhp has only train and test"):
        next(open_3dhp(made[0], USUAL).clips("val"))
    with pytest.raises(UnknownNameError, match="no 2D keypoints 'cpn'"):
        open_3dhp(made[0], DatasetOptions(keypoints="cpn"))
    assert open_3dhp(made[0], DatasetOptions(keypoints="gt"))


def in_metres(content):
    content["TS1"]["data_3d"] /= 1000


def relative_to_the_pelvis(content):
    content["TS1"]["data_3d"] -= content["TS1"]["data_3d"][:, 14:15].copy()


def behind_the_camera(content):
    content["TS1"]["data_3d"] *= -1


def in_poseaugs_joints(content):
    content["TS1"]["data_3d"] = content["TS1"]["data_3d"][:, :16]


def with_raw_joints(content):
    own = content["TS1"]
    own["data_2d"] = np.repeat(own["data_2d"], 2, 1)[:, :28]


def in_h36m_order_already(content):
    for key in ("data_2d", "data_3d"):
        content["TS1"][key] = content["TS1"][key][:, FIELD]


def in_another_order(content):
    for key in ("data_2d", "data_3d"):
        content["TS1"][key] = content["TS1"][key][:, ::-1]


def on_a_screen(content):
    content["TS1"]["data_2d"] = content["TS1"]["data_2d"] / 1024 - 1


def with_x_to_the_left(content):
    content["TS1"]["data_3d"][..., 0] *= -1


def with_y_up(content):
    content["TS1"]["data_3d"][..., 1] *= -1


def with_sides_swapped_in_2d(content):
    order = np.arange(17)[[0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 14, 15, 16]]
    content["TS1"]["data_2d"] = content["TS1"]["data_2d"][:, order]


def of_a_larger_picture(content):
    content["TS5"]["data_2d"] *= 3


def without_marks(content):
    del content["TS1"]["valid"]


def with_marks_of_three_kinds(content):
    content["TS1"]["valid"][3] = 2


def with_marks_of_other_frames(content):
    content["TS1"]["valid"] = content["TS1"]["valid"][:-1]


def without_a_valid_frame(content):
    content["TS1"]["valid"][:] = 0


def with_a_hole_where_it_is_valid(content):
    content["TS1"]["data_3d"][4, 5] = np.nan


def unseen_where_it_is_valid(content):
    content["TS1"]["data_2d"][4] = 0


def of_two_lengths(content):
    content["TS1"]["data_2d"] = content["TS1"]["data_2d"][:-2]


def not_squeezed(content):
    content["TS1"]["data_2d"] = content["TS1"]["data_2d"][:, None]


def without_a_sequence(content):
    del content["TS5"]


def of_other_names(content):
    content["walk"] = content.pop("TS1")


WRONG = {
    in_metres: r"TS1: data_3d is a person in metres; expected millimetres",
    relative_to_the_pelvis: "relative to the pelvis; expected the camera at the origin",
    behind_the_camera: r"not in front of the camera; expected camera axes",
    in_poseaugs_joints: r"\(25, 16, 3\) \(PoseAug's form\); expected \(frames, 17, 3\)",
    with_raw_joints: r"28, 2\) \(the raw annotation, of which P-STMO keeps 17\)",
    in_h36m_order_already: "in Human3.6M's order already; expected 3DHP's",
    in_another_order: "the joints are in another order; expected 3DHP's",
    on_a_screen: "data_2d are screen coordinates; expected pixels",
    with_x_to_the_left: r"data_2d's x is not the projection .* runs the other way",
    with_y_up: r"data_2d's y is not the projection .* runs the other way",
    with_sides_swapped_in_2d: "data_2d's x is not the projection of data_3d's",
    of_a_larger_picture: "TS5: most of data_2d lies outside of the picture of 1920x1080",
    without_marks: "`valid` must be 0 or 1 for each of the 25 frames",
    with_marks_of_three_kinds: "`valid` must be 0 or 1",
    with_marks_of_other_frames: "`valid` must be 0 or 1 for each of the 25 frames",
    without_a_valid_frame: "no frame is valid",
    with_a_hole_where_it_is_valid: "1 valid frames have no whole truth",
    unseen_where_it_is_valid: "1 valid frames have no 2D",
    of_two_lengths: "23 frames of data_2d, but 25 of data_3d",
    not_squeezed: r"data_2d must be an array \(frames, 17, 2\), is an array of \(25, 1, 17, 2\)",
    without_a_sequence: "lacks TS5 of the test set",
    of_other_names: r"holds sequences of other names \(TS2, TS3, TS4, ...\)",
}


@pytest.mark.parametrize("spoil", WRONG)
def test_a_test_file_is_refused_that_is(tmp_path, content, spoil):
    spoilt = copy.deepcopy(content)
    spoil(spoilt)
    path = write_test(tmp_path, spoilt)
    with pytest.raises(InputError, match=WRONG[spoil]) as error:
        open_3dhp(tmp_path, USUAL)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(check(tmp_path, USUAL)) == 1


def test_a_training_file_is_refused_as_the_test_file_and_the_other_way_round(tmp_path, content):
    train = make_train(Facts(), 25)
    write_test(tmp_path, train)
    with pytest.raises(InputError, match=r"holds the train sequences \(S1 Seq1, .*data_test_3dhp"):
        open_3dhp(tmp_path, USUAL)
    write_train(tmp_path, content)
    assert [line for line in check(tmp_path, USUAL) if "holds the test sequences (TS1," in line]


@pytest.mark.parametrize("spoil", [lambda pair: pair[:1], lambda pair: [pair[0], 0], lambda _: {}])
def test_a_training_sequence_without_its_rate_is_refused(tmp_path, spoil):
    train = make_train(Facts(), 25)
    train["S1 Seq2"] = spoil(train["S1 Seq2"])
    write_train(tmp_path, train)
    with pytest.raises(InputError, match="S1 Seq2: must be a list of cameras and frames a second"):
        open_3dhp(tmp_path, USUAL)


def test_training_cameras_are_checked_each(tmp_path):
    train = make_train(Facts(), 25)
    train["S1 Seq2"][0]["5"]["data_3d"] /= 1000
    write_train(tmp_path, train)
    with pytest.raises(InputError, match="S1 Seq2/5: data_3d is a person in metres"):
        open_3dhp(tmp_path, USUAL)


def test_check_lists_all_that_is_wrong(tmp_path, content):
    spoilt = copy.deepcopy(content)
    in_metres(spoilt)
    del spoilt["TS4"]
    spoilt["TS3"]["data_2d"] = spoilt["TS3"]["data_2d"] / 1024 - 1
    write_test(tmp_path, spoilt)
    train = make_train(Facts(), 25)
    train["S1 Seq1"] = []
    write_train(tmp_path, train)
    lines = check(tmp_path, USUAL)
    assert len(lines) == 4
    for part in ("lacks TS4", "TS1: ", "TS3: ", "S1 Seq1: must be a list"):
        assert sum(part in line for line in lines) == 1


def test_a_sound_folder_gives_nothing_to_complain_about(made):
    assert check(made[0], USUAL) == []


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"pose3d": np.zeros((4, 16, 3)), "pose2d": np.zeros((4, 16, 2))}, "PoseAug's test npz"),
        ({"imgname": np.array(["a"]), "part": np.zeros(1), "S": np.zeros(1)}, "SPIN kind"),
        ({"data": np.zeros((4, 17, 3))}, "expected P-STMO's npz"),
    ],
)
def test_other_forms_of_the_data_set_are_called_by_their_names(tmp_path, arrays, told):
    path = tmp_path / "test_3dhp.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=told):
        open_3dhp(path, USUAL)
    assert told in check(path, USUAL)[0]


def test_what_is_not_there_is_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.npz: no such file"):
        open_3dhp(tmp_path / "nowhere.npz", USUAL)
    with pytest.raises(InputError, match=r"neither data_train_3dhp\.npz nor data_test_3dhp\.npz"):
        open_3dhp(tmp_path, USUAL)
    (tmp_path / "TS1").mkdir()
    (tmp_path / "TS1" / "annot_data.mat").touch()
    assert "only the raw data set, of which `pose3d data convert`" in check(tmp_path, USUAL)[0]
