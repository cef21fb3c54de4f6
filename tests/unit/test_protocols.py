"""Every figure of the published protocols against an independent, slow calculation."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from pose3d_cli.learn.benchmark.protocol import PROTOCOLS
from pose3d_cli.learn.benchmark.run import Benchmark, evaluate
from pose3d_cli.learn.benchmark.settings import BenchmarkSettings
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.h36m_cameras import _PLACES, CAMERAS
from pose3d_cli.lift import weights
from pose3d_cli.lift.about import WeightsAbout
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pipeline.report import Silent
from tests.miniatures import h36m, humaneva, mpi_inf_3dhp, threedpw
from tests.nets import fill_with_noise
from tests.reference import protocols_plain

CPU = torch.device("cpu")
WINDOW = 9


@pytest.fixture(scope="module")
def of_papers(tmp_path_factory):
    """Weights as the papers': screen coordinates in and out, 50 frames a second."""
    return save(tmp_path_factory.mktemp("weights") / "screen.safetensors")


def save(path, *, scale=1.0, **changes):
    """Weights of noise; `scale` makes their answers as small as a body."""
    entry = LIFTERS.get("dualstream")
    config = replace(entry.presets["tiny"], frames=WINDOW)
    about = WeightsAbout(
        **{
            "lifter": "dualstream",
            "config": asdict(config),
            "input": "screen",
            "units": "screen,root",
            "rate_hz": 50.0,
            "licence": "none",
        }
        | changes
    )
    network = fill_with_noise(entry.network(config)).eval()
    with torch.no_grad():
        network.head.weight.mul_(scale)
        network.head.bias.mul_(scale)
    weights.save(path, network, about)
    return path


def measured(file, name, path, protocol, *, keypoints="", **settings):
    dataset = DATASETS.get(name).open(path, DatasetOptions(keypoints=keypoints))
    benchmark = Benchmark(
        name=name, dataset=dataset, keypoints=keypoints, protocol=PROTOCOLS[protocol]
    )
    settings = BenchmarkSettings(**settings)
    (found,) = evaluate([file], benchmark, settings, device=CPU, steps=Silent())
    return found


@pytest.fixture(scope="module")
def pickle_file(tmp_path_factory):
    """Videos shorter than a window (and the only ones of their action), with and without tails."""
    return h36m.write_sh(tmp_path_factory.mktemp("sh"), SEQUENCES)


SEQUENCES = {
    "train": {"s_01_act_02_subact_01": 20},
    "test": {
        "s_09_act_05_subact_02": 13,
        "s_09_act_02_subact_01": 7,
        "s_09_act_15_subact_01": 18,
        "s_11_act_15_subact_01": 23,
        "s_11_act_13_subact_01": 11,
    },
}


def test_motionbert_to_the_digit(of_papers, pickle_file):
    found = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    network = weights.load(of_papers)
    wanted, frames = protocols_plain.motionbert(network, WINDOW, h36m.sh_contents(SEQUENCES))
    assert found.frames == frames == 4 * (7 + 18 + 18 + 9)
    figures = {name: figure.value for name, figure in found.figures().items()}
    ours = [figures[name] for name in ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "acceleration")]
    assert ours == pytest.approx(list(wanted.values()), rel=2e-5)
    assert set(found.groups()) == {"Directions", "WalkDog", "Waiting"}


def test_takes_with_wrong_truth_are_left_out_by_motionbert_alone(of_papers, pickle_file):
    found = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    assert not any("act_05_subact_02" in clip.name for clip in found.clips)
    assert len(found.clips) == 4 * 4
    assert not PROTOCOLS["videopose3d"].left_out


def test_tails_are_dropped_and_told(of_papers, pickle_file):
    found = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    assert found.wanted - found.frames == 4 * (5 + 2)
    assert any("28 frames lie in no whole window" in note for note in found.notes)


def test_a_set_that_lacks_actions_is_told(of_papers, pickle_file):
    found = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    assert any("the mean of 3 actions; the whole set has 15" in note for note in found.notes)


def test_truth_is_the_scaled_image_not_the_cameras(of_papers, pickle_file):
    # A lifter that is right in camera space is wrong by the pickle's truth, and the report says so.
    found = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    assert any("scaled-image space" in line for line in found.to_json()["beware"])


def test_the_mean_over_actions_stands_beside_that_over_frames(of_papers, pickle_file):
    mpjpe = measured(of_papers, "h36m-sh", pickle_file, "motionbert").figures()["mpjpe"]
    assert abs(mpjpe.value - mpjpe.over_frames) > 1e-3 * mpjpe.value


def test_without_the_mirror_image_the_answer_is_another_and_told(of_papers, pickle_file):
    alone = measured(of_papers, "h36m-sh", pickle_file, "motionbert", mirror=False)
    both = measured(of_papers, "h36m-sh", pickle_file, "motionbert")
    assert alone.figures()["mpjpe"].value != both.figures()["mpjpe"].value
    assert any("without the mirror image" in note for note in alone.notes)


@pytest.fixture(scope="module")
def npz_folder(tmp_path_factory):
    return h36m.write_videopose3d(tmp_path_factory.mktemp("vp3d"), trials=TRIALS)


TRIALS = {"Directions": 15, "Directions 1": 6, "Photo 1": 21, "Walking": 10}


@pytest.mark.parametrize("keypoints", ["cpn", "gt"])
def test_videopose3d_to_the_digit(npz_folder, tmp_path, keypoints):
    file = save(tmp_path / "rays.safetensors", input="rays", units="m,root")
    found = measured(file, "h36m", npz_folder, "videopose3d", keypoints=keypoints)
    lifter = WindowedLifter.from_file(file, CPU)
    dataset = DATASETS.get("h36m").open(npz_folder, DatasetOptions(keypoints=keypoints))
    clips = {clip.name: clip for clip in dataset.clips("test")}

    def answer(subject, trial, camera):
        clip = clips[f"{subject}/{trial}/{CAMERAS[camera]}"]
        return lifter.lift(clip.keypoints, clip.camera).xyz.astype(float)

    by_action, over_frames, actions = protocols_plain.videopose3d(
        answer, h36m.positions_3d(TRIALS), _PLACES
    )
    figures = found.figures()
    ours = [figures[name] for name in ("mpjpe", "p_mpjpe", "n_mpjpe")]
    assert [figure.value for figure in ours] == pytest.approx(by_action.tolist(), rel=2e-5)
    assert [figure.over_frames for figure in ours] == pytest.approx(over_frames.tolist(), rel=2e-5)
    assert len(found.groups()) == actions == 3
    assert found.frames == 4 * (2 * (6 + 21 + 10) + 15)  # S11 has no Directions, but Directions 1


def test_weights_of_another_rate_are_lifted_as_videos_and_told(tmp_path, pickle_file):
    file = save(tmp_path / "slow.safetensors", rate_hz=25.0)
    found = measured(file, "h36m-sh", pickle_file, "motionbert")
    assert found.laying == "video"
    assert found.frames == found.wanted
    assert any("another rate than the set's" in note for note in found.notes)


def test_the_way_windows_are_laid_can_be_chosen(of_papers, pickle_file):
    layings = {
        laying: measured(of_papers, "h36m-sh", pickle_file, "motionbert", windows=laying)
        for laying in ("video", "tiles", "centred")
    }
    videos = 4 * (7 + 18 + 23 + 11)
    assert [e.frames for e in layings.values()] == [videos, 4 * (7 + 18 + 18 + 9), videos]
    values = {round(e.figures()["mpjpe"].value, 6) for e in layings.values()}
    assert len(values) == 3
    told = {name: "not as the protocol says" in " ".join(e.notes) for name, e in layings.items()}
    assert told == {"video": True, "tiles": False, "centred": True}


# H36M's joints in 3DHP's order, as the field's converters list them.
FROM_3DHP = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


@pytest.fixture(scope="module")
def folder_3dhp(tmp_path_factory):
    folder = tmp_path_factory.mktemp("3dhp")
    contents = mpi_inf_3dhp.make_test(mpi_inf_3dhp.Facts(), frames=24)
    # Frames without any 2D are unseen here; published code would lift the zeros.
    contents["TS6"]["data_2d"][:3] = contents["TS6"]["data_2d"][3]
    mpi_inf_3dhp.write_test(folder, contents)
    return folder, contents


@pytest.mark.parametrize("protocol", ["3dhp-strict", "3dhp-legacy"])
def test_3dhp_to_the_digit(tmp_path, folder_3dhp, protocol):
    folder, contents = folder_3dhp
    file = save(tmp_path / "screen.safetensors", rate_hz=25.0, scale=0.02)
    found = measured(file, "3dhp", folder, protocol)
    mpjpe, pck, auc, frames = protocols_plain.mpi_inf_3dhp(
        weights.load(file), WINDOW, contents, legacy=protocol == "3dhp-legacy", order=FROM_3DHP
    )
    figures = {name: figure.value for name, figure in found.figures().items()}
    assert found.frames == found.wanted == frames
    assert figures["mpjpe"] == pytest.approx(mpjpe, rel=2e-5)
    assert 5 < pck < 95
    assert figures["pck"] == pytest.approx(pck, abs=1e-6)
    assert figures["auc"] == pytest.approx(auc, abs=1e-6)


def test_legacy_units_differ_in_ts5_and_ts6_alone_by_6_percent(tmp_path, folder_3dhp):
    file = save(tmp_path / "screen.safetensors", rate_hz=25.0)
    strict, legacy = (
        {clip.name: clip for clip in measured(file, "3dhp", folder_3dhp[0], protocol).clips}
        for protocol in ("3dhp-strict", "3dhp-legacy")
    )
    for name, clip in strict.items():
        ratio = np.linalg.norm(legacy[name].pose) / np.linalg.norm(clip.pose)
        assert ratio == pytest.approx(960 / 1024 if name in ("TS5", "TS6") else 1, rel=1e-4)


def test_frames_that_are_not_valid_are_seen_but_not_measured(tmp_path, folder_3dhp):
    file = save(tmp_path / "screen.safetensors", rate_hz=25.0)
    valid = {name: int(np.sum(s["valid"])) for name, s in folder_3dhp[1].items()}
    found = measured(file, "3dhp", folder_3dhp[0], "3dhp-strict")
    assert {clip.name: len(clip.frame) for clip in found.clips} == valid
    assert sum(valid.values()) < 6 * 24


def test_humaneva_is_averaged_by_subject_and_action_over_15_joints(tmp_path):
    folder = tmp_path / "he"
    folder.mkdir()
    humaneva.write_humaneva(folder)
    file = save(tmp_path / "rays.safetensors", input="rays", units="m,root", rate_hz=60.0)
    found = measured(file, "humaneva", folder, "humaneva", keypoints="gt")
    groups = found.groups()
    assert all(name.split(" ")[0] in ("S1", "S2", "S3") for name in groups)
    mean = np.mean([row["mpjpe"] for row in groups.values()])
    assert found.figures()["mpjpe"].value == pytest.approx(mean)
    joints = found.joints_mm()
    assert {name for name, value in joints.items() if np.isnan(value)} == {"spine", "nose"}


def test_3dpw_measures_14_joints_of_every_person(tmp_path):
    folder = tmp_path / "3dpw"
    folder.mkdir()
    threedpw.write_3dpw(folder)
    file = save(tmp_path / "rays.safetensors", input="rays", units="m,root", rate_hz=30.0)
    found = measured(file, "3dpw", folder, "3dpw")
    joints = found.joints_mm()
    assert {name for name, value in joints.items() if np.isnan(value)} == {"spine", "nose", "head"}
    assert 0 < found.frames <= found.wanted
