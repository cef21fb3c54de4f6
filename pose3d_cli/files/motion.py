"""A captured motion as its file tells it: named joints, who hangs on whom, where each one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """One take, in the axes and the unit of its file.

    Attributes:
        path: Where it was read.
        joints: Names as the file spells them, parents before children; the tip of a last bone
            is called after it with `_end`.
        parents: Place of each joint's parent; -1 for the root.
        rest: Joints with nobody turned, root at the origin.
        xyz: Joints over time.
        turn: Rotation of each joint from rest, world axes.
        fps: Frames a second.
        metres_per_unit: What the file says of its unit; 0 where it says nothing.
        notes: What was strange while reading.
    """

    path: Path
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Float64[np.ndarray, "joints 3"]
    xyz: Float64[np.ndarray, "frames joints 3"]
    turn: Float64[np.ndarray, "frames joints 3 3"]
    fps: float
    metres_per_unit: float = 0.0
    notes: tuple[str, ...] = ()


def axis_rotation(
    axis: str, angle_rad: Float[np.ndarray, "*batch"]
) -> Float64[np.ndarray, "*batch 3 3"]:
    """Return rotations about one axis, right-handed.

    Args:
        axis: `X`, `Y` or `Z`.
        angle_rad: Radians.
    """
    at = "XYZ".index(axis)
    one, other = (at + 1) % 3, (at + 2) % 3
    turn = np.zeros((*np.shape(angle_rad), 3, 3))
    turn[..., at, at] = 1
    turn[..., one, one] = turn[..., other, other] = np.cos(angle_rad)
    turn[..., other, one] = np.sin(angle_rad)
    turn[..., one, other] = -turn[..., other, one]
    return turn


def euler_rotation(
    axes: str, angle_rad: Float[np.ndarray, "*batch axes"]
) -> Float64[np.ndarray, "*batch 3 3"]:
    """Return the product of single turns, the first axis leftmost; none is no turn.

    Args:
        axes: For example `ZXY`, giving Rz Rx Ry.
        angle_rad: Radians, in the order of `axes`.
    """
    turn = np.broadcast_to(np.eye(3), (*angle_rad.shape[:-1], 3, 3)).copy()
    for i, axis in enumerate(axes):
        turn = turn @ axis_rotation(axis, angle_rad[..., i])
    return turn


def forward_kinematics(
    parents: Sequence[int],
    step: Float64[np.ndarray, "frames joints 3"],
    local: Float64[np.ndarray, "frames joints 3 3"],
) -> tuple[Float64[np.ndarray, "frames joints 3"], Float64[np.ndarray, "frames joints 3 3"]]:
    """Return where each joint is and how it is turned.

    Args:
        parents: Place of each joint's parent, which must come before it; -1 for the root.
        step: From the parent to the joint, in the parent's turned axes.
        local: Turn of the joint against its parent.

    Returns:
        Positions and rotations, both in world axes.
    """
    xyz, turn = step.copy(), local.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            xyz[:, joint] = xyz[:, parent] + np.einsum(
                "tij,tj->ti", turn[:, parent], step[:, joint]
            )
            turn[:, joint] = turn[:, parent] @ local[:, joint]
    return xyz, turn


def at_rest(
    parents: Sequence[int], offset: Float64[np.ndarray, "joints 3"]
) -> Float64[np.ndarray, "joints 3"]:
    """Return the joints with nobody turned, root at the origin."""
    rest = offset.copy()
    for joint, parent in enumerate(parents):
        rest[joint] = rest[parent] + offset[joint] if parent >= 0 else 0
    return rest
