"""Training on the field's data sets: what is taught is what is measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.checkpoint import load_checkpoint
from pose3d_cli.learn.clip_tracks import track_of
from pose3d_cli.learn.clip_windows import ClipWindows
from pose3d_cli.learn.data_choice import DataChoice
from pose3d_cli.learn.header import notes_on_test_2d
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from pose3d_cli.lift.screen import Screen
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import tile_windows
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures import h36m as mini
from tests.motion import TINY as GENERATED
from tests.motion import quiet, tiny_pack
from tests.recordings import UNIT_M, in_screen_units, on_offer, turning

TINY = replace(GENERATED, steps=2, single_batch=4, validate_every=1000)
QUICK = replace(TINY, lifter="residual_mlp")
CPU = torch.device("cpu")


@pytest.fixture
def offer(monkeypatch, tmp_path):
    """Put a data set of given clips on offer as `takes`; return how to choose it."""
    return lambda **splits: on_offer(monkeypatch, tmp_path, **splits)


@pytest.fixture(scope="module")
def pickle(tmp_path_factory):
    return mini.write_sh(tmp_path_factory.mktemp("sh"))


@pytest.fixture(scope="module")
def sh(pickle):
    return DataChoice(path=pickle, dataset="h36m-sh")


def run(settings, data, out, **more):
    return train(settings, data=data, out=out, watch=quiet, device="cpu", **more)


OVERFIT = TrainSettings(
    lifter="residual_mlp",
    preset="tiny",
    network="dropout=0.0,dim=64,depth=1",
    steps=200,
    single_frames=0.0,
    batch=16,
    window_lr=2e-2,
    learnt_lr=1.0,
    warmup=10,
    weight_decay=0.0,
    velocity_loss=1.0,
    precision="fp32",
    validate_every=1000,
    checkpoint_every=1000,
)


@pytest.mark.parametrize("kind", ["metres", "a unit each frame", "screen units as given"])
def test_training_and_measuring_agree_about_units(offer, tmp_path, kind):
    """A network that knows one clip by heart is right to the millimetre when it is measured."""
    rule = None if kind == "metres" else UNIT_M
    clip = turning(metres_per_unit=rule)
    learnt = in_screen_units(clip) if kind == "screen units as given" else clip
    told = []
    report = train(
        OVERFIT,
        data=offer(train=[learnt], test=[clip]),
        out=tmp_path,
        watch=lambda progress: told.append(dict(progress.losses)),
        device="cpu",
    )
    name = "position" if kind == "metres" else "screen_position"
    assert told[-1][name] < 0.25 * told[0][name]  # smoothed
    lifter = WindowedLifter.from_file(report.weights, CPU, mirror=False)
    lifter = replace(lifter, layout=tile_windows)
    screen = Screen(width=clip.screen_width, metres_per_unit=clip.metres_per_unit)
    lifted = lifter.lift(clip.keypoints, clip.camera, screen)
    apart = np.linalg.norm(lifted.xyz - clip.truth.xyz, axis=-1)
    alone = np.linalg.norm(clip.truth.xyz - clip.truth.xyz.mean(0), axis=-1)
    assert alone.mean() > 0.2
    assert apart.mean() < 0.035
    # To the last digit it is the network's answer to its training windows, in the same unit.
    track = track_of(learnt)
    windows = ClipWindows.lay([track], 9, 9)
    with torch.inference_mode():
        answer = lifter.network(windows.cut(np.arange(5)).x).flatten(0, 1).numpy()
    answer[:, 0] = 0
    metres = answer * (1 if rule is None else rule[:, None, None])
    np.testing.assert_allclose(lifted.xyz, metres, atol=1e-5)
    # And the curves' figure, which looks at these windows too, is the same.
    assert report.held_out["mpjpe_mm"] == pytest.approx(apart.mean() * 1000, rel=0.15)
    about = weights.describe(report.weights)
    assert (about.input, about.rate_hz) == ("screen", 50.0)
    assert about.units == ("m,root" if kind == "metres" else "screen,root")


def test_joints_that_the_truth_lacks_teach_nothing_and_harm_nothing(offer, tmp_path):
    clip = turning()
    xyz = clip.truth.xyz.copy()
    xyz[:, H36M17.index("nose")] = np.nan
    xyz[20:23] = np.nan
    lacking = replace(clip, truth=replace(clip.truth, xyz=xyz))
    settings = replace(OVERFIT, score_loss=0.5)
    report = run(settings, offer(train=[lacking], val=[lacking]), tmp_path)
    assert report.held_out["mpjpe_mm"] < 50
    assert np.isfinite(report.held_out["p_mpjpe_mm"])
    pre = replace(TINY, stage="pretrain")
    report = run(pre, offer(train=[lacking], val=[lacking]), tmp_path / "pre")
    assert np.isfinite(report.held_out["probe_mm"])


def test_a_run_says_what_it_learnt_from_and_under_which_terms(sh, tmp_path):
    about = weights.describe(run(QUICK, sh, tmp_path).weights)
    assert (about.input, about.units, about.rate_hz) == ("screen", "screen,root", 50.0)
    assert about.data == (
        "Human3.6M, in MotionBERT's pickle, train (8 clips), 2D sh, 132 windows of 9 frames, "
        "50 frames a second"
    )
    assert "academic use only" in about.licence
    assert about.more["axes"] == "picture"
    assert "44 windows of the split test" in about.protocol
    assert "nothing was chosen by them" in about.protocol
    assert set(about.measured) == {"mpjpe_mm", "p_mpjpe_mm"}
    assert "THE 2D OF THE TEST SUBJECTS" not in about.data


def test_pre_training_sees_the_test_subjects_only_if_asked_and_says_so(sh, tmp_path):
    settings, saw = replace(TINY, stage="pretrain"), {}
    for test_2d in (False, True):
        pretrain = PretrainSettings(test_2d=test_2d)
        file = run(settings, sh, tmp_path / str(test_2d), pretrain=pretrain).weights
        saw[test_2d] = weights.describe(file).data
        assert bool(notes_on_test_2d([file], "test")) == test_2d
    fine = run(TINY, sh, tmp_path / "fine", init=file, pretrain=pretrain).weights
    assert weights.describe(fine).data.count("TEST SUBJECTS") == 1
    assert "132 windows" in saw[False]
    assert "252 windows" in saw[True]
    assert saw[True].endswith("2D only; THE 2D OF THE TEST SUBJECTS (12 clips)")


class KilledError(Exception):
    pass


@pytest.mark.parametrize("stage", ["finetune", "pretrain"])
def test_a_killed_run_goes_on_to_the_very_same_weights(sh, tmp_path, stage):
    settings = replace(TINY, stage=stage, accumulate=2, steps=6)
    whole = run(settings, sh, tmp_path / "whole")

    def kill(progress):
        if progress.step == 5:  # one step after a checkpoint, in the second phase
            raise KilledError

    with pytest.raises(KilledError):
        train(settings, data=sh, out=tmp_path / "cut", watch=kill, device="cpu")
    again = run(settings, sh, tmp_path / "cut")
    assert again.resumed
    assert again.weights.read_bytes() == whole.weights.read_bytes()


def test_another_2d_of_the_same_data_set_is_another_run(sh, tmp_path):
    run(QUICK, sh, tmp_path, time_budget_s=0.0)
    with pytest.raises(SettingsError, match="began with another --data"):
        run(QUICK, replace(sh, keypoints="gt"), tmp_path)


def test_a_run_from_before_there_was_a_setting_goes_on(sh, tmp_path):
    run(QUICK, sh, tmp_path, time_budget_s=0.0)
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    for later in ("passes", "stride", "schedule"):
        del state["settings"][later]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert run(QUICK, sh, tmp_path).resumed


def test_a_set_without_another_split_is_learnt_from_without_curves_of_it(offer, tmp_path):
    report = run(QUICK, offer(train=[turning()]), tmp_path)
    assert report.held_out == {}
    about = weights.describe(report.weights)
    assert about.measured == {}
    assert "not measured on the way: --split val: this one has none; --split test" in about.protocol
    pre = run(replace(TINY, stage="pretrain"), offer(train=[turning()]), tmp_path / "pre")
    assert pre.held_out == {}


def test_weights_of_another_input_or_unit_are_no_start(sh, offer, tmp_path):
    pack = tiny_pack(tmp_path / "mocap")
    rays = run(QUICK, pack, tmp_path / "rays").weights
    with pytest.raises(SettingsError, match="see rays turned to the person, and what --data teach"):
        run(QUICK, sh, tmp_path / "a", init=rays)
    units = run(QUICK, sh, tmp_path / "units").weights
    with pytest.raises(SettingsError, match=r"answer in units of the screen, .* is metres; begin"):
        run(QUICK, offer(train=[turning()]), tmp_path / "b", init=units)
    with pytest.raises(SettingsError, match=r"see coordinates of the screen, .* is rays"):
        run(QUICK, pack, tmp_path / "c", init=units)
    # What was only pre-trained has learnt no unit yet.
    pre = run(replace(TINY, stage="pretrain"), sh, tmp_path / "pre").weights
    assert run(TINY, offer(train=[turning()]), tmp_path / "d", init=pre).weights


RECIPE = """
about = "a small one"
[common]
preset = "tiny"
passes = 0.1
batch = 4
single_frames = 0.0
precision = "fp32"
schedule = "exponential"
optimiser = "amsgrad"
warmup = 0
[[run]]
name = "pre"
stage = "pretrain"
[[run]]
name = "fine"
init = "pre"
"""


def test_the_command_makes_both_stages_on_a_pickle(pose3d, pickle, tmp_path):
    recipe, out = tmp_path / "both.toml", tmp_path / "out"
    recipe.write_text(RECIPE)
    flags = ("--recipe", recipe, "--data", f"h36m-sh:{pickle}", "--data-2d", "gt", "-o", out)
    done = pose3d("train", *flags)
    assert done.stdout.strip() == str(out / "fine" / "weights.safetensors")
    about = weights.describe(out / "fine" / "weights.safetensors")
    assert about.data.count("2D gt") == 2
    assert about.more["steps"] == "4"  # 132 windows, a tenth of a pass, 4 a step
    assert about.rate_hz == 50.0
    rows = [json.loads(line) for line in (out / "fine/log.jsonl").read_text().splitlines()]
    assert "screen_position" in rows[-1]
    assert (out / "fine/curves.png").stat().st_size > 1000
    again = pose3d("train", *flags)
    assert again.stdout == done.stdout


def test_the_command_tells_the_loss_in_the_unit_it_is_in(pose3d, pickle, tmp_path):
    flags = ("--preset", "tiny", "--steps", 1, "--batch", 4, "--single-frames", 0.0)
    told = pose3d("train", "--data", f"h36m-sh:{pickle}", *flags, "-o", tmp_path).stderr
    assert "of half a picture's width" in told
    assert not [line for line in told.splitlines() if "loss" in line and " mm, held" in line]
