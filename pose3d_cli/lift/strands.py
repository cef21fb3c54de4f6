"""Clips of more frames a second than a network was trained at, as several strands of fewer."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

_FINEST_HZ = 25.0
"""Frames a second that are lifted at most; people hardly move faster than lines between show."""


def blended(xyz: Float32[np.ndarray, " frames *rest"]) -> Float32[np.ndarray, " frames *rest"]:
    """Return the mean of each frame (half) and its neighbours, which are of other strands.

    Strands are lifted apart and differ a little, which shows as trembling. What moves five times a
    second keeps two thirds of its way, what moves twice a second nearly all of it.
    """
    before = np.concatenate([xyz[:1], xyz[:-1]])
    after = np.concatenate([xyz[1:], xyz[-1:]])
    return (before + 2 * xyz + after) / 4


def strands_at(clip_hz: float, rate_hz: float) -> int:
    """Return how many strands of frames at `rate_hz` lie side by side in a clip.

    Weights that see few frames a second see far. So that quick motion is not lost, a video of
    several times that rate is lifted as that many strands, each of every second frame (or third):
    none is left out, and the work is that of weights of the higher rate.
    """
    return max(round(min(clip_hz, _FINEST_HZ) / rate_hz), 1)


def rate(time_s: Float64[np.ndarray, " frames"]) -> float:
    """Return the mean frames a second; 0 for a single frame."""
    return (len(time_s) - 1) / float(time_s[-1] - time_s[0]) if len(time_s) > 1 else 0.0
