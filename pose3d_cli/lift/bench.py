"""What lifters cost on this machine, and what the lean form of a network gains over a plain one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.lift.count import count_multiply_accumulates, count_parameters
from pose3d_cli.lift.plain import PlainDualStream
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.zoo.dualstream import DualStream

_FEWEST_ROUNDS, _MOST_ROUNDS = 3, 50


@dataclass(frozen=True, kw_only=True)
class LiftCost:
    """One line of `pose3d bench lift`.

    Attributes:
        lifter: Name of the network.
        preset: Name of its settings.
        frames: Frames of a window.
        parameters: Numbers it learns.
        multiply_accumulates: Of one window.
        latency_s: Median time of one window.
        frames_per_s: Frames of windows side by side, without overlap or mirror image.
        plain_latency_s: The same of the plain form; None where there is none.
        ratio: Median over rounds of lean time through plain time.
        rounds: How often each was measured, in turn.
    """

    lifter: str
    preset: str
    frames: int
    parameters: int
    multiply_accumulates: int
    latency_s: float
    frames_per_s: float
    plain_latency_s: float | None
    ratio: float | None
    rounds: int


def bench_lift(
    lifter: str = "dualstream",
    presets: Sequence[str] | None = None,
    *,
    device: torch.device | str = "cpu",
    budget_s: float = 10.0,
) -> Iterator[LiftCost]:
    """Measure presets of a lifter, each as soon as it is asked for.

    Lean and plain form take turns, so that whatever else the machine does meets both alike.

    Args:
        lifter: Name of the network.
        presets: Names of settings; None takes all but `tiny`, which is for tests.
        device: Where to measure.
        budget_s: Seconds for the rounds of a preset; three rounds are made in any case.

    Raises:
        UnknownNameError: No such lifter or preset.
    """
    entry = LIFTERS.get(lifter)
    known = list(entry.presets)
    for preset in presets or [name for name in known if name != "tiny"]:
        if preset not in entry.presets:
            raise UnknownNameError(f"{lifter} has no preset {preset!r}{nearest(preset, known)}")
        settings = entry.presets[preset]
        torch.manual_seed(0)
        network = entry.network(settings).to(device).eval()
        yield _measure(network, lifter, preset, settings.frames, budget_s)


def _measure(
    network: nn.Module, lifter: str, preset: str, frames: int, budget_s: float
) -> LiftCost:
    forms: list[nn.Module] = [network]
    if isinstance(network, DualStream):
        forms.append(PlainDualStream(network).eval())
    times = _in_turn(forms, _window(network, frames), budget_s)
    lean_s = median(times[0])
    plain_s = median(times[1]) if len(times) > 1 else None
    ratio = median(a / b for a, b in zip(*times, strict=True)) if len(times) > 1 else None
    return LiftCost(
        lifter=lifter,
        preset=preset,
        frames=frames,
        parameters=count_parameters(network),
        multiply_accumulates=count_multiply_accumulates(network, frames),
        latency_s=lean_s,
        frames_per_s=frames / lean_s,
        plain_latency_s=plain_s,
        ratio=ratio,
        rounds=len(times[0]),
    )


def _window(network: nn.Module, frames: int) -> Float[Tensor, "1 frames 17 3"]:
    device = next(network.parameters()).device
    return torch.randn(1, frames, 17, 3, generator=torch.Generator().manual_seed(0)).to(device)


def _in_turn(forms: Sequence[nn.Module], x: Tensor, budget_s: float) -> list[list[float]]:
    """Return the seconds each form took, round by round."""
    with torch.inference_mode():
        for form in forms:
            form(x)  # first runs make buffers and choose kernels
        end = time.perf_counter() + budget_s
        times: list[list[float]] = [[] for _ in forms]
        while len(times[0]) < _FEWEST_ROUNDS or (
            time.perf_counter() < end and len(times[0]) < _MOST_ROUNDS
        ):
            for form, of_form in zip(forms, times, strict=True):
                of_form.append(_seconds(lambda form=form: form(x), x.device))  # type: ignore[misc]
    return times


def _seconds(work: Callable[[], Tensor], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    """Return once an asynchronous device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
