"""Human3.6M in VideoPose3D's files."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError
from pose3d_cli.learn import h36m_cameras
from pose3d_cli.learn.clip import DATASETS, Dataset, DatasetOptions
from pose3d_cli.learn.datasets.h36m import check, open_h36m
from pose3d_cli.learn.h36m_npz import ACTIONS, trial_name
from pose3d_cli.pose.camera import camera_to_pixels
from pose3d_cli.pose.dataset_joints import MPII16
from pose3d_cli.pose.skeleton import COCO17, H36M17
from tests.miniatures import h36m as mini

FEW = {"Directions": 9, "Directions 1": 7, "Photo": 8}
ALL_2D = ("cpn_ft_h36m_dbb", "gt", "sh_ft_h36m", "sh_pt_mpii", "detectron_pt_coco",
          "detectron_ft_h36m")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return mini.write_videopose3d(tmp_path_factory.mktemp("h36m"), ALL_2D)


@pytest.fixture(scope="module")
def true_2d(folder):
    return open_h36m(folder, DatasetOptions(keypoints="gt"))


def clip_called(dataset, name, split="test"):
    return next(clip for clip in dataset.clips(split) if clip.name == name)


def turned_back(xyz, wxyz):
    """Vectors turned by the inverse of a quaternion, by the formula with cross products."""
    w, u = wxyz[0], -np.array(wxyz[1:])
    return xyz + 2 * np.cross(u, np.cross(u, xyz) + w * xyz)


@pytest.mark.parametrize("camera_id", h36m_cameras.CAMERAS)
@pytest.mark.parametrize("subject", ["S1", "S11"])
def test_points_of_the_world_come_to_the_axes_of_the_camera(subject, camera_id):
    wxyz, place_mm = h36m_cameras._PLACES[subject][h36m_cameras.CAMERAS.index(camera_id)]
    points = np.random.default_rng(0).normal(0, 2, (5, 3))
    found = h36m_cameras.world_to_camera(points, subject, camera_id)
    np.testing.assert_allclose(
        found, turned_back(points - np.array(place_mm) / 1000, wxyz), atol=1e-5
    )


@pytest.mark.parametrize("camera_id", h36m_cameras.CAMERAS)
@pytest.mark.parametrize("subject", h36m_cameras.SUBJECTS)
def test_cameras_look_at_the_middle_of_the_room_the_right_way_up(subject, camera_id):
    middle = np.array([[0, 0, 0.0], [0, 0, 1.8]])
    feet, head = h36m_cameras.world_to_camera(middle, subject, camera_id)
    assert 4 < feet[2] < 6.5
    pixels = camera_to_pixels(np.stack([feet, head]), h36m_cameras.camera(camera_id))
    assert (np.abs(pixels - 500) < 400).all()
    assert pixels[1, 1] < pixels[0, 1] - 250


def test_cameras_have_their_own_pictures_and_opencvs_order_of_coefficients():
    sizes = [h36m_cameras.image_size(camera_id) for camera_id in h36m_cameras.CAMERAS]
    assert sizes == [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]
    first = h36m_cameras.camera("54138969")
    np.testing.assert_allclose(first.distortion[2:4], [-0.000975698873, -0.00142447161])
    np.testing.assert_allclose(
        first.distortion[[0, 1, 4]], [-0.2070989, 0.2477752, -0.0030752], atol=1e-7
    )


def test_the_published_projection_is_opencvs_to_a_pixel_where_people_are():
    across = np.linspace(-0.3, 0.3, 21)
    rays = np.stack([*np.meshgrid(across, across), np.ones((21, 21))], -1)
    rays = rays[np.hypot(rays[..., 0], rays[..., 1]) < 0.3]
    for camera_id in h36m_cameras.CAMERAS:
        ours = camera_to_pixels(rays, h36m_cameras.camera(camera_id))
        off = np.linalg.norm(ours - mini.published_projection(rays, camera_id), axis=-1)
        assert 0.05 < off.mean() < 0.35
        assert off.max() < 0.95


def test_it_is_a_dataset_on_offer():
    entry = DATASETS.get("h36m")
    assert entry.open is open_h36m
    assert entry.protocols == ("videopose3d",)
    assert entry.keypoints[0] == "cpn"


@pytest.mark.parametrize("keypoints", ["", "gt", "sh", "detectron", *ALL_2D])
def test_sound_files_have_no_findings_and_give_every_clip(folder, keypoints):
    options = DatasetOptions(keypoints=keypoints)
    assert check(folder, options) == []
    dataset = open_h36m(folder, options)
    assert isinstance(dataset, Dataset)
    assert [sum(1 for _ in dataset.clips(split)) for split in ("train", "test")] == [100, 36]


def test_clips_come_by_subject_action_trial_and_camera_whatever_the_files_order(tmp_path):
    def upside_down(positions):
        return {s: dict(reversed(trials.items())) for s, trials in reversed(positions.items())}

    trials = {"Walking": 5, "Photo 10": 5, "Photo 2": 5, "Directions": 5, "Directions 1": 5}
    mini.save_3d(tmp_path, upside_down(mini.positions_3d(trials)))
    mini.save_2d(tmp_path, "gt", upside_down(mini.positions_2d("gt", trials)))
    dataset = open_h36m(tmp_path, DatasetOptions(keypoints="gt"))
    names = [clip.name for clip in dataset.clips("test")]
    assert names == [clip.name for clip in dataset.clips("test")]
    assert names[:5] == [
        "S9/Directions/54138969",
        "S9/Directions/55011271",
        "S9/Directions/58860488",
        "S9/Directions/60457274",
        "S9/Directions 1/54138969",
    ]
    s11 = list(dict.fromkeys(name.split("/")[1] for name in names if name.startswith("S11")))
    assert s11 == ["Directions 1", "Photo 2", "Photo 10", "Walking"]


def test_each_split_has_its_subjects_and_there_is_no_other(true_2d):
    def who(split):
        return list(dict.fromkeys(clip.subject for clip in true_2d.clips(split)))

    assert who("train") == ["S1", "S5", "S6", "S7", "S8"]
    assert who("test") == ["S9", "S11"]
    with pytest.raises(SettingsError, match=r"--split val: Human3.6M has train \(S1, .* only"):
        next(true_2d.clips("val"))


def test_an_action_is_called_without_its_number_and_a_take_without_its_camera(true_2d):
    clip = clip_called(true_2d, "S9/WalkTogether 2/60457274")
    assert (clip.subject, clip.action) == ("S9", "WalkTogether")
    assert clip.take == "S9/WalkTogether 2"


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("TakingPhoto", "Photo"),
        ("TakingPhoto 1", "Photo 1"),
        ("WalkingDog_2", "WalkDog 2"),
        ("Walking 1", "Walking 1"),
        ("Directions 0", "Directions"),
        ("_ALL", None),
        ("Photo 1 of 2", None),
    ],
)
def test_trials_are_called_alike_however_the_files_spell_them(spelt, name):
    assert trial_name(spelt) == name


def test_the_two_files_may_spell_a_trial_differently(tmp_path):
    trials = {"Photo 1": 6, "WalkDog": 5}
    mini.save_3d(tmp_path, mini.positions_3d(trials))
    spelt = {
        subject: {"TakingPhoto 1": own["Photo 1"], "WalkingDog": own["WalkDog"]}
        for subject, own in mini.positions_2d("gt", trials).items()
    }
    mini.save_2d(tmp_path, "gt", spelt)
    dataset = open_h36m(tmp_path, DatasetOptions(keypoints="gt"))
    assert {clip.action for clip in dataset.clips("test")} == {"Photo", "WalkDog"}
    assert set(ACTIONS) > {"Photo", "WalkDog"}


@pytest.mark.parametrize("corrupt", ["Directions", "Directions 0"])
def test_s11_has_no_corrupt_directions_even_if_the_files_have_it(tmp_path, corrupt):
    motion, seen = mini.positions_3d(FEW), mini.positions_2d("gt", FEW)
    motion["S11"][corrupt] = motion["S11"]["Photo"]
    seen["S11"][corrupt] = seen["S11"]["Photo"]
    mini.save_3d(tmp_path, motion)
    mini.save_2d(tmp_path, "gt", seen)
    dataset = open_h36m(tmp_path, DatasetOptions(keypoints="gt"))
    takes = list(dict.fromkeys(clip.take for clip in dataset.clips("test")))
    assert takes == [
        "S9/Directions", "S9/Directions 1", "S9/Photo", "S11/Directions 1", "S11/Photo",
    ]  # fmt: skip


def test_a_corrupt_trial_that_cannot_be_told_is_an_error(tmp_path):
    motion = mini.positions_3d(FEW)
    motion["S11"]["Directions 2"] = motion["S11"]["Photo"]
    mini.save_3d(tmp_path, motion)
    mini.save_2d(tmp_path, "gt", mini.positions_2d("gt", FEW))
    with pytest.raises(InputError, match="S11: trials Directions 1 and Directions 2, of which one"):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


def test_truth_is_the_right_17_joints_in_metres_in_the_cameras_axes(folder, true_2d):
    raw = np.load(folder / "data_3d_h36m.npz", allow_pickle=True)["positions_3d"].item()
    clip = clip_called(true_2d, "S9/Photo 1/55011271")
    assert clip.truth.frame == "camera"
    assert clip.truth.is_metric
    assert clip.truth.fps == clip.keypoints.fps == 50
    place_of_32 = {"pelvis": 0, "right_knee": 2, "left_hip": 6, "left_ankle": 8, "thorax": 13,
                   "nose": 14, "head": 15, "left_wrist": 19, "right_shoulder": 25}  # fmt: skip
    wxyz, place_mm = h36m_cameras._PLACES["S9"][1]
    for joint, place in place_of_32.items():
        world = raw["S9"]["Photo 1"][:, place] - np.array(place_mm) / 1000
        found = clip.truth.xyz[:, H36M17.index(joint)]
        np.testing.assert_allclose(found, turned_back(world, wxyz), atol=1e-5)
    assert 3 < np.median(clip.truth.xyz[..., 2]) < 8


def test_keypoints_are_where_the_truth_is_seen_and_know_their_camera(true_2d):
    for clip in true_2d.clips("test"):
        seen = camera_to_pixels(clip.truth.xyz, clip.camera)
        assert np.abs(seen - clip.keypoints.xy).max() < 2
        camera_id = clip.name.split("/")[2]
        assert clip.keypoints.image_size == h36m_cameras.image_size(camera_id)
        assert clip.camera.image_size == clip.keypoints.image_size
        assert clip.screen_width == 1000
        assert clip.metres_per_unit is None
        assert clip.is_counted.all()


def test_detections_longer_than_the_motion_are_cut_to_it(folder):
    raw = np.load(folder / "data_2d_h36m_cpn_ft_h36m_dbb.npz", allow_pickle=True)
    longer = raw["positions_2d"].item()["S9"]["Directions"]
    assert [len(xy) for xy in longer] == [40, 41, 42, 43]
    clip = clip_called(open_h36m(folder, DatasetOptions()), "S9/Directions/60457274")
    assert len(clip) == 40
    np.testing.assert_array_equal(clip.keypoints.xy, longer[3][:40])


def test_detections_shorter_than_the_motion_are_an_error_with_both_lengths(tmp_path):
    seen = mini.positions_2d("gt", FEW)
    seen["S9"]["Photo"][2] = seen["S9"]["Photo"][2][:-1]
    mini.save_3d(tmp_path, mini.positions_3d(FEW))
    mini.save_2d(tmp_path, "gt", seen)
    with pytest.raises(
        InputError,
        match=r"S9/Photo/58860488: 7 frames of 2D keypoints, but 8 frames of motion",
    ):
        open_h36m(tmp_path, DatasetOptions(keypoints="gt"))


@pytest.mark.parametrize("keypoints", ["cpn", "gt", "detectron"])
def test_keypoints_without_confidence_get_a_score_of_one(folder, keypoints):
    clip = next(open_h36m(folder, DatasetOptions(keypoints=keypoints)).clips("test"))
    assert (clip.keypoints.score == 1).all()


def test_hourglass_keypoints_come_by_name_and_what_they_lack_is_not_measured(folder):
    clip = next(open_h36m(folder, DatasetOptions(keypoints="sh")).clips("test"))
    nose = H36M17.index("nose")
    assert np.isnan(clip.keypoints.xy[:, nose]).all()
    assert np.isnan(clip.truth.xyz[:, nose]).all()
    rest = [place for place in range(17) if place != nose]
    assert np.isfinite(clip.truth.xyz[:, rest]).all()
    assert (clip.keypoints.score[:, rest] == 1).all()
    assert (clip.keypoints.score[:, nose] == 0).all()
    seen = camera_to_pixels(clip.truth.xyz, clip.camera)
    own = [H36M17.index(joint) for joint in MPII16 if joint != "neck"]
    assert np.abs(seen - clip.keypoints.xy)[:, own].max() < 25


def test_a_joint_that_a_detector_missed_is_still_measured(tmp_path):
    seen = mini.positions_2d("gt", FEW)
    seen["S9"]["Directions"][0][:, H36M17.index("left_wrist")] = np.nan
    mini.save_3d(tmp_path, mini.positions_3d(FEW))
    mini.save_2d(tmp_path, "gt", seen)
    clip = next(open_h36m(tmp_path, DatasetOptions(keypoints="gt")).clips("test"))
    wrist = H36M17.index("left_wrist")
    assert (clip.keypoints.score[:, wrist] == 0).all()
    assert np.isfinite(clip.truth.xyz).all()


def test_coco_keypoints_come_by_name(folder):
    clip = next(open_h36m(folder, DatasetOptions(keypoints="detectron_pt_coco")).clips("test"))
    assert np.isfinite(clip.truth.xyz).all()
    seen = camera_to_pixels(clip.truth.xyz, clip.camera)
    own = [H36M17.index(joint) for joint in COCO17.joints if joint in H36M17.joints]
    assert len(own) == 13
    assert np.abs(seen - clip.keypoints.xy)[:, own].max() < 25


def test_the_3d_file_may_be_named_itself_and_files_are_read_once(tmp_path):
    mini.write_videopose3d(tmp_path, ("gt",), FEW)
    motion = (tmp_path / "data_3d_h36m.npz").rename(tmp_path / "mine.npz")
    dataset = open_h36m(motion, DatasetOptions(keypoints="data_2d_h36m_gt.npz"))
    for file in tmp_path.iterdir():
        file.unlink()
    assert sum(1 for _ in dataset.clips("test")) == 20


def test_keypoints_that_are_not_there_are_answered_with_those_that_are(tmp_path):
    mini.write_videopose3d(tmp_path, ("gt", "sh_pt_mpii"), FEW)
    with pytest.raises(
        InputError, match=r"no data_2d_h36m_cpn_ft_h36m_dbb\.npz.*'cpn'; there are: gt, sh_pt_mpii"
    ):
        open_h36m(tmp_path, DatasetOptions())
    with pytest.raises(UnknownNameError, match=r"'detectrn'; did you mean 'detectron'.*are: gt"):
        open_h36m(tmp_path, DatasetOptions(keypoints="detectrn"))


def test_a_path_without_the_files_says_what_is_there(tmp_path):
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        open_h36m(tmp_path / "nowhere", DatasetOptions())
    with pytest.raises(InputError, match=r"no data_3d_h36m\.npz here \(the folder is empty\)"):
        open_h36m(tmp_path, DatasetOptions())
    mini.write_sh(tmp_path)
    with pytest.raises(InputError, match=r"here \(there are h36m_sh_conf_cam_source_final\.pkl\)"):
        open_h36m(tmp_path, DatasetOptions())
