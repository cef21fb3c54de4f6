"""How far poses are from the truth. Metres in, metres out, one number a pose.

One rule for gaps everywhere: a joint that the truth does not know (NaN) is left out of its pose's
mean; a joint that the truth knows and the pose lacks makes that pose's number NaN, so that nobody
can gain by leaving out what is hard. A pose whose truth is wholly unknown is NaN, too.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.pose.align import procrustes, scaled

LIMB_JOINTS = tuple(
    f"{side}_{part}"
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    for side in ("left", "right")
)
"""The joints on whose place detectors, mocap and anatomists agree best."""

PCK_M = 0.15
"""Within this distance a joint counts as found (the 3DHP convention)."""

_AUC_STEPS = 31


def distances(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch joints"]:
    """Return how far each joint is from its truth, in metres; NaN where either is unknown."""
    return np.linalg.norm(poses.astype(np.float64) - truth, axis=-1)


def mpjpe(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch"]:
    """Return each pose's mean joint distance in metres (protocol 1 if both are root-relative)."""
    return _mean_over_known(distances(poses, truth), truth)


def p_mpjpe(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch"]:
    """Return each pose's mean joint distance in metres after a similarity (protocol 2)."""
    return mpjpe(procrustes(poses, truth), truth)


def n_mpjpe(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch"]:
    """Return each pose's mean joint distance in metres after scaling (protocol 3).

    Args:
        poses: Root-relative, any unit.
        truth: Root-relative, metres.
    """
    return mpjpe(scaled(poses, truth), truth)


def mpjve(
    poses: Float[np.ndarray, "*batch frames joints 3"],
    truth: Float[np.ndarray, "*batch frames joints 3"],
) -> Float64[np.ndarray, "*batch frames-1"]:
    """Return the mean error of each step from frame to frame, in metres a frame (not a second).

    Args:
        poses: One uninterrupted take; root-relative, metres.
        truth: The same frames.
    """
    return mpjpe(np.diff(poses, axis=-3), np.diff(truth, axis=-3))


def acceleration_error(
    poses: Float[np.ndarray, "*batch frames joints 3"],
    truth: Float[np.ndarray, "*batch frames joints 3"],
) -> Float64[np.ndarray, "*batch frames-2"]:
    """Return the mean error of second differences, in metres a frame squared.

    Args:
        poses: One uninterrupted take; root-relative, metres.
        truth: The same frames.
    """
    return mpjpe(np.diff(poses, n=2, axis=-3), np.diff(truth, n=2, axis=-3))


def pck(
    poses: Float[np.ndarray, "*batch joints 3"],
    truth: Float[np.ndarray, "*batch joints 3"],
    within_m: float = PCK_M,
) -> Float64[np.ndarray, "*batch"]:
    """Return the share, 0 to 1, of each pose's joints that are nearer than `within_m` metres."""
    apart = distances(poses, truth)
    found = np.where(np.isnan(apart), np.nan, (apart < within_m).astype(np.float64))
    return _mean_over_known(found, truth)


def auc(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch"]:
    """Return the mean of `pck` over 31 distances from 0 to 150 mm, 0 to 1."""
    limits = np.linspace(0, PCK_M, _AUC_STEPS)
    return np.asarray(np.mean([pck(poses, truth, limit) for limit in limits], axis=0))


def _mean_over_known(
    values: Float64[np.ndarray, "*batch joints"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch"]:
    known = np.isfinite(truth).all(-1)
    count = known.sum(-1)
    total = np.where(known, values, 0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
