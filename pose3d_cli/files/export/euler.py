"""Euler angles without jumps: of all that say the same turn, those nearest the frame before."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

ORDER = "ZXY"
"""The turn about Z is the outermost: a joint is turned by Rz Rx Ry."""

_LOCKED = 1e-6
"""Cosine of the middle angle below which only the sum of the other two is known."""


def euler_angles(turn: Float64[np.ndarray, "frames 4"]) -> Float64[np.ndarray, "frames 3"]:
    """Return angles about Z, X and Y in radians, each frame's as near the last as can be.

    They are no angles to filter or to take means of: that is done before, on the turns.

    Args:
        turn: Quaternions (x, y, z, w).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a locked gimbal, dealt with below
        angles = Rotation.from_quat(turn).as_euler(ORDER)
    for frame in range(1, len(angles)):
        angles[frame] = _nearest(angles[frame], angles[frame - 1])
    return angles


def _nearest(
    angles: Float64[np.ndarray, " 3"], before: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, " 3"]:
    z, x, y = angles
    if abs(np.cos(x)) < _LOCKED:
        # Z and Y turn about one axis: Y stays, Z takes the rest. X at +90: Z+Y counts, else Z-Y.
        kept = before[2]
        z, y = z + (y - kept) * np.sign(np.sin(x)), kept
    both = np.array([[z, x, y], [z + np.pi, np.pi - x, y + np.pi]])
    both -= np.round((both - before) / (2 * np.pi)) * 2 * np.pi
    return both[np.abs(both - before).sum(-1).argmin()]
