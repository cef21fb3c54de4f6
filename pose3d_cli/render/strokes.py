"""Lines of a picture that wait to be drawn in order of depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int


@dataclass(frozen=True, kw_only=True, eq=False)
class Strokes:
    """Lines with round ends; discs are very short lines.

    Attributes:
        ends_px: Pixels right and up from the bottom-left corner of the picture.
        nearness_m: How near to the viewer; the nearest is drawn last.
        width_px: Width of each line, or diameter of each disc.
        rgba: Colour and opacity in [0, 1].
    """

    ends_px: Float64[np.ndarray, "strokes 2 2"]
    nearness_m: Float64[np.ndarray, " strokes"]
    width_px: Float64[np.ndarray, " strokes"]
    rgba: Float64[np.ndarray, "strokes 4"]

    def take(self, keep: Int[np.ndarray, " kept"] | Bool[np.ndarray, " strokes"]) -> Strokes:
        """Return some of the strokes, by place or by mask."""
        return Strokes(
            ends_px=self.ends_px[keep],
            nearness_m=self.nearness_m[keep],
            width_px=self.width_px[keep],
            rgba=self.rgba[keep],
        )


def joined(parts: Sequence[Strokes]) -> Strokes:
    """Return the strokes of all parts as one."""
    return Strokes(
        ends_px=np.concatenate([part.ends_px for part in parts]),
        nearness_m=np.concatenate([part.nearness_m for part in parts]),
        width_px=np.concatenate([part.width_px for part in parts]),
        rgba=np.concatenate([part.rgba for part in parts]),
    )
