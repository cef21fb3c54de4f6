from __future__ import annotations

import copy

import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.datasets.humaneva import check, open_humaneva
from pose3d_cli.learn.humaneva_file import chunk_order
from pose3d_cli.pose.camera import camera_to_pixels
from pose3d_cli.pose.dataset_joints import HUMANEVA15
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures.humaneva import (
    COCO,
    COCO_METADATA,
    HUMANEVA_METADATA,
    ORDER,
    contents,
    eyes,
    write_humaneva,
    write_seen,
    write_truth,
)

USUAL, GT = DatasetOptions(), DatasetOptions(keypoints="gt")
_LACKING = ("spine", "nose")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("humaneva")
    return folder, write_humaneva(folder)


@pytest.fixture(scope="module")
def content():
    """The truth and both 2D; tests spoil copies of them."""
    return contents()[:3]


@pytest.fixture(scope="module")
def clips(made):
    return {clip.name: clip for clip in open_humaneva(made[0], USUAL).clips("test")}


@pytest.fixture(scope="module")
def clips_gt(made):
    return {clip.name: clip for clip in open_humaneva(made[0], GT).clips("test")}


def joint(array, name):
    return array[:, H36M17.index(name)]


def world_of(made, clip):
    subject, chunk, camera = clip.name.rsplit("/", 2)
    eye = eyes(clip.subject)[int(camera[1]) - 1]
    return made[1][subject, chunk], eye


def test_it_goes_by_its_name_and_says_what_it_needs():
    entry = DATASETS.get("humaneva")
    assert entry.open is open_humaneva
    assert entry.protocols == ("humaneva",)
    assert entry.keypoints == ("detectron", "gt")
    assert "research only" in entry.source
    assert len(entry.files) == 3


def test_walks_jogs_and_boxes_are_clips_by_chunk_and_camera(clips):
    chunks = ("Box 1 chunk1", "Jog 1 chunk0", "Walking 1 chunk0", "Walking 1 chunk2")
    names = [
        f"Validate/{who}/{chunk}/{camera}"
        for who in ("S1", "S2", "S3")
        for chunk in chunks
        for camera in ("C1", "C2", "C3")
    ]
    assert list(clips) == names
    clip = clips["Validate/S2/Walking 1 chunk2/C3"]
    assert (clip.subject, clip.action) == ("S2", "Walking")
    assert clip.take == "Validate/S2/Walking 1"
    assert len(clip) == 40 - 18
    assert clip.is_counted.all()


def test_chunks_are_in_order_of_their_numbers():
    names = ["Walking 1 chunk10", "Walking 1 chunk2", "Jog 1", "Walking 1 chunk0", "Box 2 chunk0"]
    assert sorted(names, key=chunk_order) == [names[4], names[2], names[3], names[1], names[0]]


def test_pictures_rates_and_units(clips):
    for clip in clips.values():
        assert clip.keypoints.image_size == (640, 480)
        assert clip.screen_width == 640
        assert clip.keypoints.fps == 60
        assert clip.metres_per_unit is None
        assert clip.truth.frame == "camera"


def test_the_truth_in_each_cameras_axes_is_right_to_a_tenth_of_a_millimetre(made, clips):
    """The files do not say where cameras stand: it follows from projections through bent lenses."""
    for clip in clips.values():
        world, eye = world_of(made, clip)
        found, true = clip.truth.xyz, eye.to_camera(world)
        for place, name in enumerate(ORDER):
            np.testing.assert_allclose(joint(found, name), true[:, place], atol=1e-3)
        relative = joint(found, "head") - joint(found, "pelvis")
        np.testing.assert_allclose(relative, true[:, 14] - true[:, 0], atol=1e-4)


def test_what_humaneva_does_not_measure_is_not_in_the_truth(clips):
    for clip in clips.values():
        for name in H36M17.joints:
            is_known = np.isfinite(joint(clip.truth.xyz, name)).all()
            assert is_known == (name not in _LACKING), name


def test_the_camera_has_the_lens_and_maps_truth_to_pixels(made, clips_gt):
    for clip in clips_gt.values():
        world, eye = world_of(made, clip)
        np.testing.assert_allclose(clip.camera.matrix, eye.matrix, atol=0.5)
        np.testing.assert_allclose(clip.camera.distortion[:2], (-0.22, 0.17), atol=0.02)
        assert clip.camera.source.startswith("fitted to the annotation")
        shown = camera_to_pixels(clip.truth.xyz, clip.camera)
        np.testing.assert_allclose(
            joint(shown, "left_wrist"), joint(clip.keypoints.xy, "left_wrist"), atol=0.05
        )
        np.testing.assert_allclose(joint(shown, "head"), eye.project(world[:, 14]), atol=0.05)


def test_the_true_2d_has_a_spine_but_no_nose(made, clips_gt):
    clip = clips_gt["Validate/S1/Jog 1 chunk0/C1"]
    xy, score = clip.keypoints.xy, clip.keypoints.score
    middle = (joint(xy, "pelvis") + joint(xy, "thorax")) / 2
    np.testing.assert_allclose(joint(xy, "spine"), middle, atol=1e-3)
    assert np.isnan(joint(xy, "nose")).all()
    assert (joint(score, "nose") == 0).all()
    assert (joint(score, "spine") == 1).all()


def test_detections_are_cocos_joints(made, clips, content):
    clip = clips["Validate/S3/Box 1 chunk1/C2"]
    own = content[2]["Validate/S3"]["Box 1 chunk1"][1]
    xy = clip.keypoints.xy
    for name in ("left_wrist", "right_ankle", "nose"):
        np.testing.assert_allclose(joint(xy, name), own[:, COCO.index(name)], atol=1e-3)
    hips = own[:, [COCO.index("left_hip"), COCO.index("right_hip")]].mean(1)
    np.testing.assert_allclose(joint(xy, "pelvis"), hips, atol=1e-3)
    assert (clip.keypoints.score == 1).all()


def test_an_arm_that_is_up_on_the_left_is_the_left_arm(clips, clips_gt):
    for clip in (*clips.values(), *clips_gt.values()):
        if clip.action != "Box":
            continue
        for points in (clip.truth.xyz, clip.keypoints.xy):
            down = points[..., 1]  # y is down
            assert (joint(down, "left_wrist") < joint(down, "head")).all()
            assert (joint(down, "right_wrist") > joint(down, "right_shoulder")).all()


def test_training_is_the_other_part_and_there_is_nothing_to_validate_on(made):
    dataset = open_humaneva(made[0], USUAL)
    train = [clip.name for clip in dataset.clips("train")]
    assert len(train) == 36
    assert all(name.startswith("Train/S") for name in train)
    with pytest.raises(SettingsError, match="--split val: humaneva has only train and test"):
        next(dataset.clips("val"))


def test_keypoints_go_by_their_short_name_or_the_files(made):
    for name in ("detectron", "detectron_pt_coco"):
        dataset = open_humaneva(made[0], DatasetOptions(keypoints=name))
        assert len(dataset.joints) == 17
    with pytest.raises(UnknownNameError, match="no 2D keypoints 'cpn'; known: detectron, gt"):
        open_humaneva(made[0], DatasetOptions(keypoints="cpn"))


def test_the_3d_file_stands_for_its_folder(made):
    assert len(list(open_humaneva(made[0] / "data_3d_humaneva15.npz", GT).clips("test"))) == 36


def test_detections_that_go_on_after_the_motion_are_cut(tmp_path, content):
    truth, projected, detected = copy.deepcopy(content)
    views = detected["Validate/S1"]["Jog 1 chunk0"]
    views[0] = np.concatenate([views[0], views[0][:3]])
    write_all(tmp_path, truth, projected, detected)
    clips = {clip.name: clip for clip in open_humaneva(tmp_path, USUAL).clips("test")}
    assert len(clips["Validate/S1/Jog 1 chunk0/C1"]) == 25


def test_all_of_a_subjects_takes_calibrate_a_camera_together(tmp_path, content):
    """A chunk of three frames alone would not do."""
    truth, projected, detected = copy.deepcopy(content)
    for file in (truth, projected, detected):
        for chunk in list(file["Validate/S1"]):
            if chunk != "Jog 1 chunk0":
                del file["Validate/S1"][chunk]
    truth["Validate/S1"]["Jog 1 chunk0"] = truth["Validate/S1"]["Jog 1 chunk0"][:3]
    write_all(tmp_path, truth, projected, detected)
    clips = [c for c in open_humaneva(tmp_path, USUAL).clips("test") if c.subject == "S1"]
    assert [len(clip) for clip in clips] == [3, 3, 3]


def write_all(folder, truth, projected, detected):
    write_truth(folder, truth)
    write_seen(folder, "gt", projected, HUMANEVA_METADATA)
    write_seen(folder, "detectron_pt_coco", detected, COCO_METADATA)


def every_chunk(file, subject, change):
    for chunk, value in file[subject].items():
        is_views = isinstance(value, list)
        file[subject][chunk] = [change(view) for view in value] if is_views else change(value)


def in_millimetres(truth, projected, detected):
    every_chunk(truth, "Train/S2", lambda xyz: xyz * 1000)


def relative_to_the_pelvis(truth, projected, detected):
    every_chunk(truth, "Train/S2", lambda xyz: xyz - xyz[:, :1])


def of_20_joints(truth, projected, detected):
    truth["Train/S2"]["Box 1 chunk1"] = np.zeros((9, 20, 3), np.float32)


def with_human36ms_joints(truth, projected, detected):
    truth["Train/S2"]["Box 1 chunk1"] = np.zeros((9, 32, 3), np.float32)


def in_another_order(truth, projected, detected):
    every_chunk(truth, "Train/S2", lambda xyz: xyz[:, ::-1])


def exchanged(xyz, one, other):
    order = list(range(15))
    a, b = HUMANEVA15.index(one), HUMANEVA15.index(other)
    order[a], order[b] = b, a
    return xyz[:, order]


def with_an_arm_and_a_leg_exchanged(truth, projected, detected):
    every_chunk(truth, "Train/S2", lambda xyz: exchanged(xyz, "left_elbow", "right_ankle"))


def with_pelvis_and_head_exchanged(truth, projected, detected):
    every_chunk(truth, "Train/S2", lambda xyz: exchanged(xyz, "pelvis", "head"))


def with_gaps(truth, projected, detected):
    truth["Train/S2"]["Box 1 chunk1"][5, 3] = np.nan


def without_a_chunk_in_2d(truth, projected, detected):
    del detected["Train/S2"]["Box 1 chunk1"]


def of_two_cameras(truth, projected, detected):
    detected["Train/S2"]["Box 1 chunk1"].pop()


def without_a_cameras_detections(truth, projected, detected):
    detected["Train/S2"]["Box 1 chunk1"][1] = None


def of_fewer_frames_in_2d(truth, projected, detected):
    views = detected["Train/S2"]["Box 1 chunk1"]
    views[2] = views[2][:-4]


def on_a_screen(truth, projected, detected):
    every_chunk(detected, "Train/S2", lambda xy: xy / 320 - 1)


def of_a_larger_picture(truth, projected, detected):
    every_chunk(detected, "Train/S2", lambda xy: xy * 3)


def with_scores(truth, projected, detected):
    every_chunk(detected, "Train/S2", lambda xy: np.pad(xy, ((0, 0), (0, 0), (0, 1))))


def with_sides_swapped_in_2d(truth, projected, detected):
    order = np.array([HUMANEVA15.index(name) for name in swapped(HUMANEVA15)])
    for subject in ("Train/S2", "Validate/S2"):
        every_chunk(projected, subject, lambda xy: xy[:, order])


def swapped(names):
    other = {"left": "right", "right": "left"}
    return ["_".join(other.get(part, part) for part in name.split("_")) for name in names]


WRONG = {
    in_millimetres: "Train/S2: positions are of a person in millimetres; expected metres",
    relative_to_the_pelvis: "Train/S2: the pelvis is at the origin in every frame",
    of_20_joints: r"Box 1 chunk1: is an array of \(9, 20, 3\) \(`humaneva20`; make",
    with_human36ms_joints: r"is an array of \(9, 32, 3\) \(Human3.6M's\)",
    in_another_order: "Train/S2: .*; expected HumanEva's order of 15 joints",
    with_an_arm_and_a_leg_exchanged: "left and right differ in length; expected HumanEva's order",
    with_pelvis_and_head_exchanged: "the pelvis is not near what should be the hips; expected Hum",
    with_gaps: r"Train/S2/Box 1 chunk1: has gaps \(NaN\)",
    without_a_chunk_in_2d: "coco.npz: Train/S2/Box 1 chunk1: is not there; expected a list of 3",
    of_two_cameras: "Box 1 chunk1: is a list of 2; expected a list of 3 cameras",
    without_a_cameras_detections: "Box 1 chunk1: C2 is NoneType 'None'; expected an array",
    of_fewer_frames_in_2d: "Box 1 chunk1: C3 19 frames, but the truth has 23",
    on_a_screen: "Train/S2/C1: keypoints are screen coordinates; expected pixels",
    of_a_larger_picture: "Train/S2/C1: most keypoints lie outside of the picture of 640x480",
    with_scores: r"is an array of \(23, 17, 3\); expected \(frames, 17, 2\)",
    with_sides_swapped_in_2d: "S2/C1: no camera was found that makes this 2D of data_3d_humaneva15",
}


@pytest.mark.parametrize("spoil", WRONG)
def test_files_are_refused_that_are(tmp_path, content, spoil):
    spoilt = copy.deepcopy(content)
    spoil(*spoilt)
    write_all(tmp_path, *spoilt)
    with pytest.raises(InputError, match=WRONG[spoil]) as error:
        open_humaneva(tmp_path, USUAL)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
    assert check(tmp_path, USUAL)


@pytest.mark.parametrize(
    "metadata",
    [HUMANEVA_METADATA, {}, {"keypoints_symmetry": 3}, {"keypoints_symmetry": [[1, 2], [3]]}],
)
def test_the_metadata_must_be_those_of_the_joints(tmp_path, content, metadata):
    write_all(tmp_path, *content)
    write_seen(tmp_path, "detectron_pt_coco", content[2], metadata)
    with pytest.raises(InputError, match=r"coco\.npz: .*(metadata say layout|no metadata)"):
        open_humaneva(tmp_path, USUAL)
    assert len(list(open_humaneva(tmp_path, GT).clips("test"))) == 36


def test_check_lists_all_that_is_wrong(tmp_path, content):
    spoilt = copy.deepcopy(content)
    for spoil in (in_millimetres, of_two_cameras):
        spoil(*spoilt)
    every_chunk(spoilt[2], "Validate/S1", lambda xy: xy / 320 - 1)
    write_all(tmp_path, *spoilt)
    lines = check(tmp_path, USUAL)
    assert len(lines) == 3
    assert "in millimetres" in lines[0]
    assert "(and 2 more such)" in next(line for line in lines if "screen coordinates" in line)


def test_a_sound_folder_gives_nothing_to_complain_about(made):
    assert check(made[0], USUAL) == []
    assert check(made[0], GT) == []


def test_what_is_missing_is_asked_for_and_why(tmp_path, content):
    write_truth(tmp_path, content[0])
    with pytest.raises(InputError, match=r"data_2d_humaneva15_gt\.npz: no such file; its proj"):
        open_humaneva(tmp_path, USUAL)
    assert len(check(tmp_path, USUAL)) == 2
    write_seen(tmp_path, "gt", content[1], HUMANEVA_METADATA)
    assert open_humaneva(tmp_path, GT)
    with pytest.raises(InputError, match=r"detectron_pt_coco\.npz: no such file$"):
        open_humaneva(tmp_path, USUAL)


def test_files_of_human36m_are_called_so(tmp_path, content):
    truth = {"S1": {"Walking 1": content[0]["Train/S1"]["Jog 1 chunk0"]}}
    write_all(tmp_path, truth, *content[1:])
    with pytest.raises(InputError, match=r"VideoPose3D's 3D npz \(positions_3d\); expected Vi"):
        open_humaneva(tmp_path, USUAL)
    assert len(check(tmp_path, USUAL)) == 1
