"""Lay one set of joints over another: a whole similarity (Procrustes), or its scale alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64

HIPS = ("left_hip", "right_hip")

# Bounds the memory of long evaluations; the work is the same.
_BLOCK = 65_536


def root_relative(
    xyz: Float[np.ndarray, "*batch joints 3"],
    joints: Sequence[str],
    root: Sequence[str] = HIPS,
) -> Float[np.ndarray, "*batch joints 3"]:
    """Move each pose so that the middle of its `root` joints is the origin.

    Args:
        xyz: Any unit, any frame of reference.
        joints: Names along the joint axis.
        root: Whose middle becomes the origin.

    Returns:
        A new array; a pose with an unknown root joint is NaN throughout.

    Raises:
        ValueError: A root joint is not among `joints`.
    """
    places = [list(joints).index(joint) for joint in root]
    return xyz - xyz[..., places, :].mean(-2, keepdims=True)


def scaled(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch joints 3"]:
    """Scale each pose about the origin to lie as near its truth as it can; no turn, no move.

    Both must be root-relative. One factor a pose, from the joints known in both; never below 0,
    which would be a mirror image.

    Args:
        poses: Root-relative, any unit.
        truth: Root-relative, the unit wanted.

    Returns:
        `poses` at the scale of `truth`; a pose of no size stays as it is.

    Source: Rhodin et al. 2018, N-MPJPE.
    """
    known = _known(poses, truth)
    moving, still = _zero_unless(known, poses), _zero_unless(known, truth)
    size = (moving**2).sum((-2, -1))
    factor = np.where(size > 0, (moving * still).sum((-2, -1)) / np.where(size > 0, size, 1), 1)
    factor = np.maximum(factor, 0)
    return factor[..., None, None] * poses.astype(np.float64)


def procrustes(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch joints 3"]:
    """Move, turn and scale each pose to lie as near its truth as it can.

    One similarity a pose, never a mirror image, fitted to the joints known in both (finite) and
    applied to all. Least is the sum of squares: the mean distance may even rise.

    Args:
        poses: Any unit, any frame of reference.
        truth: The unit and the frame of reference wanted.

    Returns:
        `poses` in the frame of reference and at the scale of `truth`. A pose whose joints all
        coincide becomes the middle of its truth; one with no joint in common becomes NaN.

    Source: Umeyama 1991, eq. 40-43.
    """
    shape = np.broadcast_shapes(poses.shape, truth.shape)
    n_joints = shape[-2]
    flat = np.broadcast_to(poses, shape).reshape(-1, n_joints, 3)
    flat_truth = np.broadcast_to(truth, shape).reshape(-1, n_joints, 3)
    aligned = np.empty(flat.shape)
    for start in range(0, len(flat), _BLOCK):
        block = slice(start, start + _BLOCK)
        aligned[block] = _procrustes(flat[block], flat_truth[block])
    return aligned.reshape(shape)


def _procrustes(
    poses: Float[np.ndarray, "poses joints 3"], truth: Float[np.ndarray, "poses joints 3"]
) -> Float64[np.ndarray, "poses joints 3"]:
    known = _known(poses, truth)
    middle, truth_middle = _middle(poses, known), _middle(truth, known)
    moving = _zero_unless(known, poses - middle)
    still = _zero_unless(known, truth - truth_middle)
    u, stretch, vt = np.linalg.svd(moving.swapaxes(-1, -2) @ still)
    # The last, weakest direction is turned round where the best fit would be a mirror image.
    handed = np.ones_like(stretch)
    handed[:, -1] = np.where(np.linalg.det(u @ vt) < 0, -1, 1)
    turn = (u * handed[:, None, :]) @ vt
    size = (moving**2).sum((-2, -1))
    factor = np.where(size > 0, (stretch * handed).sum(-1) / np.where(size > 0, size, 1), 0)
    return factor[:, None, None] * ((poses - middle) @ turn) + truth_middle


def _known(
    poses: Float[np.ndarray, "*batch joints 3"], truth: Float[np.ndarray, "*batch joints 3"]
) -> Bool[np.ndarray, "*batch joints"]:
    return np.isfinite(poses).all(-1) & np.isfinite(truth).all(-1)


def _zero_unless(
    known: Bool[np.ndarray, "*batch joints"], xyz: Float[np.ndarray, "*batch joints 3"]
) -> Float64[np.ndarray, "*batch joints 3"]:
    return np.where(known[..., None], xyz, 0).astype(np.float64)


def _middle(
    xyz: Float[np.ndarray, "poses joints 3"], known: Bool[np.ndarray, "poses joints"]
) -> Float64[np.ndarray, "poses 1 3"]:
    count = known.sum(-1)[:, None, None]
    total = _zero_unless(known, xyz).sum(-2, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
