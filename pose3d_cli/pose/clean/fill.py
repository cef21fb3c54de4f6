"""Gaps between two stretches of a person, filled where that is asked for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import PchipInterpolator

from pose3d_cli.pose.clean.motion import Motion

_KNOT_S = 0.12  # between rows that bear the curve: its slope is not to be that of trembling
_KNOTS = 3  # on each side


def fill_gap(before: Motion, after: Motion, time_s: Float64[np.ndarray, " gap"]) -> Motion:
    """Return two stretches as one, the time between them filled with smooth motion, at score 0.

    Joints relative to the pelvis, and the pelvis, go along piecewise cubics that do not overshoot
    (PCHIP, SciPy). Bones get other lengths so: keep them constant afterwards.

    Args:
        before: The earlier stretch.
        after: The later one.
        time_s: Times of the frames between them.
    """
    ends = len(before) - 1 - _knots(before.time_s[-1] - before.time_s[::-1])[::-1]
    starts = _knots(after.time_s - after.time_s[0])
    knots_s = np.concatenate([before.time_s[ends], after.time_s[starts]])
    filled = {
        name: PchipInterpolator(
            knots_s,
            np.concatenate([getattr(before, name)[ends], getattr(after, name)[starts]]),
            axis=0,
        )(time_s)
        for name in ("root", "pose")
    }
    return Motion(
        time_s=np.concatenate([before.time_s, time_s, after.time_s]),
        root=np.concatenate([before.root, filled["root"], after.root]),
        pose=np.concatenate([before.pose, filled["pose"], after.pose]),
        score=np.concatenate(
            [before.score, np.zeros((len(time_s), before.score.shape[1])), after.score]
        ),
    )


def can_fill(before: Motion, after: Motion, longest_s: float) -> bool:
    """Whether the gap between two stretches is short enough, and both sides are known."""
    known = np.isfinite(before.xyz).all() and np.isfinite(after.xyz).all()
    return bool(known) and float(after.time_s[0] - before.time_s[-1]) <= longest_s


def _knots(since_s: Float64[np.ndarray, " frames"]) -> np.ndarray:
    """Return the rows that are about `_KNOT_S` apart, from the edge of a gap on."""
    wanted = np.arange(_KNOTS) * _KNOT_S
    rows = np.searchsorted(since_s, wanted - 1e-9)
    return np.unique(rows[rows < len(since_s)])
