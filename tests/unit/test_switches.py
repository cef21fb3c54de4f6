"""Switches of a run that are off unless asked for: freezing, slower depths, parts of a batch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pose3d_cli.errors import DivergedError, MissingExtraError, SettingsError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.depth import depth_of, freeze
from pose3d_cli.learn.generated_motion import GeneratedMotion
from pose3d_cli.learn.log import RunLog
from pose3d_cli.learn.loop import Loop
from pose3d_cli.learn.losses import position_error
from pose3d_cli.learn.objectives.supervised import Supervised, shortened
from pose3d_cli.learn.optimiser import Optimiser
from pose3d_cli.learn.pace import steps_within
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.stages import StageMaker
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.team import Team
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from pose3d_cli.lift.normalise import rays_to_input
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.windows import lay_windows
from tests.motion import TINY, quiet, tiny_pack


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


def tensors(path):
    return weights.load(path).state_dict()


@pytest.mark.parametrize("lifter", ["dualstream", "residual_mlp"])
def test_frozen_blocks_stay_as_they_are_and_the_rest_learns(data, tmp_path, lifter):
    settings = replace(TINY, lifter=lifter)
    first = train(settings, data=data, out=tmp_path / "a", watch=quiet, device="cpu").weights
    second = train(
        replace(settings, freeze=1, lr=1e-2, window_lr=1e-2, learnt_lr=1.0),
        data=data,
        out=tmp_path / "b",
        watch=quiet,
        device="cpu",
        init=first,
    ).weights
    old, new = tensors(first), tensors(second)
    blocks = 1 + max(int(name.split(".")[1]) for name in old if name.startswith("blocks."))
    still = {name for name in old if torch.equal(old[name], new[name])}
    deep = {name for name in old if depth_of(name, blocks) < 1}
    assert deep <= still  # the batch statistics among them
    assert not {name for name in still - deep if name.endswith("weight")}


def test_more_blocks_than_there_are_cannot_be_frozen():
    entry = LIFTERS.get("dualstream")
    with pytest.raises(SettingsError, match="--freeze 99: the lifter has only"):
        freeze(entry.network(entry.presets["tiny"]), 99)
    with pytest.raises(SettingsError, match="has no blocks to count"):
        freeze(nn.Linear(2, 2), 1)


class Wrapped(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder


@pytest.mark.parametrize("wrap", [lambda lifter: lifter, Wrapped], ids=["lifter", "student"])
def test_earlier_blocks_learn_slower_by_the_decay(wrap):
    entry = LIFTERS.get("dualstream")
    inner = entry.network(entry.presets["tiny"])
    network = wrap(inner)
    optimiser = Optimiser(network, TrainSettings(layer_decay=0.5, warmup=0, single_frames=1.0))
    optimiser.step(0)
    rates = {id(p): group["lr"] for group in optimiser.groups for p in group["params"]}
    last = len(inner.blocks) - 1
    top = rates[id(inner.head.weight)]
    assert rates[id(inner.norm.weight)] == top
    assert rates[id(inner.blocks[last].fuse.weight)] == pytest.approx(top / 2)
    assert rates[id(inner.blocks[0].fuse.weight)] == pytest.approx(top / 2 ** (last + 1))
    assert rates[id(inner.embed.weight)] == pytest.approx(top / 2 ** (last + 2))
    assert rates[id(inner.joint_code)] == pytest.approx(top / 2 ** (last + 2))


class Slope:
    """Losses whose gradient is the next number of a list."""

    def __init__(self, parameter, slopes):
        self.parameter, self.slopes = parameter, list(slopes)
        self.waited_s = 0.0

    def losses(self, step, part, device):
        return {"total": self.parameter.sum() * self.slopes.pop(0)}

    def after_step(self):
        pass

    def state(self):
        return {}

    def set_state(self, state):
        pass


def loop_of(network, slopes, folder, **changes):
    settings = TrainSettings(steps=1, optimiser="adamw", clip=1e9, **changes)
    return Loop(
        network=network,
        objective=Slope(network.weight, slopes),
        settings=settings,
        folder=folder,
        device=torch.device("cpu"),
        validate=lambda _step: {},
    )


def test_parts_of_a_batch_add_up_to_the_mean(tmp_path):
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 2.0)
    loop = loop_of(network, [1.0, 2.0, 6.0], tmp_path, accumulate=3)
    loop.run(quiet)
    assert network.weight.grad.item() == pytest.approx(3.0)
    assert loop.smooth["total"] == pytest.approx(2.0 * 3.0)


class CountingMaker(StageMaker):
    """Makes a stage of the second of two processes, and notes which batches it learns from."""

    def __init__(self, parameter):
        vars(self).update(team=Team(rank=1, size=2), parameter=parameter, drawn=[])

    def __call__(self, _network, _settings):
        return SimpleNamespace(objective=self)

    def losses(self, step, part, _device):
        self.drawn.append((step, part))
        return {"total": self.parameter.sum()}


def test_the_pace_counts_all_parts_of_a_step():
    network = nn.Linear(1, 1)
    make = CountingMaker(network.weight)
    steps_within(network, make, replace(TINY, accumulate=2, single_frames=0.0), 10.0)
    assert make.drawn == [(step, part) for step in range(4) for part in (2, 3)]


def test_processes_agree_on_running_statistics(monkeypatch):
    network = nn.BatchNorm1d(2)
    network.running_mean.fill_(1.0)
    monkeypatch.setattr("torch.distributed.all_reduce", lambda total: total.add_(3.0))  # the other
    Team(rank=0, size=2).agree(network)
    for kept in (network.running_mean, network.running_var):
        assert kept.tolist() == [2.0, 2.0]
    assert network.num_batches_tracked == 0


def test_a_batch_that_is_no_number_is_named_and_nothing_is_stepped(tmp_path):
    network = nn.Linear(1, 1, bias=False)
    before = network.weight.detach().clone()
    loop = loop_of(network, [1.0, float("nan")], tmp_path, accumulate=2)
    with pytest.raises(DivergedError, match="step 0, part 2 of 2 of its batch: the loss is nan"):
        loop.run(quiet)
    assert torch.equal(network.weight, before)


def test_joints_hardly_seen_count_less_where_asked():
    truth = torch.zeros(1, 1, 2, 3)
    pose = torch.tensor([[[[1.0, 0, 0], [3.0, 0, 0]]]])
    assert position_error(pose, truth) == 2
    assert position_error(pose, truth, torch.tensor([[[1.0, 0.0]]])) == 1
    assert position_error(pose, truth, torch.tensor([[[1.0, 1.0]]])) == 2


def test_the_score_loss_reaches_the_run(data, tmp_path):
    losses = []
    for share in (0.0, 1.0):
        told = []
        train(
            replace(TINY, steps=1, score_loss=share),
            data=data,
            out=tmp_path / str(share),
            watch=lambda progress, told=told: told.append(progress.losses["position"]),
            device="cpu",
        )
        losses += told
    assert losses[0] != losses[1]


def test_a_share_of_the_labels_is_the_same_clips_in_every_run(data, monkeypatch):
    seen = []

    def spy(network, clips, *_, **__):
        seen.append([clip.name for clip in clips])
        return Supervised(network, Ahead(lambda *_: None, parts=1, apart=False), TINY)

    monkeypatch.setattr(Supervised, "from_clips", spy)
    clips = [replace(clip, name=f"clip{i}") for i in range(10) for clip in read_pack(data)[:1]]
    motion = GeneratedMotion(clips=clips, held_out_clips=clips, frames=9)
    make = StageMaker(material=motion, pretrain=PretrainSettings(), device=torch.device("cpu"))
    entry = LIFTERS.get("dualstream")
    for share in (1.0, 0.25, 0.01, 0.25):
        make(entry.network(entry.presets["tiny"]), replace(TINY, labels=share))
    whole, quarter, least, again = seen
    assert len(whole) == 10
    assert len(quarter) == 3
    assert len(least) == 1
    assert quarter == again != whole[:3]
    assert set(least) < set(quarter) < set(whole)


def test_short_clips_are_reflected_as_in_lifting_and_the_others_left_alone():
    random = torch.Generator().manual_seed(0)
    count = torch.arange(12.0).repeat(10, 1)  # a frame's number, as the score of all its joints
    score = (count[..., None] / 12).expand(10, 12, 17)
    rays, pose = (torch.randn(10, 12, 17, n, generator=random) for n in (2, 3))
    whole = Batch.of(rays, score, pose)
    cut = shortened(whole, 0.4, random)
    number = (cut.score[:, :, 0] * 12).round()
    rows, index = torch.arange(10)[:, None], number.long()
    torch.testing.assert_close(cut.rays, rays[rows, index])
    torch.testing.assert_close(cut.pose, pose[rows, index], atol=1e-5, rtol=1e-5)
    # The size of a person is that of what is left of the window.
    torch.testing.assert_close(cut.x, rays_to_input(cut.rays, cut.score)[0])
    torch.testing.assert_close(cut.x[4:], whole.x[4:])
    assert not torch.allclose(cut.x[:4], whole.x[rows, index][:4])
    assert torch.equal(number[4:], count[4:])
    for window in number[:4]:
        first, length = int(window.min()), int(window.max() - window.min()) + 1
        assert 4 <= length < 12
        assert window.tolist() == (first + lay_windows(length, 12).index[0]).tolist()
    assert len({float(window.min()) for window in number[:4]}) > 1


@pytest.mark.parametrize("apart", [True, False])
def test_batches_come_in_order_whether_drawn_ahead_or_not(apart):
    drawn = []

    def draw(step, part):
        drawn.append((step, part))
        return step, part, threading.get_ident()

    batches = Ahead(draw, parts=2, apart=apart)
    asked = [(5, 2), (5, 3), (6, 2), (9, 2)]
    given = [batches.get(*key) for key in asked]
    assert [g[:2] for g in given] == asked
    assert (given[0][2] == threading.get_ident()) == (not apart)
    if apart:  # one guess was wrong: after step 6's first part came step 9
        assert drawn[:5] == [(5, 2), (5, 3), (6, 2), (6, 3), (9, 2)]
    else:
        assert drawn == asked


@pytest.mark.parametrize("apart", [True, False])
def test_waiting_for_batches_is_counted(apart):
    batches = Ahead(lambda _step, _part: time.sleep(0.05), parts=1, apart=apart)
    batches.get(0, 0)
    assert batches.waited_s >= 0.05


def test_tensorboard_gets_what_the_log_gets(data, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    settings = replace(TINY, steps=4, validate_every=2, tensorboard=True)
    train(settings, data=data, out=tmp_path, watch=quiet, device="cpu")
    told = events.EventAccumulator(str(tmp_path / "tensorboard"))
    told.Reload()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    for name in ("position", "mpjpe_mm", "steps_per_s", "waited"):
        seen = [(event.step, event.value) for event in told.Scalars(name)]
        assert seen == [(row["step"], pytest.approx(row[name], rel=1e-5)) for row in rows]


def test_tensorboard_that_is_missing_is_told_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose3d\[tensorboard\]'"):
        RunLog(tmp_path / "log.jsonl", 0, tensorboard=True)


_RUN = """
import sys
from pathlib import Path
from tests.motion import TINY, quiet
from pose3d_cli.learn.stages import StageMaker
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.train import train

def watch(progress):
    print(progress.step, flush=True)

train(TINY, data=Path(sys.argv[1]), out=Path(sys.argv[2]), watch=watch, device="cpu")
"""


@pytest.mark.parametrize("step", [1, 7])
def test_a_run_that_is_shot_goes_on_to_the_very_same_weights(data, tmp_path, step):
    """SIGKILL leaves no time to save: the run goes on from its last checkpoint, or anew."""
    whole = train(TINY, data=data, out=tmp_path / "whole", watch=quiet, device="cpu")
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, data, tmp_path / "shot"], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if int(line) == step:
                os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    again = train(TINY, data=data, out=tmp_path / "shot", watch=quiet, device="cpu")
    assert again.resumed or step == 1  # the first checkpoint is that of step 2
    for name, value in tensors(whole.weights).items():
        torch.testing.assert_close(tensors(again.weights)[name], value, rtol=0, atol=0)


def test_a_gradient_that_is_no_number_is_not_stepped_with(tmp_path):
    network = nn.Linear(1, 1, bias=False)
    before = network.weight.detach().clone()
    network.weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(DivergedError, match="step 0: the gradient is inf"):
        loop_of(network, [1.0], tmp_path).run(quiet)
    assert torch.equal(network.weight, before)
