"""Skeletons: which joints there are, by name, and how to go from one set to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from pose3d_cli.pose import wholebody


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Named joints, each with a parent, in the order in which arrays hold them.

    Attributes:
        name: Short name used in files and flags, for example `h36m17`.
        parents: Joint name to parent name, in array order; the root's parent is "".
    """

    name: str
    parents: Mapping[str, str]

    def __post_init__(self) -> None:
        orphans = set(self.parents.values()) - set(self.parents) - {""}
        if orphans:
            raise ValueError(f"skeleton {self.name}: parents that are no joints: {sorted(orphans)}")
        alone = {joint for joint in self.parents if other_side(joint) not in self.parents}
        if alone:
            raise ValueError(f"skeleton {self.name}: joints without their pair: {sorted(alone)}")

    @cached_property
    def joints(self) -> tuple[str, ...]:
        """Joint names in array order."""
        return tuple(self.parents)

    def index(self, joint: str) -> int:
        """Return the place of `joint` in the arrays."""
        return self.joints.index(joint)

    @cached_property
    def parent_index(self) -> Int[np.ndarray, " joints"]:
        """Place of each joint's parent; -1 for the root."""
        return np.array([self.joints.index(p) if p else -1 for p in self.parents.values()])

    @cached_property
    def mirror(self) -> Int[np.ndarray, " joints"]:
        """Where each joint goes when left and right change places."""
        return np.array([self.index(other_side(joint)) for joint in self.joints])

    @cached_property
    def bones(self) -> tuple[tuple[str, str], ...]:
        """Every (parent, joint) pair, in array order."""
        return tuple((parent, joint) for joint, parent in self.parents.items() if parent)


def other_side(joint: str) -> str:
    """Return `right_knee` for `left_knee`, and a joint without a side unchanged."""
    side, _, rest = joint.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, joint)


def _limbs(root: str, neck: str) -> dict[str, str]:
    """Parents of the twelve limb joints, hips hanging on `root` and shoulders on `neck`."""
    chains = (
        ("hip", root), ("knee", "hip"), ("ankle", "knee"),
        ("shoulder", neck), ("elbow", "shoulder"), ("wrist", "elbow"),
    )  # fmt: skip
    return {
        f"{side}_{joint}": parent if parent in (root, neck) else f"{side}_{parent}"
        for side in ("left", "right")
        for joint, parent in chains
    }


_FACE = {
    "left_eye": "nose",
    "right_eye": "nose",
    "left_ear": "left_eye",
    "right_ear": "right_eye",
}


def _in_order(name: str, joints: str, parents: Mapping[str, str]) -> Skeleton:
    return Skeleton(name, {joint: parents[joint] for joint in joints.split()})


H36M17 = _in_order(
    "h36m17",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax nose head "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    {
        **_limbs("pelvis", "thorax"),
        "pelvis": "",
        "spine": "pelvis",
        "thorax": "spine",
        "nose": "thorax",
        "head": "nose",
    },
)

_COCO_ORDER = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle"
)

# COCO has no trunk joint: hips hang on the shoulder of their side, shoulders on the nose.
_COCO_PARENTS = {
    **_limbs("root", "nose"),
    "left_hip": "left_shoulder",
    "right_hip": "right_shoulder",
    "nose": "",
    **_FACE,
}

COCO17 = _in_order("coco17", _COCO_ORDER, _COCO_PARENTS)

_FEET = {
    f"{side}_{part}": f"{side}_ankle"
    for side in ("left", "right")
    for part in ("big_toe", "small_toe", "heel")
}

HALPE26 = _in_order(
    "halpe26",
    f"{_COCO_ORDER} head neck pelvis left_big_toe right_big_toe left_small_toe right_small_toe "
    "left_heel right_heel",
    {
        **_limbs("pelvis", "neck"),
        **_FACE,
        **_FEET,
        "pelvis": "",
        "neck": "pelvis",
        "nose": "neck",
        "head": "nose",
    },
)

BODY25 = _in_order(
    "body25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist pelvis "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear "
    "left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    {
        **_limbs("pelvis", "neck"),
        **_FACE,
        **_FEET,
        "pelvis": "",
        "neck": "pelvis",
        "nose": "neck",
    },
)

BLAZEPOSE33 = _in_order(
    "blazepose33",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer "
    "left_ear right_ear left_mouth right_mouth left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb right_thumb "
    "left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel "
    "left_foot_index right_foot_index",
    {
        **_COCO_PARENTS,
        **{
            f"{side}_{part}": parent.format(side=side)
            for side in ("left", "right")
            for part, parent in {
                "eye_inner": "nose",
                "eye": "{side}_eye_inner",
                "eye_outer": "{side}_eye",
                "ear": "{side}_eye_outer",
                "mouth": "nose",
                "pinky": "{side}_wrist",
                "index": "{side}_wrist",
                "thumb": "{side}_wrist",
                "heel": "{side}_ankle",
                "foot_index": "{side}_ankle",
            }.items()
        },
    },
)

WHOLEBODY133 = _in_order(
    "wholebody133",
    " ".join([_COCO_ORDER, *wholebody.FEET, *wholebody.FACE, *wholebody.HANDS]),
    {**_COCO_PARENTS, **wholebody.parents()},
)

SKELETONS: Mapping[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (H36M17, COCO17, HALPE26, BODY25, BLAZEPOSE33, WHOLEBODY133)
}

_HIPS = ("left_hip", "right_hip")
_SHOULDERS = ("left_shoulder", "right_shoulder")
_EYES = ("left_eye", "right_eye")
_FROM_FACE = {
    "pelvis": _HIPS,
    "spine": _HIPS + _SHOULDERS,
    "thorax": _SHOULDERS,
    "head": _EYES,
}

# A joint the source lacks is the mean of joints it has; every other joint keeps its name.
# Halpe's and BODY-25's own pelvis and neck are used; BODY-25 has no crown, so the eyes stand in.
DERIVED: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("coco17", "h36m17"): _FROM_FACE,
    ("blazepose33", "h36m17"): _FROM_FACE,
    ("wholebody133", "h36m17"): _FROM_FACE,
    ("halpe26", "h36m17"): {"spine": ("pelvis", "neck"), "thorax": ("neck",)},
    ("body25", "h36m17"): {"spine": ("pelvis", "neck"), "thorax": ("neck",), "head": _EYES},
}


def conversion(source: Skeleton, target: Skeleton) -> Float[np.ndarray, "target source"]:
    """Return the matrix that turns `source` joints into `target` joints.

    Each row sums to one, so points stay points. Use it as `matrix @ xy` on (..., J, 2).

    Raises:
        ValueError: No rule says where some target joint comes from.
    """
    derived = DERIVED.get((source.name, target.name), {})
    matrix = np.zeros((len(target.joints), len(source.joints)))
    for row, joint in enumerate(target.joints):
        parts = derived.get(joint, (joint,))
        missing = [part for part in parts if part not in source.joints]
        if missing:
            raise ValueError(f"{source.name} -> {target.name}: no source for {missing}")
        matrix[row, [source.index(part) for part in parts]] = 1 / len(parts)
    return matrix
