"""Raw data sets to the files that papers' scripts make of them: every number at its place."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pose3d_cli.errors import (
    InputError,
    MissingExtraError,
    OutputError,
    SettingsError,
    UnknownNameError,
)
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.convert.h36m_2d import project
from pose3d_cli.learn.convert.mpi_inf_3dhp import KEPT, TRAIN, read_test, read_train
from pose3d_cli.learn.convert.run import convert_folder
from pose3d_cli.learn.h36m_cameras import CAMERAS, world_to_camera
from tests.disk import no_file_longer_than
from tests.miniatures.h36m import TRIALS, published_projection, world
from tests.miniatures.mpi_inf_3dhp import Facts, make_train
from tests.miniatures.raw import (
    KEPT_28,
    KEPT_CAMERAS,
    all_28,
    raw_test,
    write_annot,
    write_cdf,
    write_hdf5,
    write_raw_h36m,
    write_raw_test,
    write_raw_train,
)

pytest.importorskip("cdflib")
pytest.importorskip("h5py")


class Told:
    """Keeps what is told of progress."""

    def __init__(self):
        self.stages, self.steps = [], 0

    def stage(self, name, total):
        self.stages.append((name, total))

    def advance(self):
        self.steps += 1


def convert(raw, output, **how):
    output.mkdir(parents=True, exist_ok=True)
    return convert_folder(raw, output, steps=Told(), **how)


def loaded(path, key):
    """Read a file as everybody's scripts do."""
    return np.load(path, allow_pickle=True)[key].item()


@pytest.fixture(scope="module")
def h36m(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h36m")
    trials = write_raw_h36m(folder / "raw")
    report = convert(folder / "raw", folder / "out")
    return folder, trials, report


@pytest.fixture(scope="module")
def dhp(tmp_path_factory):
    folder = tmp_path_factory.mktemp("3dhp")
    shots = write_raw_train(folder / "raw" / "mpi_inf_3dhp")
    test = write_raw_test(folder / "raw" / "mpi_inf_3dhp_test_set")
    report = convert(folder / "raw", folder / "out")
    return folder, shots, test, report


def test_h36m_motion_arrives_in_metres_under_the_names_of_papers(h36m):
    folder, trials, _ = h36m
    positions = loaded(folder / "out/data_3d_h36m.npz", "positions_3d")
    assert list(positions) == ["S1", "S5", "S6", "S7", "S8", "S9", "S11"]
    assert list(positions["S1"]) == list(TRIALS)  # Photo and WalkDog, and no _ALL
    raw = {"Photo 1": "TakingPhoto 1", "WalkDog": "WalkingDog"}
    n_seen = 0
    for subject, own in positions.items():
        for trial, xyz in own.items():
            assert xyz.dtype == np.float32
            expected = trials[subject, raw.get(trial, trial)].reshape(-1, 32, 3) / np.float32(1000)
            np.testing.assert_array_equal(xyz, expected)
            n_seen += 1
    assert n_seen == 7 * len(TRIALS) - 1


def test_h36m_leaves_out_the_corrupt_trial_and_says_what_else(h36m):
    folder, _, report = h36m
    positions = loaded(folder / "out/data_3d_h36m.npz", "positions_3d")
    assert "Directions" not in positions["S11"]
    assert "Directions 1" in positions["S11"]
    assert "Directions" in positions["S9"]
    assert list(report.skipped) == ["S1/_ALL 1", "S11/Directions"]
    assert "corrupt" in report.skipped["S11/Directions"]
    assert "all actions in one" in report.skipped["S1/_ALL 1"]
    assert report.done["S9/Photo 1"] == TRIALS["Photo 1"]
    assert [note for note in report.notes if note.startswith("S11: 4 trials")]
    assert "the whole data set has 29" in report.notes[-1]
    assert len(report.notes) == 7


def test_h36m_2d_has_the_form_and_metadata_of_the_published_file(h36m):
    folder = h36m[0]
    path = folder / "out/data_2d_h36m_gt.npz"
    assert loaded(path, "metadata") == {
        "num_joints": 17,
        "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    }
    cameras = loaded(path, "positions_2d")["S5"]["WalkTogether 2"]
    assert isinstance(cameras, list)
    assert [(xy.shape, xy.dtype) for xy in cameras] == [((55, 17, 2), np.float32)] * 4


# Calibration in the data set's own words: turn (w, x, y, z) and place (mm) of a camera in the
# world; focal length, centre, radial and tangential coefficients.
CALIBRATION = {
    ("S1", 0): (
        (0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088),
        (1841.1070556640625, 4955.28466796875, 1563.4454345703125),
        ((1145.0494384765625, 1143.7811279296875), (512.54150390625, 515.4514770507812)),
        (-0.20709891617298126, 0.24777518212795258, -0.0030751503072679043),
        (-0.0009756988729350269, -0.00142447161488235),
    ),
    ("S9", 2): (
        (0.13357827067375183, -0.1367100477218628, 0.7689454555511475, -0.6100738644599915),
        (-1670.9921875, 5211.98583984375, 1528.387939453125),
        ((1149.1407470703125, 1148.7989501953125), (519.8158569335938, 501.40264892578125)),
        (-0.2083381861448288, 0.25548800826072693, -0.0024604974314570427),
        (0.0014843869721516967, -0.0007599993259645998),
    ),
}


def turned_back(xyz, turn):
    """Rotate by the inverse of a quaternion, by its product formula."""
    w, v = turn[0], -np.array(turn[1:])
    cross = np.cross(np.broadcast_to(v, xyz.shape), xyz)
    return xyz + 2 * (w * cross + np.cross(np.broadcast_to(v, xyz.shape), cross))


@pytest.mark.parametrize(("subject", "place"), CALIBRATION)
def test_h36m_2d_is_the_published_projection_of_the_17_joints(h36m, subject, place):
    folder = h36m[0]
    xyz = loaded(folder / "out/data_3d_h36m.npz", "positions_3d")[subject]["Directions 1"]
    xy = loaded(folder / "out/data_2d_h36m_gt.npz", "positions_2d")[subject]["Directions 1"][place]
    turn, at, (focal, centre), (k1, k2, k3), p = CALIBRATION[subject, place]
    kept = xyz[:, [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]].astype(float)
    seen = turned_back(kept - np.array(at) / 1000, turn)
    u, v = seen[..., 0] / seen[..., 2], seen[..., 1] / seen[..., 2]
    r2 = u * u + v * v
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p[0] * u + p[1] * v
    expected = np.stack(
        [
            focal[0] * (u * factor + p[0] * r2) + centre[0],
            focal[1] * (v * factor + p[1] * r2) + centre[1],
        ],
        -1,
    )
    np.testing.assert_allclose(xy, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("camera_id", CAMERAS)
def test_projection_is_right_in_every_camera_and_holds_rays_within_one(camera_id):
    motion = world_to_camera(world("S6", "WalkDog", 8), "S6", camera_id)
    motion[0, 0] = (9.0, -9.0, 1.0)
    expected = published_projection(motion.astype(np.float64), camera_id)
    np.testing.assert_allclose(project(motion, camera_id), expected, rtol=1e-7, atol=1e-3)


def test_h36m_files_are_read_by_its_data_set(h36m):
    folder, _, report = h36m
    data = DATASETS.get("h36m").open(folder / "out", DatasetOptions(keypoints="gt"))
    clips = {clip.name: clip for clip in data.clips("test")}
    frames = 2 * sum(TRIALS.values()) - TRIALS["Directions"]
    assert report.splits["test"] == {"clips": 36, "frames": 4 * frames}
    assert report.splits["train"] == {"clips": 100, "frames": 20 * sum(TRIALS.values())}
    assert len(clips) == 36
    truth = world_to_camera(world("S11", "Directions 1", 12), "S11", CAMERAS[3])
    clip = clips[f"S11/Directions 1/{CAMERAS[3]}"]
    np.testing.assert_allclose(clip.truth.xyz, truth, rtol=0, atol=2e-6)


def test_the_joints_kept_of_28_are_those_of_papers():
    assert list(KEPT) == KEPT_28
    lengths = [6416, 12430, 6502, 6081, 12488, 12283, 6171, 6675]
    lengths += [12820, 12312, 6188, 6145, 6239, 6320, 6468, 6054]
    takes = [f"S{subject} Seq{sequence}" for subject in range(1, 9) for sequence in (1, 2)]
    fast = {"S1 Seq2", "S3 Seq1", "S3 Seq2", "S5 Seq1", "S5 Seq2"}
    assert {
        take: (length, 50 if take in fast else 25)
        for take, length in zip(takes, lengths, strict=True)
    } == TRAIN


def test_3dhp_training_numbers_arrive_at_their_joint_camera_and_frame(dhp):
    folder, shots, _, _ = dhp
    data = loaded(folder / "out/data_train_3dhp.npz", "data")
    assert list(data) == ["S8 Seq2"]
    cameras, fps = data["S8 Seq2"]
    assert fps == 25
    assert list(cameras) == [str(number) for number in KEPT_CAMERAS]
    for number, shot in cameras.items():
        assert list(shot) == ["data_2d", "data_3d"]
        for key, channels in (("data_2d", 2), ("data_3d", 3)):
            values = shot[key]
            assert values.dtype == np.float32
            assert values.shape == (6054, 17, channels)  # the videos' length, not the file's
            length = len(shots[number][key])
            np.testing.assert_array_equal(
                values[:length], shots[number][key].astype(np.float32), err_msg=number
            )


def test_3dhp_test_numbers_arrive_as_they_are(dhp):
    folder, _, test, report = dhp
    data = loaded(folder / "out/data_test_3dhp.npz", "data")
    assert list(data) == ["TS1", "TS2", "TS3", "TS4", "TS5", "TS6"]
    for name, shot in data.items():
        np.testing.assert_array_equal(shot["data_2d"], test[name]["data_2d"].astype(np.float32))
        np.testing.assert_array_equal(shot["data_3d"], test[name]["data_3d"].astype(np.float32))
        assert shot["data_3d"].dtype == np.float32
        np.testing.assert_array_equal(shot["valid"], test[name]["valid"])
    valid = int(test["TS5"]["valid"].sum())
    assert f"TS5: {valid} valid frames; the published test set has 276" in report.notes
    assert report.done["TS1"] == 60


def test_3dhp_files_are_read_by_its_data_set(dhp):
    folder, shots, _test, report = dhp
    data = DATASETS.get("3dhp").open(folder / "out", DatasetOptions())
    clip = next(clip for clip in data.clips("train") if clip.name == "S8 Seq2/7")
    pelvis = shots["7"]["data_3d"][:, 14] / 1000
    np.testing.assert_allclose(clip.truth.xyz[: len(pelvis), 0], pelvis, rtol=0, atol=1e-5)
    assert report.splits == {
        "train": {"clips": 8, "frames": 8 * 6054},
        "test": {"clips": 6, "frames": 360},
    }
    assert report.skipped["S1 Seq1"] == "not there"
    assert "S8 Seq2" not in report.skipped
    assert "train cameras 3 and 9 to 13" in report.skipped


def test_cameras_go_by_their_number_and_not_their_place(tmp_path):
    shots = make_train(Facts(), frames=8)["S1 Seq1"][0]
    path = write_annot(tmp_path / "annot.mat", shots, 8, numbers=[*range(13, -1, -1)])
    read = read_train(path, 5)
    for number in KEPT_CAMERAS:
        expected = shots[str(number)]["data_2d"][:5].astype(np.float32)
        np.testing.assert_array_equal(read[str(number)]["data_2d"], expected)


def test_a_training_file_that_is_not_whole_is_refused(tmp_path):
    shots = make_train(Facts(), frames=8)["S1 Seq1"][0]
    path = write_annot(tmp_path / "annot.mat", shots, 8)
    with pytest.raises(InputError, match=r"camera 0 has 8 frames; its videos have 6416"):
        read_train(path, 6416)
    whole = path.read_bytes()
    for share in (0.02, 0.3, 0.6, 0.9, 0.99):  # the last variable is one that is not read
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match="damaged"):
            read_train(path, 8)
    path.write_bytes(whole[:-3])
    with pytest.raises(InputError, match="3 bytes are missing at its end"):
        read_train(path, 8)
    write_annot(path, shots, 8, numbers=[*range(7), *range(20, 27)])
    with pytest.raises(InputError, match="expected 0, 1, 2, 4, 5, 6, 7, 8 among them"):
        read_train(path, 8)
    broad = {name: {key: np.ones((8, 17, 3)) for key in shot} for name, shot in shots.items()}
    write_annot(path, broad, 8)
    with pytest.raises(InputError, match=r"annot2 .* \(8, 84\).*expected .*\(frames, 56\)"):
        read_train(path, 8)
    write_hdf5(path, {"annot2": all_28(np.ones((2, 17, 2)), 2)})
    with pytest.raises(InputError, match=r"not a readable MATLAB file|version 7\.3"):
        read_train(path, 8)


def test_a_test_file_that_is_not_whole_is_refused(dhp, tmp_path):
    held = raw_test(dhp[2]["TS1"])
    path = write_hdf5(tmp_path / "annot_data.mat", held)
    assert len(read_test(path)["valid"]) == 60
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"not a readable MATLAB file of version 7\.3: damaged"):
        read_test(path)
    write_hdf5(path, {name: held[name] for name in ("annot2", "valid_frame")})
    with pytest.raises(InputError, match="lacks univ_annot3"):
        read_test(path)
    write_hdf5(path, {**held, "annot2": held["annot2"][:, 0]})
    with pytest.raises(InputError, match=r"annot2 is .*\(60, 17, 2\).*\(frames, 1, 17, 2\)"):
        read_test(path)
    for wrong in (held["valid_frame"][:-1], held["valid_frame"] + 1):
        write_hdf5(path, {**held, "valid_frame": wrong})
        with pytest.raises(InputError, match="frames of annot2"):
            read_test(path)


def test_half_a_test_set_and_a_subject_that_is_not_there_are_refused(h36m, tmp_path):
    write_raw_test(tmp_path / "raw", frames=9)
    (tmp_path / "raw/TS4/annot_data.mat").unlink()
    with pytest.raises(InputError, match="lacks TS4 of the test set; expected TS1/annot"):
        convert(tmp_path / "raw", tmp_path / "out")
    (tmp_path / "people").mkdir()
    (tmp_path / "people/S9").symlink_to(h36m[0] / "raw/S9")
    with pytest.raises(InputError, match="S1, S5, S6, S7, S8, S11: nothing of them"):
        convert(tmp_path / "people", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def linked(folder, raw, subject):
    """A copy of raw Human3.6M in which one subject's files may be changed."""
    for person in raw.iterdir():
        if person.name != subject:
            (folder / person.name).symlink_to(person)
    own = folder / subject / "MyPoseFeatures/D3_Positions"
    own.mkdir(parents=True)
    for file in (raw / subject / "MyPoseFeatures/D3_Positions").iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    return own


def test_one_damaged_file_stops_all_and_leaves_nothing(h36m, tmp_path):
    (tmp_path / "raw").mkdir()
    file = linked(tmp_path / "raw", h36m[0] / "raw", "S11") / "WalkingDog.cdf"
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:300], b"", b"no CDF" * 99):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"WalkingDog\.cdf: not a readable CDF file: damaged"):
            convert(tmp_path / "raw", tmp_path / "out")
    write_cdf(file, np.zeros((1, 5, 78), np.float32))
    with pytest.raises(InputError, match=r"\(1, 5, 78\).*expected 32 joints of D3_Positions"):
        convert(tmp_path / "raw", tmp_path / "out")
    write_cdf(file, np.zeros((1, 5, 96), np.float32), name="Angles")
    with pytest.raises(InputError, match="lacks Pose"):
        convert(tmp_path / "raw", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_two_files_of_one_trial_are_refused_but_not_one_in_both_formats(h36m, tmp_path):
    (tmp_path / "raw").mkdir()
    own = linked(tmp_path / "raw", h36m[0] / "raw", "S9")
    (own / "TakingPhoto 1.cdf").write_bytes(b"never read, since MATLAB's is there")
    convert(tmp_path / "raw", tmp_path / "out")
    (own / "Photo 1.cdf").write_bytes(b"another")
    with pytest.raises(InputError, match="are both Photo 1"):
        convert(tmp_path / "raw", tmp_path / "out", overwrite=True)


def test_what_the_reader_refuses_does_not_take_the_place_of_what_is_there(h36m, tmp_path):
    (tmp_path / "raw").mkdir()
    own = linked(tmp_path / "raw", h36m[0] / "raw", "S5")
    for file in own.glob("[!.]*.cdf"):
        write_cdf(file, np.ones((1, 12, 96), np.float32) * np.arange(96, dtype=np.float32) / 30)
    (tmp_path / "out").mkdir()
    old = tmp_path / "out/data_3d_h36m.npz"
    old.write_bytes(b"old")
    with pytest.raises(InputError, match=r"nothing was written: data_3d_h36m\.npz: S5: "):
        convert(tmp_path / "raw", tmp_path / "out", overwrite=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [old.name]
    assert old.read_bytes() == b"old"


def test_files_are_replaced_only_if_asked_and_come_out_the_same(h36m, tmp_path):
    raw = h36m[0] / "raw"
    names = ["data_2d_h36m_gt.npz", "data_3d_h36m.npz"]
    (tmp_path / "data_2d_h36m_gt.npz").write_bytes(b"old")
    with pytest.raises(InputError, match=r"data_2d_h36m_gt\.npz: there already; use --overwrite"):
        convert(raw, tmp_path)
    assert (tmp_path / "data_2d_h36m_gt.npz").read_bytes() == b"old"
    report = convert(raw, tmp_path, overwrite=True)
    assert sorted(path.name for path in report.files) == names
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (h36m[0] / "out" / name).read_bytes()


def test_a_full_disk_is_told_and_leaves_nothing(h36m, tmp_path):
    with no_file_longer_than(20000), pytest.raises(OutputError, match="cannot be written"):
        convert(h36m[0] / "raw", tmp_path)
    assert not list(tmp_path.iterdir())


def test_progress_is_told_file_by_file(h36m, dhp, tmp_path):
    for raw, stages in (
        (h36m[0] / "raw", [("read", 34), ("write", 2), ("check", 2)]),
        (dhp[0] / "raw/mpi_inf_3dhp_test_set", [("read", 6), ("write", 1), ("check", 1)]),
    ):
        told = Told()
        convert_folder(raw, tmp_path, steps=told)
        assert told.stages == stages
        assert told.steps == sum(total for _, total in stages)


def test_a_folder_of_something_else_is_told_what_it_is(tmp_path):
    def fault(**how):
        with pytest.raises((InputError, SettingsError, UnknownNameError)) as caught:
            convert(tmp_path / "raw", tmp_path / "out", **how)
        return str(caught.value)

    assert "no such folder" in fault()
    (tmp_path / "raw").mkdir()
    assert "S1/MyPoseFeatures/D3_Positions/*.cdf (h36m); S1/Seq1/annot.mat or TS1" in fault()
    assert "h36m" not in fault(dataset="3dhp").partition("Expected")[2]
    assert "no conversion of 'h63m'; did you mean 'h36m'?" in fault(dataset="h63m")
    assert "3DPW needs no conversion" in fault(dataset="3dpw")
    assert "prepare_data_humaneva.py" in fault(dataset="humaneva")
    for sign, words in (
        ("Poses_D3_Positions_S1.tgz", "tar -xzf"),
        ("data_3d_h36m.npz", "converted already"),
        ("S1/Mocap_Data", "HumanEva-I cannot be converted here"),
        ("sequenceFiles", "3DPW needs no conversion"),
    ):
        (tmp_path / "raw" / sign).mkdir(parents=True)
        assert words in fault(), sign


def test_a_folder_of_two_data_sets_asks_which(h36m, dhp, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a").symlink_to(h36m[0] / "raw")
    (tmp_path / "raw/b").symlink_to(dhp[0] / "raw/mpi_inf_3dhp_test_set")
    with pytest.raises(SettingsError, match="holds h36m and 3dhp; say with --dataset"):
        convert(tmp_path / "raw", tmp_path / "out")
    report = convert(tmp_path / "raw", tmp_path / "out", dataset="3dhp")
    assert [path.name for path in report.files] == ["data_test_3dhp.npz"]
    (tmp_path / "raw/c").symlink_to(dhp[0] / "raw/mpi_inf_3dhp_test_set")
    with pytest.raises(InputError, match="are both TS1"):
        convert(tmp_path / "raw", tmp_path / "out", dataset="3dhp", overwrite=True)


def test_a_missing_package_is_told_and_needed_only_where_it_is(h36m, dhp, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setitem(sys.modules, "cdflib", None)
    for raw, what in ((h36m[0] / "raw", "a CDF file"), (dhp[0] / "raw", "version 7.3")):
        with pytest.raises(MissingExtraError, match=rf"{what}.*pip install 'pose3d\[convert\]'"):
            convert(raw, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    write_raw_h36m(tmp_path / "mats", mats=("S1", "S5", "S6", "S7", "S8", "S9", "S11"))
    (tmp_path / "mats/S1/MyPoseFeatures/D3_Positions/._Directions.cdf").unlink()
    convert(tmp_path / "mats", tmp_path / "out")
