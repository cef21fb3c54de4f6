"""What a run may learn from: how it is named, what is read of it, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pose3d_cli.errors import DataMissingError, ExitCode, InputError, SettingsError
from pose3d_cli.learn.clip_tracks import track_of
from pose3d_cli.learn.data_choice import DataChoice, chosen_data, open_material
from pose3d_cli.learn.held_out import HeldOut
from pose3d_cli.learn.optimiser import Optimiser
from pose3d_cli.learn.pairs import ScreenPairs
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.probe import probe_error_mm
from pose3d_cli.learn.recipe import read_recipe
from pose3d_cli.learn.recorded_clips import RecordedClips
from pose3d_cli.learn.schedule import learning_rate
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.start import first_network
from pose3d_cli.learn.train import train
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature
from tests.miniatures import h36m as mini
from tests.motion import TINY, quiet, tiny_pack
from tests.recordings import UNIT_M, on_offer, turning


@pytest.fixture
def offer(monkeypatch, tmp_path):
    """Put a data set of given clips on offer as `takes`; return how to choose it."""
    return lambda **splits: on_offer(monkeypatch, tmp_path, **splits)


@pytest.fixture(scope="module")
def pickle(tmp_path_factory):
    return mini.write_sh(tmp_path_factory.mktemp("sh"))


@pytest.fixture
def sh(pickle):
    return DataChoice(path=pickle, dataset="h36m-sh")


def run(settings, data, out, **more):
    return train(settings, data=data, out=out, watch=quiet, device="cpu", **more)


def test_passes_say_how_many_steps_there_are():
    track = track_of(turning(60))
    material = material_of([track])
    settings = TrainSettings(passes=3.0, batch=4, accumulate=2, stride=2)
    windows = (60 - 9) // 2 + 1
    assert len(material.windows(settings)) == windows
    assert len(material.windows(TrainSettings())) == (60 - 9) // 3 + 1
    assert material.fitted(settings, 1).steps == -(-3 * windows // 8)
    assert material.fitted(settings, 2).steps == -(-3 * windows // 16)
    assert material.fitted(replace(settings, passes=0.0), 1).steps == settings.steps
    assert material.fitted(settings, 1).rate_hz == 50.0


def material_of(tracks, frames=9):
    return RecordedClips(title="T", terms="x", keypoints="", tracks=tracks, frames=frames)


def test_a_share_of_the_labels_is_all_views_of_the_same_takes():
    tracks = [
        replace(track_of(turning(30, name=f"{take}/{view}")), take=str(take))
        for take in range(10)
        for view in range(4)
    ]
    material, shares = material_of(tracks), {}
    for share in (0.2, 0.5, 1.0):
        chosen = material.labelled(TrainSettings(labels=share))
        shares[share] = {track.take for track in chosen}
        assert len(chosen) == 4 * len(shares[share])
    assert [len(takes) for takes in shares.values()] == [2, 5, 10]
    assert shares[0.2] < shares[0.5]


@pytest.mark.parametrize("stage", ["single frames", "windows", "pretrain"])
def test_processes_together_draw_what_one_draws_in_parts_and_all_of_it(stage):
    material = material_of([track_of(turning(90))])
    settings = replace(
        TINY,
        stage="pretrain" if stage == "pretrain" else "finetune",
        single_frames=1.0 if stage == "single frames" else 0.0,
        single_batch=4,
    )

    def drawn(parts, processes):
        own = replace(settings, accumulate=parts)
        if stage == "pretrain":
            views = material.views(own, PretrainSettings(), processes=processes)
            return [(views.begin(step, part), views.draw(4).x)[1] for step, part in PLACES]
        nothing = torch.nn.Identity()
        objective = material.supervised(nothing, own, processes=processes, draw_apart=False)
        return [objective.batches.get(step, part).x for step, part in PLACES]

    one, two = drawn(4, 1), drawn(2, 2)
    assert all(torch.equal(alone, shared) for alone, shared in zip(one, two, strict=True))
    windows = len(material.windows(settings))
    assert windows == 28
    seen = torch.cat(one)[:windows]  # the first 7 parts are a pass
    heights = seen[:, 0, H36M17.index("head"), :2].abs()  # as high in the mirror
    assert len(torch.unique(heights, dim=0)) == windows


PLACES = [(step, part) for step in range(2) for part in range(4)]


def test_a_rate_that_never_sees_gradients_shrink_is_at_hand():
    for kind, is_wanted in (("amsgrad", True), ("adamw", False)):
        optimiser = Optimiser(torch.nn.Linear(2, 2), TrainSettings(optimiser=kind))
        assert [group["amsgrad"] for group in optimiser.groups] == [is_wanted] * 2


class PlainEncoder(torch.nn.Module):
    """Whose tokens are what it sees."""

    def __init__(self):
        super().__init__()
        self.embed, self.norm = torch.nn.Linear(3, 3), torch.nn.Identity()
        self.embed.weight.data, self.embed.bias.data = torch.eye(3), torch.zeros(3)
        self.blocks, self.joint_code = torch.nn.ModuleList(), None

    def encode(self, features, *, over_time=True, last=1):
        return [features]

    def decode(self, tokens):
        return tokens


def test_a_probe_is_fitted_on_what_the_truth_knows():
    x = torch.randn(8, 9, 17, 3, generator=torch.Generator().manual_seed(0))
    x[:, :, 0] = 0
    target = x @ torch.tensor([[1.0, 2, 0], [0, 1, 3], [1, 0, 1]])
    lacking = target.clone()
    lacking[::2, :, 5] = torch.nan
    lacking[:, :, 7] = torch.nan
    judge = HeldOut(x, lacking, torch.full((8, 9), 2.0))
    whole, less = (
        probe_error_mm(PlainEncoder(), ScreenPairs(x, fit), judge, torch.device("cpu"))
        for fit in (target, lacking)
    )
    assert less == pytest.approx(whole, rel=0.25)
    assert 0 < whole < 300  # of the 8 metres that joints are apart: the ridge holds back a little


def test_the_published_rate_falls_after_each_pass():
    s = TrainSettings(
        schedule="exponential", passes=3.0, steps=30, single_frames=0.0, warmup=0, window_lr=1.0
    )
    rates = [learning_rate(step, s) for step in range(30)]
    assert rates == pytest.approx([1.0] * 10 + [0.99] * 10 + [0.99**2] * 10)
    slow = replace(s, warmup=4, single_frames=0.5, lr=2.0)
    assert learning_rate(0, slow) == pytest.approx(0.5)
    assert learning_rate(10, slow) == pytest.approx(2 * 0.99)
    assert learning_rate(15, slow) == pytest.approx(0.99 / 4)
    with pytest.raises(ValueError, match=r"schedule \(exponential\) .* give passes"):
        TrainSettings(schedule="exponential")


def test_people_of_the_split_val_are_measured_before_those_of_test(offer):
    material = open_material(offer(train=[turning()], val=[turning(18)], test=[turning()]), 9)
    assert material.held_out(TINY).x.shape == (2, 9, 17, 3)
    assert "2 windows of the split val" in material.provenance(TINY, None).measured_on


def test_those_who_learn_metres_learn_how_tall_people_are(offer):
    clip = turning()
    material = open_material(offer(train=[clip]), 9)
    tall = material.provenance(TINY, None).stature_m
    assert tall == pytest.approx(stature(clip.truth.xyz), abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_hz": 30.0}, "--rate-hz 30: .* cut at its own rate, here 50 frames a second"),
        ({"lifter": "residual_mlp", "stage": "pretrain"}, "does not embed each joint"),
    ],
)
def test_settings_that_do_not_go_with_a_data_set_are_refused(sh, tmp_path, changes, words):
    with pytest.raises(SettingsError, match=words):
        run(replace(TINY, **changes), sh, tmp_path)


def test_videos_of_ones_own_do_not_go_with_a_data_set(sh, tmp_path):
    pretrain = PretrainSettings(keypoints="videos")
    with pytest.raises(SettingsError, match=r"--keypoints videos: .* packed motion"):
        run(replace(TINY, stage="pretrain"), sh, tmp_path, pretrain=pretrain)


@pytest.mark.parametrize("changes", [{"passes": 3.0}, {"stride": 3}])
def test_packed_motion_has_no_windows_to_count(tmp_path, changes):
    with pytest.raises(SettingsError, match=rf"--{next(iter(changes))} is about the windows"):
        run(replace(TINY, **changes), tiny_pack(tmp_path / "mocap"), tmp_path / "run")


def test_clips_that_teach_nothing_or_two_units_are_told(offer):
    gone = turning()
    gone = replace(gone, truth=replace(gone.truth, xyz=np.full_like(gone.truth.xyz, np.nan)))
    material = open_material(offer(train=[gone]), 9)
    with pytest.raises(InputError, match="Some takes: nobody is seen whose pose is known"):
        material.windows(TINY)
    assert len(material.windows(replace(TINY, stage="pretrain")))
    with pytest.raises(InputError, match="units m,root and screen,root; a lifter learns one"):
        open_material(offer(train=[turning(), turning(metres_per_unit=UNIT_M)]), 9)
    with pytest.raises(InputError, match="units of no clip"):
        open_material(offer(train=[]), 9)


def test_data_is_a_path_unless_a_data_set_stands_before_the_colon(pickle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert chosen_data(f"h36m-sh:{pickle}", "gt") == DataChoice(
        path=pickle, dataset="h36m-sh", keypoints="gt"
    )
    for text in ("C:\\motion\\pack", "c:/pack", "mocap", "a/b:c", "packs"):
        assert chosen_data(text) == DataChoice(path=Path(text))
    assert chosen_data("mocap:packs") == DataChoice(path=Path("packs"))
    for name in ("2024:packs", "h36m"):
        (tmp_path / name).mkdir()
        assert chosen_data(name) == DataChoice(path=Path(name))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["h36n:x"], ExitCode.USAGE, "--data h36n:x: no data set 'h36n'; did you mean 'h36m'?"),
        (
            ["3dhp:none"],
            ExitCode.DATA_MISSING,
            "none: no such file or folder. Give --data 3dhp:PATH",
        ),
        (
            ["3dpw:"],
            ExitCode.DATA_MISSING,
            "--data 3dpw: where is it? Give --data 3dpw:PATH of 3D P",
        ),
        (["h36m"], ExitCode.DATA_MISSING, "--data h36m: where is it? Give --data h36m:PATH"),
        (["pack", "--data-2d", "gt"], ExitCode.USAGE, "--data-2d gt: chooses the 2D of a data set"),
        (["folder:.", "--data-2d", "gt"], ExitCode.USAGE, "--data-2d gt: no 2D keypoints 'gt'"),
        (["h36m-sh:PICKLE", "--data-2d", "cpn"], ExitCode.USAGE, "--data-2d cpn: no 2D keypoints"),
        (["mocap:none"], ExitCode.BAD_INPUT, "none"),
        (
            ["h36m-sh:PICKLE", "--recipe", "ablation-xs"],
            ExitCode.USAGE,
            "this recipe compares its runs on packed motion",
        ),
    ],
)
def test_data_that_cannot_be_meant_is_told(pose3d, pickle, tmp_path, arguments, code, words):
    data, *more = (str(word).replace("PICKLE", str(pickle)) for word in arguments)
    told = pose3d("train", "--data", data, *more, "-o", tmp_path / "out", code=code).stderr
    assert words in told
    assert len(told.strip().splitlines()) <= 8
    assert not (tmp_path / "out").exists()


def test_missing_data_says_where_to_get_it_and_what_is_expected(tmp_path):
    with pytest.raises(DataMissingError, match=r"vision\.imar\.ro.*\n  .*data_3d_h36m\.npz"):
        chosen_data(f"h36m:{tmp_path / 'none'}")


PUBLISHED = {
    "h36m-sh-xs-27": (27, 60.0, 16, 0.01, "adamw", 9),
    "h36m-sh-base-243": (243, 60.0, 8, 0.01, "adamw", 81),
    "h36m-cpn-base-243": (243, 60.0, 8, 0.01, "adamw", 81),
    "3dhp-base-81": (81, 90.0, 16, 0.0, "amsgrad", 9),
    "humaneva-xs-27": (27, 60.0, 16, 0.01, "adamw", 9),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipes_have_the_papers_settings_and_say_they_were_not_run(name):
    recipe = read_recipe(name)
    assert "not run" in recipe.about
    s = recipe.runs[-1].settings
    frames = first_network(s, None).config.frames
    stride = s.stride or frames // 3
    found = (frames, s.passes, s.batch, s.weight_decay, s.optimiser, stride)
    assert found == PUBLISHED[name]
    assert (s.schedule, s.decay, s.window_lr, s.learnt_lr) == ("exponential", 0.99, 5e-4, 1.0)
    assert (s.scale_loss, s.velocity_loss, s.score_loss) == (0.5, 20.0, 0.0)
    assert all(run.settings.single_frames == 0 for run in recipe.runs)
    assert not any(run.pretrain.test_2d for run in recipe.runs)
