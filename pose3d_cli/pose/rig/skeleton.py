"""The skeleton of an animation at rest: a T-pose of constant bones, left and right alike.

Axes of animation: Y up, the character faces +Z, its left is at +X; metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int

from pose3d_cli.pose.rig.frames import chest_frame
from pose3d_cli.pose.skeleton import H36M17, other_side

# A joint that lies on its parent (lower back, collars) turns what a rigid pelvis or chest cannot.
_TRUNK = {
    "pelvis": "", "lower_back": "pelvis", "spine": "lower_back",
    "neck": "spine", "head": "neck", "crown": "head",
}  # fmt: skip
_ARM = {
    "collar": "spine", "shoulder": "collar", "elbow": "shoulder", "wrist": "elbow", "hand": "wrist",
}  # fmt: skip
_LEG = {"hip": "pelvis", "knee": "hip", "ankle": "knee", "toe": "ankle"}

PARENTS: Mapping[str, str] = _TRUNK | {
    f"{side}_{joint}": parent if parent in _TRUNK else f"{side}_{parent}"
    for limb in (_ARM, _LEG)
    for side in ("left", "right")
    for joint, parent in limb.items()
}
"""Joint of the rig to its parent; the root's is "". What hangs on a joint follows it at once."""

JOINTS = tuple(PARENTS)
PARENT_INDEX = tuple(JOINTS.index(parent) if parent else -1 for parent in PARENTS.values())
TIPS = tuple(joint for joint in JOINTS if joint not in PARENTS.values())
"""Where the last bones end; they do not turn."""

_LIES_AT = {
    "lower_back": "pelvis",
    "neck": "thorax",
    "head": "nose",
    "crown": "head",
    "left_collar": "thorax",
    "right_collar": "thorax",
}
PLACES: Mapping[str, str] = {
    joint: _LIES_AT.get(joint, joint)
    for joint in JOINTS
    if _LIES_AT.get(joint, joint) in H36M17.joints
}
"""Joint of the rig to the joint of H36M17 it lies at; hands and toes lie at none."""

_HAND, _TOE_DOWN, _TOE_FORWARD = 0.55, 0.12, 0.45
"""Bones no detector told of, as shares of the forearm and the shin."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rig:
    """Bones of one person.

    Attributes:
        offset: From each joint's parent to the joint, in metres, nobody turned; 0 for the root.
    """

    offset: Float64[np.ndarray, "bones 3"]

    @cached_property
    def rest(self) -> Float64[np.ndarray, "bones 3"]:
        """The T-pose, in metres, root at the origin."""
        rest = np.zeros_like(self.offset)
        for joint, parent in enumerate(PARENT_INDEX):
            if parent >= 0:
                rest[joint] = rest[parent] + self.offset[joint]
        return rest

    def of(self, joint: str) -> Float64[np.ndarray, " 3"]:
        """Return the offset of a joint."""
        return self.offset[JOINTS.index(joint)]


def places_in_h36m() -> Int[np.ndarray, " 17"]:
    """Return which joint of the rig lies at each joint of H36M17."""
    lies_at = {place: JOINTS.index(joint) for joint, place in reversed(list(PLACES.items()))}
    return np.array([lies_at[joint] for joint in H36M17.joints])


def rig_of(xyz: Float[np.ndarray, "frames 17 3"]) -> Rig:
    """Return the bones of a person: medians over the clip, the mean of left and right.

    Args:
        xyz: Joints of H36M17 in metres, axes of animation; frames with a NaN are passed over.

    Raises:
        ValueError: No frame in which all joints are known.
    """
    whole = xyz[np.isfinite(xyz).all((1, 2))].astype(np.float64)
    if not len(whole):
        raise ValueError("no frame in which all joints are known")
    at = {joint: whole[:, place] for place, joint in enumerate(H36M17.joints)}
    offset = _trunk(at) | {"left_hip": np.array([_length(at, "left_hip", "right_hip") / 2, 0, 0])}
    offset |= {"left_collar": offset["neck"], "left_shoulder": _shoulder(at)}
    offset["left_elbow"] = np.array([_bone(at, "shoulder", "elbow"), 0.0, 0.0])
    offset["left_wrist"] = np.array([_bone(at, "elbow", "wrist"), 0.0, 0.0])
    offset["left_hand"] = offset["left_wrist"] * _HAND
    offset["left_knee"] = np.array([0.0, -_bone(at, "hip", "knee"), 0.0])
    shin = _bone(at, "knee", "ankle")
    offset["left_ankle"] = np.array([0.0, -shin, 0.0])
    offset["left_toe"] = np.array([0.0, -_TOE_DOWN * shin, _TOE_FORWARD * shin])
    mirrored = {other_side(joint): step * [-1, 1, 1] for joint, step in offset.items()}
    return Rig(offset=np.stack([(mirrored | offset)[joint] for joint in JOINTS]))


def _length(at: Mapping[str, np.ndarray], one: str, other: str) -> float:
    return float(np.median(np.linalg.norm(at[other] - at[one], axis=-1)))


def _bone(at: Mapping[str, np.ndarray], above: str, joint: str) -> float:
    """Return the length of a bone, the mean of both sides."""
    sides = (_length(at, f"{side}_{above}", f"{side}_{joint}") for side in ("left", "right"))
    return sum(sides) / 2


def _trunk(at: Mapping[str, np.ndarray]) -> dict[str, Float64[np.ndarray, " 3"]]:
    """Return back, neck and head: the crown above the neck, the face before the line to it."""
    neck, face = _length(at, "thorax", "nose"), _length(at, "nose", "head")
    tall = np.clip(_length(at, "thorax", "head"), abs(neck - face), neck + face)
    up = (neck**2 - face**2 + tall**2) / (2 * max(tall, 1e-9))
    nose = np.array([0.0, up, np.sqrt(max(neck**2 - up**2, 0.0))])
    return {
        "pelvis": np.zeros(3),
        "lower_back": np.zeros(3),
        "spine": np.array([0.0, _length(at, "pelvis", "spine"), 0.0]),
        "neck": np.array([0.0, _length(at, "spine", "thorax"), 0.0]),
        "head": nose,
        "crown": np.array([0.0, tall, 0.0]) - nose,
    }


def _shoulder(at: Mapping[str, np.ndarray]) -> Float64[np.ndarray, " 3"]:
    """Return where the left shoulder is from the neck, as the chest mostly holds it."""
    chest = chest_frame(at)
    mine, other = (
        np.median(np.einsum("tji,tj->ti", chest, at[f"{side}_shoulder"] - at["thorax"]), axis=0)
        for side in ("left", "right")
    )
    mean = (mine + other * [-1, 1, 1]) / 2
    length = sum(_length(at, "thorax", f"{side}_shoulder") for side in ("left", "right")) / 2
    return mean / max(float(np.linalg.norm(mean)), 1e-9) * length
