"""How many steps fit into a time: measured on this machine, then fixed for the whole run."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import torch
from torch import nn

from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.stages import StageMaker

_TRIAL_STEPS = 3
_OVERHEAD = 0.85  # share of the time that is not spent on validation, checkpoints and the like


def steps_within(
    network: nn.Module, make: StageMaker, settings: TrainSettings, seconds: float
) -> int:
    """Return the number of steps that take about `seconds`, both phases in their proportion."""
    share = settings.single_steps / settings.steps
    cost = 0.0
    for over_time, weight in ((False, share), (True, 1 - share)):
        if weight:
            phase = replace(settings, steps=1_000_000, single_frames=0.0 if over_time else 1.0)
            cost += weight * _seconds_a_step(network, make, phase)
    return max(1, int(seconds * _OVERHEAD / cost))


def _seconds_a_step(network: nn.Module, make: StageMaker, settings: TrainSettings) -> float:
    stage = make(copy.deepcopy(network), settings)
    device = next(network.parameters()).device
    times = []
    parts = settings.accumulate
    for step in range(_TRIAL_STEPS + 1):  # the first one warms up and does not count
        started = time.monotonic()
        for part in range(make.team.rank * parts, (make.team.rank + 1) * parts):
            losses = stage.objective.losses(step, part, device)
            losses["total"].backward()  # type: ignore[no-untyped-call]
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.monotonic() - started)
    return sum(times[1:]) / _TRIAL_STEPS
