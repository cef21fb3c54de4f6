"""Windows of people that a run does not learn from, with a truth to measure by on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.learn.clip_tracks import Track
from pose3d_cli.learn.clip_windows import ClipWindows

_SEED = 1234


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Windows to measure on.

    Attributes:
        x: Input of a network.
        target: What it is to answer; NaN where unknown.
        metres_per_unit: Metres of a unit of answer and target; None if they are metres.
    """

    x: Float[Tensor, "b t joints 3"]
    target: Float[Tensor, "b t joints 3"]
    metres_per_unit: Float[Tensor, "b t"] | None = None

    def in_metres(self, values: Float[Tensor, "b t joints 3"]) -> Float[Tensor, "b t joints 3"]:
        """Return answers or targets in metres."""
        if self.metres_per_unit is None:
            return values
        return values * self.metres_per_unit[..., None, None]


def sampled(tracks: Iterable[Track], frames: int, windows: int) -> HeldOut | None:
    """Return a sample of windows, by a chance that is the same in every call.

    Clips are cut side by side and forgotten one by one, so a data set may be larger than memory.

    Args:
        tracks: Clips whose truth has a size in metres; others are left out.
        frames: Of a window.
        windows: How many at most.

    Returns:
        None if no window has a truth in metres.
    """
    random = np.random.default_rng(_SEED)
    kept: list[HeldOut] = []
    seen = 0
    for track in tracks:
        if track.metres_per_unit is None:
            continue
        laid = ClipWindows.lay([track], frames, frames)
        for window in range(len(laid)):
            place = seen if seen < windows else int(random.integers(seen + 1))
            seen += 1
            if place < windows:
                kept[place : place + 1] = [_cut(laid, window)]
    return _together(kept) if kept else None


def _cut(windows: ClipWindows, number: int) -> HeldOut:
    which = np.array([number])
    pair = windows.cut(which)
    return HeldOut(pair.x, pair.target, torch.from_numpy(windows.metres_per_unit(which)))


def _together(parts: list[HeldOut]) -> HeldOut:
    metres = [part.metres_per_unit for part in parts if part.metres_per_unit is not None]
    x, target = torch.cat([part.x for part in parts]), torch.cat([part.target for part in parts])
    return HeldOut(x, target, torch.cat(metres))
