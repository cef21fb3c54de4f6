"""The training loop. It knows an objective's losses, not what they are of."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pose3d_cli.errors import DivergedError
from pose3d_cli.learn.chance import seed_of
from pose3d_cli.learn.checkpoint import (
    CHECKPOINT,
    check_same_run,
    load_checkpoint,
    save_checkpoint,
)
from pose3d_cli.learn.depth import freeze
from pose3d_cli.learn.interrupt import interrupts_wait
from pose3d_cli.learn.log import RunLog, draw_curves
from pose3d_cli.learn.optimiser import Optimiser
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.team import Team

_SMOOTHING = 0.98


@runtime_checkable
class Objective(Protocol):
    """What a training step wants to be small, and where its data come from."""

    @property
    def waited_s(self) -> float:
        """Seconds that were waited for batches."""
        ...

    def losses(self, step: int, part: int, device: torch.device) -> dict[str, Tensor]:
        """Return the losses of a part of a step's batch; `total` is minimised, all are logged."""
        ...

    def after_step(self) -> None:
        """Do what follows a change of the parameters."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return all of it that changes: sources of chance, a teacher."""
        ...

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Go back to a state."""
        ...


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is, for whoever shows it."""

    step: int
    steps: int
    losses: dict[str, float]
    steps_per_s: float
    held_out: dict[str, float]


Watch = Callable[[Progress], None]
Validate = Callable[[int], dict[str, float]]


@dataclass(kw_only=True, eq=False)
class Loop:
    """A run: network, objective, optimiser and the folder it writes to.

    Attributes:
        network: Its parameters are trained.
        objective: Gives the losses.
        settings: Steps, rates and the rest.
        folder: Gets `checkpoint.pt`, `log.jsonl` and `curves.png`.
        device: Where to compute.
        validate: Measures on held-out data, given the step.
        origin: What the run began with, by name; a checkpoint of another is not gone on from.
        team: The processes that train together; the first one writes.
    """

    network: nn.Module
    objective: Objective
    settings: TrainSettings
    folder: Path
    device: torch.device
    validate: Validate
    origin: Mapping[str, str] = field(default_factory=dict)
    team: Team = field(default_factory=Team)

    def __post_init__(self) -> None:
        self.frozen = freeze(self.network, self.settings.freeze)
        self.optimiser = Optimiser(self.network, self.settings)
        self.step = 0
        self.smooth: dict[str, float] = {}
        self.held_out: dict[str, float] = {}

    @property
    def checkpoint(self) -> Path:
        """The file a killed run goes on from."""
        return self.folder / CHECKPOINT

    def resume(self) -> bool:
        """Go on from the folder's checkpoint, if it has one; say whether it had."""
        if not self.checkpoint.exists():
            return False
        state = load_checkpoint(self.checkpoint)
        check_same_run(self.checkpoint, state, self.settings, self.origin)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.objective.set_state(state["objective"])
        self.step, self.smooth = state["step"], state["smooth"]
        self.held_out = state["held_out"]
        return True

    def measure_here(self) -> None:
        """Measure the network as it is on held-out data."""
        self.network.eval()
        self.held_out = self.validate(self.step)

    def save(self) -> None:
        """Write the checkpoint, if this is the process that writes."""
        if not self.team.is_first:
            return
        save_checkpoint(
            self.checkpoint,
            self.settings,
            self.origin,
            {
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "objective": self.objective.state(),
                "step": self.step,
                "smooth": self.smooth,
                "held_out": self.held_out,
            },
        )

    def run(self, watch: Watch, *, time_budget_s: float = math.inf) -> bool:
        """Train to the last step or until the time is up; say whether it is finished.

        Raises:
            DivergedError: Loss or gradient is no longer a number; the last checkpoint is kept.
        """
        log = self._log() if self.team.is_first else None
        started, first = time.monotonic(), self.step
        try:
            while self.step < self.settings.steps:
                with interrupts_wait():
                    self._one_step()
                elapsed = time.monotonic() - started
                speed = (self.step - first) / elapsed
                pace = {"steps_per_s": speed, "waited": self.objective.waited_s / elapsed}
                self._measure(log, pace)
                if self.team.is_first:
                    watch(self._progress(speed))
                if self.team.of_first(int(time.monotonic() - started > time_budget_s)):
                    break
        except KeyboardInterrupt:
            self.save()
            raise
        self.save()
        if log is not None:
            draw_curves(log, self.folder / "curves.png")
        return self.step >= self.settings.steps

    def _log(self) -> RunLog:
        wanted = self.settings.tensorboard
        return RunLog(self.folder / "log.jsonl", self.step, tensorboard=wanted)

    def _progress(self, speed: float) -> Progress:
        return Progress(
            step=self.step,
            steps=self.settings.steps,
            losses=self.smooth,
            steps_per_s=speed,
            held_out=self.held_out,
        )

    def _one_step(self) -> None:
        self.network.train()
        for module in self.frozen:
            module.eval()
        self.optimiser.zero_grad()
        values: dict[str, float] = {}
        parts = self.settings.accumulate
        for part in range(parts):
            for name, value in self._one_part(part).items():
                values[name] = values.get(name, 0.0) + value / parts
        values = self.team.mean(values)
        self.team.average(self.network)
        norm = float(nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip))
        if not math.isfinite(norm):
            raise self._diverged(f"step {self.step}: the gradient", norm)
        self.optimiser.step(self.step)
        self.team.agree(self.network)
        self.objective.after_step()
        self.step += 1
        for name, value in values.items():
            old = self.smooth.get(name, value)
            self.smooth[name] = _SMOOTHING * old + (1 - _SMOOTHING) * value

    def _one_part(self, part: int) -> dict[str, float]:
        """Add a part of the batch to the gradients; return its losses."""
        parts = self.settings.accumulate
        number = self.team.rank * parts + part
        torch.manual_seed(seed_of(self.settings.seed, self.step, number))  # for dropout
        losses = self.objective.losses(self.step, number, self.device)
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not math.isfinite(values["total"]):
            where = f"step {self.step}, part {part + 1} of {parts} of its batch: the loss"
            raise self._diverged(where, values["total"])
        (losses["total"] / parts).backward()  # type: ignore[no-untyped-call]
        return values

    def _diverged(self, what: str, value: float) -> DivergedError:
        rate = "--lr" if self.step < self.settings.single_steps else "--window-lr"
        return DivergedError(
            f"{what} is {value}. Lower {rate} and start anew; "
            f"{self.folder} keeps what was saved before"
        )

    def _measure(self, log: RunLog | None, pace: Mapping[str, float]) -> None:
        if log is None:
            return
        last = self.step == self.settings.steps
        if self.step % self.settings.validate_every == 0 or last:
            self.measure_here()
            log.add({"step": self.step, **pace, **self.smooth, **self.held_out})
            draw_curves(log, self.folder / "curves.png")
        if self.step % self.settings.checkpoint_every == 0:
            self.save()
