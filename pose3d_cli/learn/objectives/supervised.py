"""Learn 3D from pairs of 2D input and 3D truth, first on frames alone, then over time.

A window's frames are nearly one pose, so learning what a joint position means costs a fraction
when frames are drawn far apart and lifted alone. Units over frames start as the identity, so the
second phase goes on from where the first one stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.hidden import hide_some
from pose3d_cli.learn.losses import position_error, scale_free_error, velocity_error
from pose3d_cli.learn.pairs import P, Pairs
from pose3d_cli.learn.precision import autocast
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.synthetic.noise_file import find_noise
from pose3d_cli.lift.windows import lay_windows


@dataclass(frozen=True, eq=False)
class Supervised:
    """The fine-tuning objective over pairs.

    Attributes:
        network: Learns; called as `network(x, over_time=...)`.
        batches: Frames far apart, then whole windows.
        settings: Phase lengths, batch sizes, weights of the losses.
        unit: In front of the losses' names where they are not in metres.
    """

    network: nn.Module
    batches: Ahead[Pairs]
    settings: TrainSettings
    unit: Literal["", "screen_"] = ""

    @classmethod
    def from_clips(
        cls,
        network: nn.Module,
        clips: Sequence[MocapClip],
        frames: int,
        settings: TrainSettings,
        *,
        draw_apart: bool = False,
    ) -> Supervised:
        """Make both sources from clips of motion; see `Ahead` for `draw_apart`."""
        spread = min(settings.single_spread, frames)
        rate = settings.rate_hz * (spread - 1) / (frames - 1) if spread > 1 else settings.rate_hz
        seed = settings.seed
        noise = find_noise(settings.detector_noise)
        single = GeneratorConfig(frames=spread, rate_hz=rate, seed=seed, detector=noise)
        windows = replace(single, frames=frames, rate_hz=settings.rate_hz, seed=seed + 1)
        sources = {True: Generator(clips, single), False: Generator(clips, windows)}

        def draw(step: int, part: int) -> Pairs:
            alone = step < settings.single_steps
            source = sources[alone]
            source.begin(step, part)
            batch = source.draw(settings.single_batch if alone else settings.batch)
            return changed(batch, settings, source.random, alone=alone)

        return cls(network, Ahead(draw, parts=settings.accumulate, apart=draw_apart), settings)

    @property
    def waited_s(self) -> float:
        """Seconds that were waited for batches."""
        return self.batches.waited_s

    def losses(self, step: int, part: int, device: torch.device) -> dict[str, Tensor]:
        """Draw a part of the batch of `step` and return its losses; `total` is to become small."""
        s = self.settings
        over_time = step >= s.single_steps
        batch = self.batches.get(step, part)
        x, truth = batch.x.to(device), batch.target.to(device)
        with autocast(s.precision, device):
            pose = self.network(x, over_time=over_time)
        pose = pose.float()
        # A joint that was hardly seen is half a guess, and guesses drown what can be learnt.
        weight = 1 - s.score_loss * (1 - batch.score.to(device)) if s.score_loss else None
        known = _known(batch.target)
        if known is not None:
            known = known.to(device)
            weight = known if weight is None else weight * known
            # Nothing of what nobody knows may reach a sum: not a number stays one even times 0.
            pose, truth = (torch.where(known[..., None] > 0, p, 0.0) for p in (pose, truth))
        parts = {
            "position": position_error(pose, truth, weight),
            "scale_free": scale_free_error(pose, truth, weight),
        }
        total = parts["position"] + s.scale_loss * parts["scale_free"]
        if over_time:
            parts["velocity"] = velocity_error(pose, truth, known)
            total = total + s.velocity_loss * parts["velocity"]
        return {"total": total, **{self.unit + name: value for name, value in parts.items()}}

    def after_step(self) -> None:
        """Nothing follows a step."""

    def state(self) -> dict[str, Tensor]:
        """Return nothing: batches depend on the step alone."""
        return {}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing; see `state`."""


def _known(target: Float[Tensor, "b t joints 3"]) -> Float[Tensor, "b t joints"] | None:
    """Return 1 for each joint whose truth is known and 0 for others; None if all are known."""
    known = target.isfinite().all(-1)
    return None if bool(known.all()) else known.float()


def changed(batch: P, settings: TrainSettings, random: torch.Generator, *, alone: bool) -> P:
    """Return a batch as the settings want windows to be: some short, some without limbs.

    Args:
        batch: As it was drawn.
        settings: Shares of each kind.
        random: Source of chance.
        alone: Whether frames are learnt from one by one, which no clip is too short for.
    """
    if not alone:
        batch = shortened(batch, settings.short_clips, random)
    return hide_some(batch, settings.hidden_limbs, random)


def shortened(batch: P, share: float, random: torch.Generator) -> P:
    """Return the batch with some windows cut short and reflected, as `lay_windows` does it.

    Args:
        batch: Windows.
        share: Of the windows; their new lengths are from a third of a window upwards.
        random: Source of chance.
    """
    if not share:
        return batch
    windows, frames = batch.score.shape[:2]
    index = torch.arange(frames).repeat(windows, 1)
    for window in range(round(share * windows)):
        length = int(torch.randint(max(frames // 3, 1), frames, (1,), generator=random))
        first = int(torch.randint(frames - length + 1, (1,), generator=random))
        index[window] = first + torch.from_numpy(lay_windows(length, frames).index[0])
    return batch.at(index)
