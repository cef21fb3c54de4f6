"""Bones that keep their length: one for each, the same left and right, over all of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.clean.motion import Motion
from pose3d_cli.pose.skeleton import H36M17

Lengths = Float64[np.ndarray, " 17"]

_PARENT = H36M17.parent_index
_LEAST_SCORE = 0.05  # joints that were filled in say a little, so that there is always a length


def bone_lengths(motions: Sequence[Motion]) -> Lengths:
    """Return the length of the bone that ends at each joint, in metres.

    The median over all frames of both sides, a frame counting by the lesser score of the bone's
    ends. 0 for the pelvis, NaN for a bone that is never known.
    """
    pose = np.concatenate([motion.pose for motion in motions])
    score = np.concatenate([motion.score for motion in motions])
    length = np.linalg.norm(pose - pose[:, _PARENT], axis=-1)
    sure = np.maximum(np.minimum(score, score[:, _PARENT]), _LEAST_SCORE)
    both = np.concatenate([length, length[:, H36M17.mirror]])
    weight = np.concatenate([sure, sure[:, H36M17.mirror]])
    lengths = np.array([_median(of, by) for of, by in zip(both.T, weight.T, strict=True)])
    lengths[0] = 0.0
    return lengths


def keep_lengths(motion: Motion, lengths: Lengths) -> Motion:
    """Return a motion whose bones point as they did but have `lengths`; the pelvis stays.

    Args:
        motion: A stretch.
        lengths: Of the bone that ends at each joint; a bone of NaN keeps its own.
    """
    pose = motion.pose.copy()
    for joint, parent in enumerate(_PARENT):
        if parent < 0:
            continue
        bone = motion.pose[:, joint] - motion.pose[:, parent]
        own = np.linalg.norm(bone, axis=-1, keepdims=True)
        wanted = own if np.isnan(lengths[joint]) else lengths[joint]
        ratio = np.divide(wanted, own, out=np.ones_like(own), where=own > 0)
        pose[:, joint] = pose[:, parent] + bone * ratio
    return replace(motion, pose=pose)


def _median(values: Float64[np.ndarray, " n"], weight: np.ndarray) -> float:
    known = np.isfinite(values)
    if not known.any():
        return np.nan
    values, weight = values[known], weight[known].astype(np.float64)
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
