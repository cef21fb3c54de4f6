"""Learn which way is up, and how sure that is, from people who go about; and how well it is known.

The loss is the negative logarithm of a Laplace density, across the view and along it: what cannot
be told is then said to be unsure, not guessed at the cost of what can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.noise_file import find_noise
from pose3d_cli.learn.upright.going import Going, Windows
from pose3d_cli.learn.upright.views import AskewView, askew_views
from pose3d_cli.lift.rotation import unit
from pose3d_cli.lift.upright import Said, UprightNet
from pose3d_cli.lift.upright_reader import UprightReader
from pose3d_cli.pose.up import apart_deg, said_up

_VIEWS = 2
"""Cameras a held-out clip."""

MEASURED_ON = f"held-out subjects before askew cameras, {_VIEWS} a clip, seed 0; median in degrees"
"""What `held_out_up` measures on."""


@dataclass(frozen=True, eq=False)
class UprightObjective:
    """The objective over generated windows; see `Objective`.

    Attributes:
        network: Learns; called as `network(rays, score)`.
        batches: Windows.
    """

    network: Callable[[Tensor, Tensor], Said]
    batches: Ahead[Windows]

    @classmethod
    def from_clips(
        cls,
        network: UprightNet,
        called: Callable[[Tensor, Tensor], Said],
        clips: Sequence[MocapClip],
        settings: TrainSettings,
        *,
        draw_apart: bool,
    ) -> UprightObjective:
        """Make the source of windows from clips of motion; see `Ahead` for `draw_apart`."""
        config = network.config
        noise = find_noise(settings.detector_noise)
        source = Going(clips, config.frames, config.rate_hz, settings.seed, noise)

        def draw(step: int, part: int) -> Windows:
            return source.draw(settings.batch, step, part)

        return cls(called, Ahead(draw, parts=settings.accumulate, apart=draw_apart))

    @property
    def waited_s(self) -> float:
        """Seconds that were waited for batches."""
        return self.batches.waited_s

    def losses(self, step: int, part: int, device: torch.device) -> dict[str, Tensor]:
        """Draw a part of the batch of `step` and return its losses; `total` is to become small."""
        batch = self.batches.get(step, part)
        rays, score, up = (values.to(device) for values in (batch.rays, batch.score, batch.up))
        said = self.network(rays, score)
        is_seen = said.ray.any(-1)  # a detector may lose somebody for all of a window
        off_deg = _off_deg(said.up, up, said.ray)[is_seen]
        says_deg = said.off_deg[is_seen]
        total = (off_deg / says_deg + says_deg.log()).mean()
        across, along = off_deg.mean(0)
        return {"total": total, "across_deg": across, "along_deg": along}

    def after_step(self) -> None:
        """Nothing follows a step."""

    def state(self) -> dict[str, Tensor]:
        """Return nothing: batches depend on the step alone."""
        return {}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing; see `state`."""


def _off_deg(
    said: Float[Tensor, "b 3"], true: Float[Tensor, "b 3"], ray: Float[Tensor, "b 3"]
) -> Float[Tensor, "b 2"]:
    """Return how far up is off, across the view and along it, in degrees (of small angles)."""
    across = unit(torch.linalg.cross(ray, true))
    along = torch.linalg.cross(true, across)
    off = torch.stack([(said * across).sum(-1), (said * along).sum(-1)], -1)
    return torch.rad2deg(off.abs())


def held_out_views(clips: Sequence[MocapClip]) -> list[AskewView]:
    """Return views of other people to measure on, the same in every run."""
    return list(askew_views(clips, views=_VIEWS, seed=0))


def held_out_up(
    network: UprightNet, views: Sequence[AskewView], device: torch.device
) -> dict[str, float]:
    """Return how far up is off, the median in degrees: of all views, and of those who walk."""
    reader = UprightReader(network, device)
    off: list[float] = []
    for view in views:
        found = said_up(reader.read([view.keypoints], view.camera))
        off.append(180.0 if found is None else float(apart_deg(found.up, view.up)))
    walk = [deg for deg, view in zip(off, views, strict=True) if view.activity == "walk"]
    figures = {"up_deg": off, "up_walk_deg": walk}
    return {name: float(np.median(values)) for name, values in figures.items() if values}
