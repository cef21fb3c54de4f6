"""Single turns: the least one between two directions, and quaternions without jumps of sign."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation


def swing(
    start: Float64[np.ndarray, "frames 3"],
    end: Float64[np.ndarray, "frames 3"],
    half_turn_axis: Float64[np.ndarray, "*frames 3"],
) -> Rotation:
    """Return the least turn that takes unit vectors to others.

    Args:
        start: From.
        end: To.
        half_turn_axis: What to turn about where they are opposite.
    """
    cosine = (start * end).sum(-1)
    is_opposite = cosine < -1 + 1e-10
    quaternion = np.concatenate([np.cross(start, end), 1 + cosine[:, None]], axis=-1)
    half = np.broadcast_to(half_turn_axis, start.shape)
    quaternion[is_opposite, :3], quaternion[is_opposite, 3] = half[is_opposite], 0
    return Rotation.from_quat(quaternion)


def continuous(
    turn: Float64[np.ndarray, "frames bones 4"],
) -> Float64[np.ndarray, "frames bones 4"]:
    """Return quaternions whose sign never jumps from frame to frame; the first has w >= 0."""
    dots = (turn[1:] * turn[:-1]).sum(-1)
    first = np.where(turn[:1, :, 3] < 0, -1.0, 1.0)
    signs = np.cumprod(np.concatenate([first, np.where(dots < 0, -1.0, 1.0)]), axis=0)
    return turn * signs[..., None]
