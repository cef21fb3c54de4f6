"""Rigid segments of a body, and how joints in space turn them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.skeleton import H36M17

Point = Float64[np.ndarray, "3"]
Rotation = Float64[np.ndarray, "3 3"]
Joints = Mapping[str, Point]

SIDES = ("left", "right")
_LIMBS = ("clavicle", "upper_arm", "forearm", "thigh", "shin", "foot")
SEGMENTS = ("pelvis", "chest", "neck", "head", *(f"{s}_{limb}" for s in SIDES for limb in _LIMBS))
"""Every segment after the one it hangs on."""

_HANGS_ON = {
    "chest": "pelvis",
    "neck": "chest",
    "head": "neck",
    "clavicle": "chest",
    "upper_arm": "clavicle",
    "forearm": "upper_arm",
    "thigh": "pelvis",
    "shin": "thigh",
    "foot": "shin",
}
# Limbs bent less than this (sine of the angle) do not tell which way their hinge lies.
_STRAIGHT, _BENT = 0.12, 0.42


def parent_of(segment: str) -> str | None:
    """Return the segment that another hangs on; None for the pelvis."""
    side, _, limb = segment.partition("_") if segment.startswith(SIDES) else ("", "", segment)
    above = _HANGS_ON.get(limb)
    return f"{side}_{above}" if above in _LIMBS else above


def named(pose: Float64[np.ndarray, "joints 3"]) -> dict[str, Point]:
    """Return the joints of a Human3.6M pose by name."""
    return dict(zip(H36M17.joints, pose, strict=True))


def rotations(rest: Joints, posed: Joints) -> dict[str, Rotation]:
    """Return how far each segment is turned from rest, from where the joints are.

    Args:
        rest: Joints of the body at rest: x to its left, y backwards, z up, metres.
        posed: The same joints anywhere.
    """
    turned = {
        name: axes(posed) @ axes(rest).T
        for name, axes in (("pelvis", _pelvis), ("chest", _chest), ("head", _head))
    }
    turned["neck"] = _halfway(turned["chest"], turned["head"])
    for side in SIDES:
        shoulder = f"{side}_shoulder"
        chest = turned["chest"]
        lifted = _smallest(
            chest @ _bone(rest, "thorax", shoulder), _bone(posed, "thorax", shoulder)
        )
        turned[f"{side}_clavicle"] = lifted @ chest
        arm = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")]
        leg = [f"{side}_{joint}" for joint in ("hip", "knee", "ankle")]
        upper, lower = _limb(rest, posed, arm, chest, forwards=True)
        turned[f"{side}_upper_arm"], turned[f"{side}_forearm"] = upper, lower
        upper, lower = _limb(rest, posed, leg, turned["pelvis"], forwards=False)
        turned[f"{side}_thigh"], turned[f"{side}_shin"] = upper, lower
        turned[f"{side}_foot"] = lower
    return turned


def _bone(joints: Joints, start: str, end: str) -> Point:
    return joints[end] - joints[start]


def _unit(v: Point) -> Point:
    length = float(np.linalg.norm(v))
    return v / length if length > 1e-9 else np.zeros(3)


def _frame(across: Point, along: Point) -> Rotation:
    """Return axes as columns: `across` made square to `along`, `along`, and their product."""
    along = _unit(along)
    across = _unit(across - along * (across @ along))
    return np.stack([across, along, np.cross(across, along)], 1)


def _pelvis(joints: Joints) -> Rotation:
    return _frame(_bone(joints, "right_hip", "left_hip"), _bone(joints, "pelvis", "spine"))


def _chest(joints: Joints) -> Rotation:
    across = _bone(joints, "right_shoulder", "left_shoulder")
    return _frame(across, _bone(joints, "spine", "thorax"))


def _head(joints: Joints) -> Rotation:
    up = _bone(joints, "thorax", "head")
    forwards = joints["nose"] - (joints["thorax"] + joints["head"]) / 2
    return _frame(np.cross(up, forwards), up)


def _smallest(start: Point, end: Point) -> Rotation:
    """Return the smallest rotation that takes one direction to another."""
    a, b = _unit(start), _unit(end)
    axis, cosine = np.cross(a, b), float(a @ b)
    if cosine < -0.999:  # any axis square to both will do
        square = _unit(np.cross(a, np.roll(a, 1) + np.array([0.3, 0.1, 0.2])))
        return 2 * np.outer(square, square) - np.eye(3)
    skew = np.cross(np.eye(3), axis)
    return np.eye(3) + skew + skew @ skew / (1 + cosine)


def _halfway(a: Rotation, b: Rotation) -> Rotation:
    u, _, v = np.linalg.svd(a + b)
    rotation: Rotation = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    return rotation


def _limb(
    rest: Joints, posed: Joints, names: list[str], trunk: Rotation, *, forwards: bool
) -> tuple[Rotation, Rotation]:
    """Return the rotations of the upper and the lower half of a limb, its hinge in place.

    Args:
        rest: Joints at rest.
        posed: The same joints, posed.
        names: Root, hinge and end of the limb.
        trunk: Rotation of what the limb hangs on, which a straight limb twists with.
        forwards: Whether the limb bends forwards, as elbows do, or backwards, as knees.
    """
    root, hinge, end = names
    upper0, lower0 = _bone(rest, root, hinge), _bone(rest, hinge, end)
    upper, lower = _bone(posed, root, hinge), _bone(posed, hinge, end)
    sign = -1.0 if forwards else 1.0
    # Knees are straight at rest: their hinge is the body's x axis. Elbows are bent at rest.
    axis0 = _unit(np.cross(lower0, upper0)) if forwards else np.array([1.0, 0.0, 0.0])
    bent = sign * np.cross(_unit(upper), _unit(lower))
    carried = _smallest(trunk @ upper0, upper) @ trunk @ axis0
    share = np.clip((np.linalg.norm(bent) - _STRAIGHT) / (_BENT - _STRAIGHT), 0.0, 1.0)
    if not forwards and _unit(bent) @ carried < -0.2:  # a knee does not bend that way
        share = 0.0
    axis = share * _unit(bent) + (1 - share) * carried
    return (
        _frame(axis, upper) @ _frame(axis0, upper0).T,
        _frame(axis, lower) @ _frame(axis0, lower0).T,
    )
