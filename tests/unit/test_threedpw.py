from __future__ import annotations

import copy
import pickle
import pickletools

import numpy as np
import pytest

from pose3d_cli.errors import InputError, UnknownNameError
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.datasets.threedpw import check, least_score, open_3dpw
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures.threedpw import OPENPOSE, SMPL, sequence, write_3dpw, write_sequence

USUAL = DatasetOptions()
LACKING = ("spine", "nose", "head")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("3dpw")
    return folder, write_3dpw(folder)


@pytest.fixture(scope="module")
def content():
    """A sequence of two; tests spoil copies of it."""
    return sequence("office_phoneCall_00", people=2, seed=3)[0]


@pytest.fixture(scope="module")
def clips(made):
    return {clip.name: clip for clip in open_3dpw(made[0], USUAL).clips("test")}


def joint(array, name):
    return array[:, H36M17.index(name)]


def in_camera(made, clip):
    """SMPL's joints in the axes of each frame's eye."""
    name, _, person = clip.name.partition("/")
    content, eyes = made[1][name]
    world = content["jointPositions"][int(person)].reshape(-1, 24, 3)
    return np.stack([eye.to_camera(frame) for eye, frame in zip(eyes, world, strict=True)])


def test_it_goes_by_its_name_and_says_what_it_needs():
    entry = DATASETS.get("3dpw")
    assert entry.open is open_3dpw
    assert entry.protocols == ("3dpw",)
    assert "commercial" in entry.source
    assert any("sequenceFiles/test" in line for line in entry.files)


def test_the_miniatures_are_pickles_of_python_2(made):
    path = made[0] / "sequenceFiles" / "test" / "office_phoneCall_00.pkl"
    data = path.read_bytes()
    used = {operation.name for operation, _, _ in pickletools.genops(data)}
    assert {"BINSTRING", "SHORT_BINSTRING"} <= used
    assert not {"BINUNICODE", "BINBYTES", "SHORT_BINBYTES"} & used
    assert b"numpy.core.multiarray\n_reconstruct" in data
    assert b"numpy._core" not in data
    with pytest.raises(UnicodeDecodeError):
        pickle.loads(data)
    assert pickle.loads(data, encoding="latin1")["sequence"] == "office_phoneCall_00"


def test_each_person_of_each_sequence_is_a_clip(clips):
    names = ["downtown_walking_00/0", "office_phoneCall_00/0", "office_phoneCall_00/1"]
    assert list(clips) == names
    assert [clip.action for clip in clips.values()] == [
        "downtown_walking", "office_phoneCall", "office_phoneCall"
    ]  # fmt: skip
    assert len({clip.subject for clip in clips.values()}) == 3


def test_the_other_splits_have_the_files_names_for_them(made):
    dataset = open_3dpw(made[0], USUAL)
    assert [clip.name for clip in dataset.clips("train")] == ["courtyard_golf_00/0"]
    assert [clip.name for clip in dataset.clips("val")] == ["courtyard_rugby_02/0"]


def test_upright_and_level_pictures_keep_their_shape(clips):
    sizes = [clip.keypoints.image_size for clip in clips.values()]
    assert sizes == [(1080, 1920), (1920, 1080), (1920, 1080)]
    assert [clip.screen_width for clip in clips.values()] == [1080, 1920, 1920]
    for clip in clips.values():
        assert clip.camera.image_size == clip.keypoints.image_size
        np.testing.assert_allclose(clip.camera.focal_px, (1961.8, 1969.2))
        np.testing.assert_allclose(clip.camera.centre_px, np.divide(clip.camera.image_size, 2))
        assert clip.keypoints.fps == 30


def test_the_truth_is_14_joints_in_the_axes_of_a_camera_that_moves(made, clips):
    for clip in clips.values():
        counted = clip.is_counted
        smpl, found = in_camera(made, clip)[counted], clip.truth.xyz[counted]
        for place, name in enumerate(SMPL):
            if name in H36M17.joints and name != "head":
                np.testing.assert_allclose(joint(found, name), smpl[:, place], atol=1e-5)
        hips = smpl[:, [SMPL.index("left_hip"), SMPL.index("right_hip")]].mean(1)
        np.testing.assert_allclose(joint(found, "pelvis"), hips, atol=1e-5)
        assert clip.truth.frame == "camera"
        known = [j for j in H36M17.joints if np.isfinite(joint(clip.truth.xyz, j)).all()]
        assert len(known) == 14
        assert not set(known) & set(LACKING)


def test_detections_are_openposes_joints_in_pixels(made, clips):
    clip = clips["office_phoneCall_00/1"]
    own = made[1]["office_phoneCall_00"][0]["poses2d"][1]
    xy = clip.keypoints.xy
    seen = np.delete(np.arange(24), [5, 7, 9])
    for name in ("left_wrist", "right_ankle", "nose"):
        expected = own[seen, :2, OPENPOSE.index(name)]
        np.testing.assert_allclose(joint(xy, name)[seen], expected, atol=1e-3)
    eyes = own[seen, :2][..., [OPENPOSE.index("left_eye"), OPENPOSE.index("right_eye")]].mean(-1)
    np.testing.assert_allclose(joint(xy, "head")[seen], eyes, atol=1e-3)
    shoulders = [OPENPOSE.index("left_shoulder"), OPENPOSE.index("right_shoulder")]
    neck = own[seen, :2][..., shoulders].mean(-1)
    np.testing.assert_allclose(joint(xy, "thorax")[seen], neck, atol=1e-3)


def test_an_arm_that_is_up_on_the_left_is_the_left_arm(clips):
    for name in ("downtown_walking_00/0", "office_phoneCall_00/0"):
        clip = clips[name]
        for points in (clip.truth.xyz, clip.keypoints.xy):
            down = points[clip.is_counted][..., 1]  # y is down
            seen = np.isfinite(joint(down, "left_wrist"))
            assert seen.sum() > 15
            assert (joint(down, "left_wrist") < joint(down, "left_shoulder"))[seen].all()
            assert (joint(down, "right_wrist") > joint(down, "right_shoulder"))[seen].all()


def test_what_was_not_found_is_unseen_and_what_is_made_of_it_too(clips):
    for clip in clips.values():
        xy, score = clip.keypoints.xy, clip.keypoints.score
        unseen = np.isnan(xy).any(-1)
        assert unseen[5].all()
        assert np.flatnonzero(unseen[7]).tolist() == [H36M17.index("left_wrist")]
        lost = [H36M17.joints[place] for place in np.flatnonzero(unseen[9])]
        assert lost == ["pelvis", "right_hip", "spine"]
        assert unseen.sum() == 17 + 1 + 3
        assert (score[unseen] == 0).all()
        assert (score[~unseen] > 0).all()


def test_frames_without_a_camera_or_a_detection_are_not_counted(clips):
    for clip in clips.values():
        assert np.flatnonzero(~clip.is_counted).tolist() == [3, 5]


def test_a_joint_made_of_several_is_as_sure_as_the_least_sure():
    score = np.full((1, 18), 0.9)
    score[0, OPENPOSE.index("right_shoulder")] = 0.4
    score[0, OPENPOSE.index("left_eye")] = 0.3
    score[0, OPENPOSE.index("right_wrist")] = 1.2
    found = dict(zip(H36M17.joints, least_score(score)[0], strict=True))
    expected = dict.fromkeys(H36M17.joints, 0.9)
    expected |= {"right_shoulder": 0.4, "thorax": 0.4, "spine": 0.4, "head": 0.3, "right_wrist": 1}
    assert found == pytest.approx(expected)


def test_the_folder_of_sequences_itself_will_do_and_so_will_one_split(made, tmp_path, content):
    assert len(list(open_3dpw(made[0] / "sequenceFiles", USUAL).clips("test"))) == 3
    write_sequence(tmp_path / "sequenceFiles" / "test" / "a_00.pkl", content)
    dataset = open_3dpw(tmp_path, USUAL)
    assert len(list(dataset.clips("test"))) == 2
    with pytest.raises(InputError, match="no sequenceFiles/train here, only what is for test"):
        next(dataset.clips("train"))


def test_frames_that_not_all_parts_have_are_left_out(tmp_path, content):
    shorter = copy.deepcopy(content)
    shorter["poses2d"][1] = shorter["poses2d"][1][:-2]
    write_sequence(tmp_path / "test" / "a_00.pkl", shorter)
    assert [len(clip) for clip in open_3dpw(tmp_path, USUAL).clips("test")] == [24, 22]


def test_a_person_whose_camera_was_never_found_is_no_fault(tmp_path, content):
    lost = copy.deepcopy(content)
    lost["campose_valid"][1][:] = False
    write_sequence(tmp_path / "test" / "a_00.pkl", lost)
    first, second = open_3dpw(tmp_path, USUAL).clips("test")
    assert first.is_counted.any()
    assert not second.is_counted.any()


def test_a_camera_pose_that_is_none_does_not_count_though_marked_valid(tmp_path, content):
    lost = copy.deepcopy(content)
    lost["cam_poses"][11] = 0
    lost["cam_poses"][12] = np.nan
    lost["cam_poses"][13, :3, :3] *= 2
    write_sequence(tmp_path / "test" / "a_00.pkl", lost)
    first, _ = open_3dpw(tmp_path, USUAL).clips("test")
    assert np.flatnonzero(~first.is_counted).tolist() == [3, 5, 11, 12, 13]


def in_millimetres(content):
    content["jointPositions"][1] *= 1000


def with_another_order_of_joints(content):
    own = content["jointPositions"][1].reshape(-1, 24, 3)
    content["jointPositions"][1] = np.roll(own, 1, 1).reshape(-1, 72)


def with_joints_apart(content):
    content["jointPositions"][1] = content["jointPositions"][1].reshape(-1, 24, 3)


def with_2d_the_other_way_round(content):
    content["poses2d"][1] = content["poses2d"][1].transpose(0, 2, 1)


def with_25_keypoints(content):
    content["poses2d"][1] = np.zeros((24, 3, 25))


def on_a_screen(content):
    content["poses2d"][1][:, :2] /= 960


def with_poses_of_the_camera_in_the_world(content):
    content["cam_poses"] = np.linalg.inv(content["cam_poses"])


def with_people_behind_the_camera(content):
    content["cam_poses"][:, 1:3] *= -1  # a turn by 180 degrees about x


def with_people_mostly_behind_the_camera(content):
    content["cam_poses"][4:, 1:3] *= -1


def with_mirroring_camera_poses(content):
    content["cam_poses"][:, 0] *= -1


def with_camera_poses_that_scale(content):
    content["cam_poses"][:, :3, :3] *= 2


def with_people_exchanged(content):
    content["jointPositions"].reverse()
    for own in content["jointPositions"]:
        own[:, ::3] += np.where(own is content["jointPositions"][0], 4, -4)


def with_sides_exchanged(content):
    order = [OPENPOSE.index(name) for name in OPENPOSE]
    for side, other in (("left", "right"), ("right", "left")):
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
            order[OPENPOSE.index(f"{side}_{part}")] = OPENPOSE.index(f"{other}_{part}")
    content["poses2d"][0] = content["poses2d"][0][..., order]


def with_a_normalised_camera(content):
    content["cam_intrinsics"] = content["cam_intrinsics"] / 960


def without_intrinsics(content):
    del content["cam_intrinsics"]


def with_one_persons_marks(content):
    content["campose_valid"] = content["campose_valid"][:1]


def with_half_the_frames(content):
    content["poses2d"][1] = content["poses2d"][1][:9]


WRONG = {
    in_millimetres: "person 1: jointPositions are of a person in millimetres; expected metres",
    with_another_order_of_joints: "person 1: .*; expected SMPL's order of 24 joints",
    with_joints_apart: r"person 1: jointPositions is .* \(24, 24, 3\) .* of \(frames, 72\)",
    with_2d_the_other_way_round: r"poses2d is an array of \(24, 18, 3\) .* \(frames, 3, 18\)",
    with_25_keypoints: r"person 1: poses2d is an array of \(24, 3, 25\)",
    on_a_screen: "person 1: poses2d are screen coordinates; expected pixels",
    with_poses_of_the_camera_in_the_world: "person 0: .*(behind the camera|other way round)",
    with_people_behind_the_camera: "is behind the camera; cam_poses must map the world to the",
    with_people_mostly_behind_the_camera: "is behind the camera; cam_poses must map",
    with_mirroring_camera_poses: "cam_poses are no rotations and translations",
    with_camera_poses_that_scale: "cam_poses are no rotations and translations",
    with_people_exchanged: r"person 0: poses2d lie \d.\d body lengths .* another person's",
    with_sides_exchanged: "person 0: left and right are exchanged between poses2d and jointPos",
    with_a_normalised_camera: r"cam_intrinsics has focal lengths \[2\.0.*\]; expected pixels",
    without_intrinsics: r"a 3DPW sequence \(jointPositions\), without cam_intrinsics; expected",
    with_one_persons_marks: "are a list of 2, a list of 2, a list of 1; expected lists, an array",
    with_half_the_frames: "9 frames of poses2d, 24 of jointPositions, .* do not belong together",
}


@pytest.mark.parametrize("spoil", WRONG)
def test_a_sequence_is_refused_that_is(tmp_path, content, spoil):
    spoilt = copy.deepcopy(content)
    spoil(spoilt)
    path = write_sequence(tmp_path / "sequenceFiles" / "test" / "a_00.pkl", spoilt)
    with pytest.raises(InputError, match=WRONG[spoil]) as error:
        open_3dpw(tmp_path, USUAL)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert check(tmp_path, USUAL)


def test_opening_looks_at_one_sequence_and_the_others_when_their_turn_comes(tmp_path, content):
    write_sequence(tmp_path / "test" / "a_00.pkl", content)
    spoilt = copy.deepcopy(content)
    in_millimetres(spoilt)
    write_sequence(tmp_path / "test" / "b_00.pkl", spoilt)
    clips = open_3dpw(tmp_path, USUAL).clips("test")
    assert [next(clips).name, next(clips).name] == ["a_00/0", "a_00/1"]
    with pytest.raises(InputError, match=r"b_00\.pkl: person 1: jointPositions"):
        next(clips)


def test_check_lists_all_that_is_wrong(tmp_path, content):
    spoilt = copy.deepcopy(content)
    in_millimetres(spoilt)
    spoilt["poses2d"][0] = np.zeros((24, 3, 25))
    write_sequence(tmp_path / "test" / "a_00.pkl", spoilt)
    write_sequence(tmp_path / "test" / "b_00.pkl", {"poses": []})
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "c_00.pkl").write_bytes(b"half of a download")
    lines = check(tmp_path, USUAL)
    assert len(lines) == 4
    assert sum("a_00.pkl" in line for line in lines) == 2


def test_a_sound_folder_gives_nothing_to_complain_about(made):
    assert check(made[0], USUAL) == []


def test_there_is_no_other_2d(made):
    with pytest.raises(UnknownNameError, match="no 2D keypoints 'gt'"):
        open_3dpw(made[0], DatasetOptions(keypoints="gt"))


def test_what_is_not_there_is_asked_for(tmp_path):
    (tmp_path / "imageFiles").mkdir()
    with pytest.raises(InputError, match=r"sequenceFiles\.zip; imageFiles alone will not do"):
        open_3dpw(tmp_path, USUAL)
    assert len(check(tmp_path, USUAL)) == 1
    with pytest.raises(InputError, match="this is no file; expected the folder with 3DPW's"):
        open_3dpw(tmp_path / "nowhere", USUAL)


@pytest.mark.parametrize(
    ("name", "write", "told"),
    [
        (
            "mesh_det_pw3d.pkl",
            lambda path: path.write_bytes(
                pickle.dumps({"train": {"joint_2d": np.zeros(3), "smpl_pose": np.zeros(3)}})
            ),
            "MotionBERT's mesh pickle",
        ),
        (
            "test_3dpw.npz",
            lambda path: np.savez(path, pose3d=np.zeros(3), pose2d=np.zeros(3)),
            "PoseAug's test npz",
        ),
    ],
)
def test_other_forms_of_the_data_set_are_called_by_their_names(tmp_path, name, write, told):
    write(tmp_path / name)
    with pytest.raises(InputError, match=told):
        open_3dpw(tmp_path / name, USUAL)
