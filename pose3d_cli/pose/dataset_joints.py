"""The joints of the field's data sets, and what of h36m17 they can give.

Joints are called by the h36m17 word of the place they are at: 3DHP's "head top" is h36m17's
`head`, its "head" the `nose`, its "neck" the `thorax`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from pose3d_cli.pose.skeleton import H36M17, SKELETONS, conversion

_LEG = ("hip", "knee", "ankle")
_ARM = ("shoulder", "elbow", "wrist")


def _side(side: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts)


MPI_INF_3DHP17 = (
    "head", "thorax", *_side("right", _ARM), *_side("left", _ARM),
    *_side("right", _LEG), *_side("left", _LEG), "pelvis", "spine", "nose",
)  # fmt: skip
"""MPI-INF-3DHP's 17 joints as P-STMO's files order them."""

MPII16 = (
    *reversed(_side("right", _LEG)), *_side("left", _LEG), "pelvis", "thorax", "neck", "head",
    *reversed(_side("right", _ARM)), *_side("left", _ARM),
)  # fmt: skip
"""MPII's joints, which Stacked Hourglass finds; it has no nose."""

HUMANEVA15 = (
    "pelvis", "thorax", *_side("left", _ARM), *_side("right", _ARM),
    *_side("left", _LEG), *_side("right", _LEG), "head",
)  # fmt: skip
"""HumanEva-I's joints as VideoPose3D's files order them."""

OPENPOSE18 = (
    "nose", "neck", *_side("right", _ARM), *_side("left", _ARM), *_side("right", _LEG),
    *_side("left", _LEG), "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
"""OpenPose's older order, which 3DPW's `poses2d` follow."""

SMPL24 = (
    "smpl_root", "left_hip", "right_hip", "smpl_spine1", "left_knee", "right_knee", "smpl_spine2",
    "left_ankle", "right_ankle", "smpl_spine3", "left_foot", "right_foot", "thorax",
    "left_collar", "right_collar", "smpl_head", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
"""SMPL's joints; its neck is about where h36m17 has the thorax."""

_HIPS = ("left_hip", "right_hip")
_SHOULDERS = ("left_shoulder", "right_shoulder")

# What h36m17 has and a data set has not, as the mean of what it has.
_DERIVED: Mapping[tuple[str, ...], Mapping[str, tuple[str, ...]]] = {
    MPII16: {"spine": ("pelvis", "thorax")},
    HUMANEVA15: {"spine": ("pelvis", "thorax")},
    OPENPOSE18: {
        "pelvis": _HIPS,
        "spine": (*_HIPS, *_SHOULDERS),
        "thorax": _SHOULDERS,
        "head": ("left_eye", "right_eye"),
    },
    SMPL24: {"pelvis": _HIPS},
}


def to_h36m(
    values: Float[np.ndarray, "*batch joints channels"],
    joints: tuple[str, ...],
    *,
    derive: bool = True,
) -> Float[np.ndarray, "*batch 17 channels"]:
    """Return joints in h36m17's order; NaN where the source has no such joint.

    Args:
        values: Positions, 2D or 3D, of any unit.
        joints: Their order: one of this module's, or a skeleton's.
        derive: Make a joint that the source lacks of those it has. Good for what a lifter sees;
            a truth must not be made up, so leave it out there.

    Raises:
        ValueError: Another number of joints than the order has.
    """
    if values.shape[-2] != len(joints):
        raise ValueError(f"{values.shape[-2]} joints where the order has {len(joints)}")
    rules = _DERIVED.get(joints, {}) if derive else {}
    matrix = np.zeros((len(H36M17.joints), len(joints)))
    for row, joint in enumerate(H36M17.joints):
        parts = (joint,) if joint in joints else rules.get(joint, ())
        for part in parts:
            matrix[row, joints.index(part)] = 1 / len(parts)
    out = _times(matrix, values)
    out[..., matrix.sum(1) == 0, :] = np.nan
    return out


def coco_to_h36m(
    values: Float[np.ndarray, "*batch 17 channels"],
) -> Float[np.ndarray, "*batch 17 channels"]:
    """Return COCO's 17 keypoints as h36m17, by the rule that lifting uses too."""
    return _times(conversion(SKELETONS["coco17"], H36M17), values)


def _times(
    matrix: Float[np.ndarray, "new old"], values: Float[np.ndarray, "*batch old channels"]
) -> Float[np.ndarray, "*batch new channels"]:
    """Return sums of joints by a matrix; an unknown joint spoils only what is made of it."""
    known = np.isfinite(values)
    spoiled = np.einsum("ij,...jc->...ic", matrix != 0, ~known) > 0
    out = np.einsum("ij,...jc->...ic", matrix, np.where(known, values, 0))
    return np.where(spoiled, np.nan, out).astype(values.dtype)
