"""Frames of reference of the trunk: how pelvis, lower back and chest are turned.

Axes of animation: Y up the body, Z out of its front, X to its left.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

Joints = Mapping[str, Float64[np.ndarray, "frames 3"]]
Frames = Float64[np.ndarray, "frames 3 3"]

_TINY = 1e-9


def unit(
    vectors: Float64[np.ndarray, "frames 3"],
    fallback: Float64[np.ndarray, "#frames 3"] | None = None,
) -> Float64[np.ndarray, "frames 3"]:
    """Return vectors of length 1; `fallback`, or zero, where there is no direction."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    instead = np.zeros(3) if fallback is None else fallback
    return np.where(length > _TINY, vectors / np.maximum(length, _TINY), instead)


def across(
    vectors: Float64[np.ndarray, "frames 3"], axis: Float64[np.ndarray, "frames 3"]
) -> Float64[np.ndarray, "frames 3"]:
    """Return directions at a right angle to the unit vectors `axis`, as near to `vectors` as fits.

    Where a vector lies along its axis there is none; any at a right angle is taken then.
    """
    rest = vectors - (vectors * axis).sum(-1, keepdims=True) * axis
    least = np.eye(3)[np.abs(axis).argmin(-1)]
    any_other = least - (least * axis).sum(-1, keepdims=True) * axis
    return unit(rest, unit(any_other))


def pelvis_frame(at: Joints) -> Frames:
    """Return how the pelvis is turned: X along the hips, Y as near to the back as fits."""
    x = unit(at["left_hip"] - at["right_hip"], np.array([[1.0, 0.0, 0.0]]))
    y = across(at["spine"] - at["pelvis"], x)
    return _columns(x, y)


def chest_frame(at: Joints) -> Frames:
    """Return how the chest is turned: Y from mid-back to neck, X the shoulders."""
    shoulders = at["left_shoulder"] - at["right_shoulder"]
    return _upwards(at["thorax"] - at["spine"], shoulders)


def lower_back_frame(at: Joints) -> Frames:
    """Return how the lower back is turned: Y up to mid-back, X between hips and chest."""
    sides = [unit(at[f"left_{joint}"] - at[f"right_{joint}"]) for joint in ("hip", "shoulder")]
    return _upwards(at["spine"] - at["pelvis"], sides[0] + sides[1])


def _upwards(up: Float64[np.ndarray, "frames 3"], left: Float64[np.ndarray, "frames 3"]) -> Frames:
    y = unit(up, np.array([[0.0, 1.0, 0.0]]))
    return _columns(across(left, y), y)


def _columns(x: Float64[np.ndarray, "frames 3"], y: Float64[np.ndarray, "frames 3"]) -> Frames:
    return np.stack([x, y, np.cross(x, y)], axis=-1)
