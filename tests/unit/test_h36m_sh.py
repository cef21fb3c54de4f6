"""Human3.6M in MotionBERT's pickle."""

from __future__ import annotations

import copy
import zipfile

import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError
from pose3d_cli.learn.clip import DATASETS, Dataset, DatasetOptions
from pose3d_cli.learn.datasets.h36m_sh import check, open_h36m_sh
from pose3d_cli.learn.h36m_sh_checks import difference
from pose3d_cli.learn.h36m_sh_file import action_name, source_of
from pose3d_cli.pose.camera import camera_to_pixels, pixels_to_screen
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures import h36m as mini

USUAL = DatasetOptions()
BLOCKED = "s_09_act_05_subact_02"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return mini.write_sh(tmp_path_factory.mktemp("sh"))


@pytest.fixture(scope="module")
def dataset(path):
    return open_h36m_sh(path, USUAL)


@pytest.fixture(scope="module")
def whole():
    return mini.sh_contents()


@pytest.fixture
def contents(whole):
    """What the file holds, to be spoilt."""
    return copy.deepcopy(whole)


def clip_called(dataset, name, split="test"):
    return next(clip for clip in dataset.clips(split) if clip.name == name)


def test_it_is_a_dataset_on_offer(dataset):
    entry = DATASETS.get("h36m-sh")
    assert entry.open is open_h36m_sh
    assert entry.protocols == ("motionbert",)
    assert entry.keypoints[0] == "sh"
    assert isinstance(dataset, Dataset)


def test_a_sound_file_has_no_findings(path):
    assert check(path, USUAL) == []


def test_a_video_is_a_run_of_one_source_and_is_called_by_it(dataset):
    for split, suffix in (("train", "cam"), ("test", "ca")):
        wanted = {
            f"{sequence}_{suffix}_{at:02d}": frames
            for sequence, frames in mini.SEQUENCES[split].items()
            for at in range(1, 5)
        }
        clips = list(dataset.clips(split))
        assert {clip.name: len(clip) for clip in clips} == wanted
        assert [clip.name for clip in clips] == list(wanted)
        assert [clip.name for clip in dataset.clips(split)] == list(wanted)
        assert {clip.take for clip in clips} == set(mini.SEQUENCES[split])
    with pytest.raises(SettingsError, match="--split val: MotionBERT's pickle has train and test"):
        next(dataset.clips("val"))


def test_blocked_sources_are_there_for_the_protocol_to_leave_out(dataset):
    names = [clip.name for clip in dataset.clips("test") if clip.name.startswith(BLOCKED)]
    assert names == [f"{BLOCKED}_ca_{at:02d}" for at in range(1, 5)]


@pytest.mark.parametrize(
    "name", ["s_09_act_05_subact_02_ca_01", "s_09_act_05_subact_02_cam_XX", BLOCKED]
)
def test_a_source_says_subject_and_action_with_either_suffix_or_none(name):
    source = source_of(name)
    assert (source.sequence, source.subject, source.action_id) == (BLOCKED, "S9", 5)


def test_a_source_of_another_kind_is_left_as_it_is():
    source = source_of("somebody_dances")
    assert (source.sequence, source.subject, source.action_id) == ("somebody_dances", "", 0)


@pytest.mark.parametrize(
    ("key", "source", "name"),
    [
        (5, "s_09_act_05_subact_02_ca_01", "Greeting"),
        (np.int64(13), "s_09_act_13_subact_01_ca_01", "Waiting"),
        ("14", "s_09_act_14_subact_01_ca_01", "Walking"),
        ("16", "elsewhere", "WalkTogether"),
        ("Photo", "s_09_act_12_subact_01_ca_01", "Photo"),
        # A count of its own, which is not LCN's: opaque.
        (3, "s_09_act_05_subact_02_ca_01", "3"),
        (0, "s_09_act_02_subact_02_ca_01", "0"),
        (17, "elsewhere", "17"),
        (None, "s_01_act_12_subact_01_cam_02", "Photo"),
        (None, "elsewhere", ""),
    ],
)
def test_an_actions_key_is_opaque_unless_it_is_the_sources_number(key, source, name):
    assert action_name(key, source_of(source)) == name


def test_a_clip_knows_who_does_what_in_which_camera(dataset):
    clip = clip_called(dataset, "s_11_act_15_subact_01_ca_02")
    assert (clip.subject, clip.action, clip.take) == ("S11", "WalkDog", "s_11_act_15_subact_01")
    assert clip.keypoints.fps == clip.truth.fps == 50
    sizes = [c.keypoints.image_size for c in dataset.clips("test")][:4]
    assert sizes == [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]
    assert clip.camera.image_size == clip.keypoints.image_size == (1000, 1000)
    assert clip.screen_width == 1000
    assert clip.is_counted.all()


def test_truth_of_the_test_split_is_millimetres_made_metres(dataset, contents):
    start = 0
    for clip in dataset.clips("test"):
        rows = contents["test"]["joints_2.5d_image"][start : start + len(clip)]
        assert clip.truth.is_metric
        assert clip.truth.frame == "root"
        np.testing.assert_allclose(clip.truth.xyz, (rows - rows[:, :1]) / 1000, atol=1e-6)
        start += len(clip)
    reach = np.ptp(clip.truth.xyz, axis=1).max(-1)
    assert 0.5 < np.median(reach) < 2.5


def test_a_label_in_screen_units_becomes_metres_frame_by_frame(dataset, contents):
    """What a network of this family learns, denormalised as its evaluation does it."""
    start = 0
    for clip in dataset.clips("test"):
        label = contents["test"]["joint3d_image"][start : start + len(clip)].astype(np.float64)
        size = clip.keypoints.image_size
        label[..., :2] = pixels_to_screen(label[..., :2], size, width=clip.screen_width)
        label[..., 2] *= 2 / clip.screen_width
        label -= label[:, :1]
        metres = label * clip.metres_per_unit[:, None, None]
        np.testing.assert_allclose(metres, clip.truth.xyz, atol=1e-4)
        start += len(clip)
    assert 1.5 < clip.metres_per_unit.mean() < 3


def test_truth_of_the_training_split_is_in_units_of_the_screen(dataset, contents):
    clip = next(dataset.clips("train"))
    assert not clip.truth.is_metric
    assert clip.truth.frame == "root"
    assert clip.metres_per_unit is None
    image = contents["train"]["joint3d_image"][: len(clip)].astype(np.float64)
    np.testing.assert_allclose(clip.truth.xyz, (image - image[:, :1]) / 500, atol=1e-6)
    assert clip.action == "Directions"


def test_a_training_split_that_tells_millimetres_gives_metres(tmp_path, contents):
    contents["train"] = mini.sh_split("test", mini.SEQUENCES["train"])
    dataset = open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)
    clip = next(dataset.clips("train"))
    assert clip.truth.is_metric
    assert len(clip.metres_per_unit) == len(clip)
    assert all(frames.is_metric for frames in dataset.splits.values())


def test_a_walker_in_the_camera_is_where_the_detections_are(dataset):
    """Depth is lost in scaled-image space, but pixels are pixels."""
    for clip in dataset.clips("test"):
        motion = mini.world(clip.subject, clip.take, len(clip))
        at = ("54138969", "55011271", "58860488", "60457274")[int(clip.name[-1]) - 1]
        seen = camera_to_pixels(mini.world_to_camera(motion, clip.subject, at), clip.camera)
        off = np.abs(seen - clip.keypoints.xy)
        assert np.median(off) < 5
        assert off.max() < 25


def test_confidence_is_the_files_own_in_either_shape(tmp_path, dataset, contents):
    wanted = contents["test"]["confidence"][:31, :, 0]
    np.testing.assert_array_equal(next(dataset.clips("test")).keypoints.score, wanted)
    contents["test"]["confidence"] = contents["test"]["confidence"][..., 0]
    flat = open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)
    np.testing.assert_array_equal(next(flat.clips("test")).keypoints.score, wanted)
    assert len(np.unique(wanted)) > 100


def test_without_confidence_the_score_is_one(tmp_path, contents):
    for split in contents.values():
        del split["confidence"]
    dataset = open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)
    assert all((clip.keypoints.score == 1).all() for clip in dataset.clips("test"))


def test_only_x_and_y_are_taken_of_keypoints_with_a_third_number(tmp_path, dataset, contents):
    test = contents["test"]
    test["joint_2d"] = np.concatenate([test["joint_2d"], test["confidence"]], -1)
    three = open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)
    found, wanted = (next(d.clips("test")).keypoints.xy for d in (three, dataset))
    np.testing.assert_array_equal(found, wanted)


def test_true_2d_is_the_labels_and_its_camera_has_no_lens(path, contents):
    clip = next(open_h36m_sh(path, DatasetOptions(keypoints="gt")).clips("test"))
    wanted = contents["test"]["joint3d_image"][: len(clip), :, :2]
    np.testing.assert_array_equal(clip.keypoints.xy, wanted)
    assert (clip.keypoints.score == 1).all()
    assert not clip.camera.distortion.any()
    with pytest.raises(UnknownNameError, match="no 2D keypoints 'cpn'"):
        open_h36m_sh(path, DatasetOptions(keypoints="cpn"))


def test_words_may_be_lists_bytes_or_objects_and_numbers_lists(tmp_path, dataset, contents):
    test = contents["test"]
    test["camera_name"] = test["camera_name"].astype(bytes)
    test["source"] = list(map(str, test["source"]))
    test["action"] = test["action"].astype(str).astype(object)
    test["2.5d_factor"] = test["2.5d_factor"].tolist()
    test["joint_2d"] = test["joint_2d"].astype(np.float64)
    other = open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents, protocol=2), USUAL)
    for found, wanted in zip(other.clips("test"), dataset.clips("test"), strict=True):
        assert (found.name, found.action) == (wanted.name, wanted.action)
        np.testing.assert_array_equal(found.keypoints.xy, wanted.keypoints.xy)
        np.testing.assert_array_equal(found.metres_per_unit, wanted.metres_per_unit)


def difference_in(path, contents):
    return difference(open_h36m_sh(mini.save_sh(path, contents), USUAL).splits["test"])


def test_the_difference_of_the_two_truths_is_measured(tmp_path, dataset, contents):
    assert difference(dataset.splits["test"]).max_mm < 0.01
    contents["test"]["joints_2.5d_image"][5, 3, 2] += 34.0
    moved = difference_in(tmp_path / "a.pkl", contents)
    n = len(contents["test"]["source"])
    assert moved.frames == n
    assert moved.max_mm == pytest.approx(34, abs=0.01)
    assert moved.mean_mm == pytest.approx(34 / (17 * n), abs=0.001)
    assert "34 mm at most" in moved.in_words()
    # Where the whole person is put is no difference.
    contents["test"]["joints_2.5d_image"][7] += 1000
    again = difference_in(tmp_path / "b.pkl", contents)
    assert again.max_mm == pytest.approx(34, abs=0.01)


def test_a_folder_or_a_zip_holds_it_too(tmp_path, path):
    assert len(list(open_h36m_sh(path.parent, USUAL).clips("test"))) == 12
    zipped = tmp_path / f"{path.name}.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    for given in (zipped, tmp_path):
        assert len(list(open_h36m_sh(given, USUAL).clips("test"))) == 12
    other = tmp_path / "one"
    other.mkdir()
    (other / "mine.pkl").write_bytes(path.read_bytes())
    assert check(other, USUAL) == []
    (other / "second.pkl").write_bytes(b"")
    assert "2 pickles here; expected h36m_sh_conf_cam_source_final.pkl" in check(other, USUAL)[0]
    assert "no such file or folder" in check(other / "nowhere", USUAL)[0]


def test_the_file_is_read_once(tmp_path, path):
    mine = tmp_path / "mine.pkl"
    mine.write_bytes(path.read_bytes())
    dataset = open_h36m_sh(mine, USUAL)
    mine.unlink()
    assert len(list(dataset.clips("train"))) == 8


def set_to(key, change, split="test"):
    def spoil(contents):
        contents[split][key] = change(contents[split][key])

    return spoil


def without(key, split="test"):
    return lambda contents: contents[split].pop(key)


def first(value):
    """Set the first frame of an array to a value."""

    def change(array):
        array = array.copy()
        array[0] = value
        return array

    return change


def camera_space(image):
    return image + np.array([0, 0, 1000])


def moved(xy):
    return xy + 300


FAULTS = {
    "pixels": (set_to("joint_2d", lambda xy: xy / 500 - 1), "test: joint_2d is in screen coord"),
    "label": (set_to("joint3d_image", lambda xyz: xyz / 500 - 1), "joint3d_image is in screen"),
    "depth": (set_to("joint3d_image", camera_space), "the pelvis 1000 deep; expected 0"),
    "metres": (set_to("joints_2.5d_image", lambda mm: mm / 1000), "2.5d_image is in metres; exp"),
    "no unit": (set_to("joints_2.5d_image", lambda mm: mm * 100), "of people .* long; expected m"),
    "factor": (set_to("2.5d_factor", lambda mm: mm / 1000), r"2.5d_factor \(median 0.00.*3 to 7"),
    "order": (
        set_to("joint3d_image", lambda xyz: np.roll(xyz, 3, axis=1) * [1, 1, 0]),
        "joint3d_image: what should be the pelvis does not lie between",
    ),
    "sides": (set_to("joint_2d", lambda xy: xy[:, H36M17.mirror]), "left and right are exchanged"),
    "pair": (set_to("joint_2d", moved), r"joint_2d lies 42\d px \(median\) from joint3d_image"),
    "16 joints": (
        set_to("joint_2d", lambda xy: xy[:, :16]),
        r"test/joint_2d: an array of \(444, 16, 2\) .* numbers of \(frames, 17, 2\) or \(",
    ),
    "ragged": (set_to("2.5d_factor", lambda _: [1.0, [2.0]]), "a list of 2; expected numbers of"),
    "hole": (set_to("joint_2d", first(np.nan)), "test/joint_2d: values that are no numbers"),
    "length": (set_to("source", lambda names: names[:-1]), "lengths: joint_2d 444, .* 443"),
    "percent": (set_to("confidence", lambda score: score * 100), "confidence up to .*; expected 0"),
    "camera": (set_to("camera_name", first("ca_01")), "test/s_09.*: camera 'ca_01'; known are"),
    "cameras": (set_to("camera_name", first("55011271")), "camera_name changes within a video"),
    "actions": (set_to("action", first(9)), "action changes within a video"),
    "parted": (
        set_to("source", lambda names: np.where(np.arange(444) == 440, names[0], names)),
        "frames of one video are not all in one place",
    ),
    "words": (set_to("source", lambda names: np.ones(len(names))), "expected a word or a whole"),
    "no key": (without("2.5d_factor"), "test: no 2.5d_factor"),
    "no source": (without("source", "train"), "train: no source"),
    "no split": (lambda contents: contents.pop("train"), "no split 'train'; expected a dictionary"),
    "empty": (lambda c: c.update(train={k: v[:0] for k, v in c["train"].items()}), "train: no f"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_file_is_refused_in_words(tmp_path, contents, spoil, message):
    spoil(contents)
    with pytest.raises(InputError, match=rf"a\.pkl: .*{message}"):
        open_h36m_sh(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)


def test_checking_finds_all(tmp_path, contents):
    del contents["train"]["source"]
    contents["test"]["joints_2.5d_image"] /= 1000
    contents["test"]["joint_2d"] = contents["test"]["joint_2d"][:, H36M17.mirror]
    lines = check(mini.save_sh(tmp_path / "a.pkl", contents), USUAL)
    assert len(lines) == 3
    assert "train: no source" in lines[0]


def test_other_files_of_the_field_are_called_by_name(tmp_path):
    mini.write_videopose3d(tmp_path, ("gt",), {"Photo": 3})
    with pytest.raises(
        InputError, match=r"this is VideoPose3D's 3D npz .*expected MotionBERT's SH"
    ):
        open_h36m_sh(tmp_path / "data_3d_h36m.npz", USUAL)
    with pytest.raises(InputError, match=r"no pickle here; expected h36m_sh_conf_cam_source_final"):
        open_h36m_sh(tmp_path, USUAL)
    window = {"data_input": np.zeros((243, 17, 3)), "data_label": np.zeros((243, 17, 3))}
    with pytest.raises(InputError, match=r"this is one window .*data_input"):
        open_h36m_sh(mini.save_sh(tmp_path / "00000001.pkl", window), USUAL)
    with pytest.raises(InputError, match=r"this is a pickle with some; expected MotionBERT's"):
        open_h36m_sh(mini.save_sh(tmp_path / "list.pkl", ["some"]), USUAL)
