"""Windows to learn from: what a generator makes, or what was cut from clips of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.lift.normalise import mirrored_input


@dataclass(frozen=True, eq=False)
class ScreenPairs:
    """Windows in coordinates of the screen.

    Attributes:
        x: Coordinates of the screen and scores, all 0 where a joint was not seen.
        target: Joints relative to the pelvis, in the unit that is learnt; NaN where unknown.
    """

    x: Float[Tensor, "b t joints 3"]
    target: Float[Tensor, "b t joints 3"]

    @property
    def score(self) -> Float[Tensor, "b t joints"]:
        """Scores; 0 where a joint was not seen."""
        return self.x[..., 2]

    def at(self, index: Int[Tensor, "b t2"]) -> ScreenPairs:
        """Return each window with other frames of itself: those whose places are given."""
        rows = torch.arange(len(index))[:, None]
        return ScreenPairs(self.x[rows, index], self.target[rows, index])

    def hiding(self, gone: Bool[Tensor, "b joints"]) -> ScreenPairs:
        """Return windows in which some joints are never seen; the truth stays."""
        return ScreenPairs(self.x.masked_fill(gone[:, None, :, None], 0.0), self.target)

    def mirrored(self, which: Bool[Tensor, " b"]) -> ScreenPairs:
        """Return windows some of which show the person in a mirror, truth and all."""
        chosen = which[:, None, None, None]
        return ScreenPairs(
            torch.where(chosen, mirrored_input(self.x), self.x),
            torch.where(chosen, mirrored_input(self.target), self.target),
        )


Pairs = Batch | ScreenPairs
"""Both have the input `x`, the `target` and the `score`; of `Batch` the whole target is known."""

P = TypeVar("P", Batch, ScreenPairs)
