"""How tall a skeleton is: what its bones say of the person's height."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.pose.skeleton import H36M17

BONES = ("left_knee", "left_ankle", "spine", "thorax")
"""The bones, each named by the joint it ends at, whose lengths add up to a known share."""

SHARE = 0.808
"""Of the stature that thigh, shank and trunk have together: nine measured people, +- 0.011."""


def stature(xyz: Float[np.ndarray, "frames 17 3"]) -> float:
    """Return the height of an h36m17 person standing upright, in the unit of `xyz`.

    Thigh, shank and trunk, each the median over the frames and the mean of both sides, over the
    share that they have of the stature. NaN where these joints are never known.
    """
    lengths = [np.mean([_median_length(xyz, side) for side in _sides(joint)]) for joint in BONES]
    return float(np.sum(lengths) / SHARE)


def statures(xyz: Float[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, " frames"]:
    """Return `stature` of each frame by itself; NaN where one of these joints is not known."""
    lengths = [np.mean([_lengths(xyz, side) for side in _sides(joint)], axis=0) for joint in BONES]
    return np.sum(lengths, axis=0) / SHARE


def _sides(joint: str) -> tuple[str, ...]:
    return (joint, joint.replace("left", "right")) if joint.startswith("left_") else (joint,)


def _median_length(xyz: Float[np.ndarray, "frames 17 3"], joint: str) -> float:
    lengths = _lengths(xyz, joint)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if len(known) else np.nan


def _lengths(xyz: Float[np.ndarray, "frames 17 3"], joint: str) -> Float64[np.ndarray, " frames"]:
    bone = xyz[:, H36M17.index(joint)] - xyz[:, H36M17.index(H36M17.parents[joint])]
    return np.linalg.norm(bone.astype(np.float64), axis=-1)
