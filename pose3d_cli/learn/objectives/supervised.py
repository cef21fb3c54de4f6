"""Learn 3D from pairs of 2D input and 3D truth, first on frames alone, then over time.

A window's frames are nearly one pose, so learning what a joint position means costs a fraction
when frames are drawn far apart and lifted alone. Units over frames start as the identity, so the
second phase goes on from where the first one stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.losses import position_error, scale_free_error, velocity_error
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig


@dataclass(frozen=True, eq=False)
class Supervised:
    """The fine-tuning objective over generated pairs.

    Attributes:
        network: Learns; called as `network(x, over_time=...)`.
        single: Source of frames far apart.
        windows: Source of whole windows.
        settings: Phase lengths, batch sizes, weights of the losses.
    """

    network: nn.Module
    single: Generator
    windows: Generator
    settings: TrainSettings

    @classmethod
    def from_clips(
        cls,
        network: nn.Module,
        clips: Sequence[MocapClip],
        frames: int,
        settings: TrainSettings,
    ) -> Supervised:
        """Make both sources from clips of motion."""
        spread = min(settings.single_spread, frames)
        rate = settings.rate_hz * (spread - 1) / (frames - 1) if spread > 1 else settings.rate_hz
        return cls(
            network,
            Generator(clips, GeneratorConfig(frames=spread, rate_hz=rate, seed=settings.seed)),
            Generator(
                clips,
                GeneratorConfig(frames=frames, rate_hz=settings.rate_hz, seed=settings.seed + 1),
            ),
            settings,
        )

    def losses(self, step: int, part: int, device: torch.device) -> dict[str, Tensor]:
        """Draw a part of the batch of `step` and return its losses; `total` is to become small."""
        s = self.settings
        over_time = step >= s.single_steps
        source, count = (self.windows, s.batch) if over_time else (self.single, s.single_batch)
        source.begin(step, part)
        batch = source.draw(count)
        x, truth = batch.x.to(device), batch.target.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=s.precision == "bf16"):
            pose = self.network(x, over_time=over_time)
        pose = pose.float()
        # A joint that was hardly seen is half a guess, and guesses drown what can be learnt.
        weight = 1 - s.score_loss * (1 - batch.score.to(device)) if s.score_loss else None
        parts = {
            "position": position_error(pose, truth, weight),
            "scale_free": scale_free_error(pose, truth, weight),
        }
        total = parts["position"] + s.scale_loss * parts["scale_free"]
        if over_time:
            parts["velocity"] = velocity_error(pose, truth)
            total = total + s.velocity_loss * parts["velocity"]
        return {"total": total, **parts}

    def after_step(self) -> None:
        """Nothing follows a step."""

    def state(self) -> dict[str, Tensor]:
        """Return nothing: batches depend on the step alone."""
        return {}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing; see `state`."""
