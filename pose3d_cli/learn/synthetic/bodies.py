"""Bones: redraw a pose with the lengths of another person, keeping every direction."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.lift.rotation import unit
from pose3d_cli.pose.skeleton import H36M17, other_side
from pose3d_cli.pose.stature import BONES, SHARE

STATURE_M = 1.70
"""Every generated person is this tall, so what a network learns is a pose at a known scale."""

# Mean length in metres at that stature, and standard deviation as a share of it. Limbs and trunk:
# nine measured people (their femur + tibia + pelvis-to-neck is 0.808 +- 0.011 of the stature);
# head and the bones from the middle line: the mean of the mocap, whose joints they end at.
_BONES: Mapping[str, tuple[float, float]] = {
    "left_hip": (0.087, 0.10),
    "left_knee": (0.411, 0.065),
    "left_ankle": (0.417, 0.05),
    "spine": (0.270, 0.06),
    "thorax": (0.273, 0.06),
    "nose": (0.180, 0.10),
    "head": (0.145, 0.10),
    "left_shoulder": (0.175, 0.10),
    "left_elbow": (0.277, 0.07),
    "left_wrist": (0.242, 0.06),
}
_STATURE_SPREAD = 0.011


def draw_lengths(people: int, random: torch.Generator) -> Float[Tensor, "people joints"]:
    """Draw bone lengths in metres, the same left and right; column j is the bone that ends at j."""
    mean = torch.tensor([_bone(joint)[0] for joint in H36M17.joints])
    spread = torch.tensor([_bone(joint)[1] for joint in H36M17.joints])
    noise = torch.randn(people, len(mean), generator=random).clamp(-2.5, 2.5)
    for column, joint in enumerate(H36M17.joints):
        if joint.startswith("right_"):
            noise[:, column] = noise[:, H36M17.index(other_side(joint))]
    lengths = mean * (1 + spread * noise)
    tall = lengths[:, [H36M17.index(joint) for joint in BONES]].sum(1, keepdim=True)
    share = SHARE + _STATURE_SPREAD * torch.randn(people, 1, generator=random)
    return lengths * share * STATURE_M / tall


def _bone(joint: str) -> tuple[float, float]:
    side = joint if joint in _BONES else other_side(joint)
    return _BONES.get(side, (0.0, 0.0))


def with_lengths(
    pose: Float[Tensor, "b t joints 3"], lengths: Float[Tensor, "b joints"]
) -> Float[Tensor, "b t joints 3"]:
    """Return `pose` with its pelvis at the origin and each bone of the given length."""
    joints: list[Tensor] = []
    for column, parent in enumerate(H36M17.parent_index.tolist()):
        if parent < 0:
            joints.append(torch.zeros_like(pose[:, :, column]))
            continue
        direction = unit(pose[:, :, column] - pose[:, :, parent])
        joints.append(joints[parent] + direction * lengths[:, None, column, None])
    return torch.stack(joints, 2)
