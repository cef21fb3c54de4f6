"""Two processes under torchrun learn what one learns from the same batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pose3d_cli.lift import weights
from tests.motion import tiny_pack

pytestmark = pytest.mark.slow  # each starts Python several times; .ci/run has them in a step

_RUN = [
    "--preset", "tiny", "--steps", "4", "--single-frames", "0.5", "--batch", "4",
    "--single-batch", "8", "--warmup", "1", "--validate-every", "1", "--precision", "fp32",
    "--device", "cpu",
]  # fmt: skip


_TOGETHER = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
_RECIPE = """
[common]
preset = "tiny"
steps = 2
batch = 4
warmup = 1
precision = "fp32"
[[run]]
name = "pre"
stage = "pretrain"
[[run]]
name = "fine"
init = "pre"
single_frames = 0.0
"""

_MEAN = """
import sys
from pathlib import Path
import torch
from torch import nn
from pose3d_cli.learn.team import joined

with joined(torch.device("cpu")) as team:
    torch.manual_seed(team.rank)
    both, one, none = network = nn.ModuleList(nn.Linear(1, 1, bias=False) for _ in range(3))
    team.begin_alike(network)
    (both.weight * (1 + team.rank)).sum().backward()
    if team.rank:
        (one.weight * 8).sum().backward()
    team.average(network)
names = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
grads = [None if layer.weight.grad is None else layer.weight.grad.item() for layer in network]
Path(sys.argv[1], str(team.rank)).write_text(
    f"{both.weight.item()} {grads} {[name for name in names if 'gloo' in name]}"
)
"""


def train(start, data, out, *more):
    command = [sys.executable, *start, "-m", "pose3d_cli", "train", "--data", data, "-o", out]
    done = subprocess.run([*command, *_RUN, *more], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(out / "weights.safetensors")]
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return log, weights.load(out / "weights.safetensors")


def test_two_processes_have_the_loss_of_one_with_the_same_batches(tmp_path):
    data = tiny_pack(tmp_path / "mocap")
    two, shared = train(_TOGETHER, data, tmp_path / "two")
    one, alone = train([], data, tmp_path / "one", "--accumulate", "2")
    half, _ = train([], data, tmp_path / "half")
    for a, b, c in zip(two, one, half, strict=True):
        for name in ("total", "position", "scale_free"):
            assert a[name] == pytest.approx(b[name], rel=1e-4)
            assert a[name] != pytest.approx(c[name], rel=1e-4)
    for (name, a), b in zip(shared.named_parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3, msg=name)  # kept as float16


def test_two_processes_make_the_runs_of_a_recipe(tmp_path):
    data, out = tiny_pack(tmp_path / "mocap"), tmp_path / "out"
    (tmp_path / "two.toml").write_text(_RECIPE)
    command = [sys.executable, *_TOGETHER, "-m", "pose3d_cli", "train", "--device", "cpu"]
    command += ["--recipe", tmp_path / "two.toml", "--data", data, "-o", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(out / "fine" / "weights.safetensors")]
    assert weights.describe(out / "fine" / "weights.safetensors").more["stage"] == "finetune"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_processes_begin_alike_take_the_mean_gradient_and_leave_no_thread(tmp_path):
    """A thread of gloo that outlives its group may abort the process that ends."""
    (tmp_path / "mean.py").write_text(_MEAN)
    command = [sys.executable, *_TOGETHER, tmp_path / "mean.py", tmp_path]
    subprocess.run(command, check=True, timeout=120)
    first, second = ((tmp_path / name).read_text() for name in "01")
    assert first == second
    assert first.split(maxsplit=1)[1] == "[1.5, 4.0, None] []"
