"""Euler angles without jumps: of all that say the same turn, those nearest the frame before."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

ORDER = "ZXY"
"""The turn about Z is the outermost: a joint is turned by Rz Rx Ry."""

_CYCLIC = ("XYZ", "YZX", "ZXY")

_LOCKED = 1e-6
"""Cosine of the middle angle below which only the sum of the other two is known."""


def euler_angles(
    turn: Float64[np.ndarray, "frames 4"], order: str = ORDER
) -> Float64[np.ndarray, "frames 3"]:
    """Return angles in radians, each frame's as near the last as can be.

    They are no angles to filter or to take means of: that is done before, on the turns.

    Args:
        turn: Quaternions (x, y, z, w).
        order: Three different axes, the outermost first; the angles come in this order.
    """
    parity = 1.0 if order in _CYCLIC else -1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a locked gimbal, dealt with below
        angles = Rotation.from_quat(turn).as_euler(order)
    for frame in range(1, len(angles)):
        angles[frame] = _nearest(angles[frame], angles[frame - 1], parity)
    return angles


def _nearest(
    angles: Float64[np.ndarray, " 3"], before: Float64[np.ndarray, " 3"], parity: float
) -> Float64[np.ndarray, " 3"]:
    z, x, y = angles  # by the names of Z, X, Y; other orders are alike but for the parity
    if abs(np.cos(x)) < _LOCKED:
        # Z and Y turn about one axis: Y stays, Z takes the rest. X at +90: Z+Y counts, else Z-Y.
        kept = before[2]
        z, y = z + (y - kept) * parity * np.sign(np.sin(x)), kept
    both = np.array([[z, x, y], [z + np.pi, np.pi - x, y + np.pi]])
    both -= np.round((both - before) / (2 * np.pi)) * 2 * np.pi
    return both[np.abs(both - before).sum(-1).argmin()]
