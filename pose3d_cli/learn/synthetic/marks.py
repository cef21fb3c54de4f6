"""Where detectors mark the joints of a person: not where mocap has them."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.learn.synthetic.motion import ABOVE_SPINE, chest_axes, hip_axes, joints
from pose3d_cli.pose.skeleton import H36M17

# From the joint to the point that detectors mark, in metres: the mean of BlazePose and MoveNet on
# rendered people (docs/measured.md), outwards, backwards and up in the axes of the pelvis or, from
# the thorax upwards, of the chest.
_MARKED_M = {
    "hip": (0.0, -0.017, 0.019),
    "knee": (-0.001, 0.005, 0.006),
    "ankle": (0.0, -0.004, 0.020),
    "shoulder": (-0.007, 0.0, 0.010),
    "elbow": (-0.004, -0.015, 0.009),
    "wrist": (-0.007, -0.007, 0.006),
}
# What is constant over a clip and differs between clips, per axis: its body, clothes and detector,
# and where its mocap has the joint.
_DIFFER_M = {
    "hip": 0.018,
    "shoulder": 0.014,
    "knee": 0.014,
    "ankle": 0.012,
    "elbow": 0.015,
    "wrist": 0.012,
    "nose": 0.018,
    "head": 0.023,
    "spine": 0.018,
    "thorax": 0.014,
    "pelvis": 0.014,
}
_UPWARD_HIPS_M = 0.010
"""What the height of both hips has in common."""


def per_joint(table: dict[str, float], other: float) -> Float[Tensor, " joints"]:
    """Return the value of each joint, the same left and right; `other` for those not named."""
    return torch.tensor([table.get(name.rpartition("_")[2], other) for name in H36M17.joints])


def _marked() -> Float[Tensor, "joints 3"]:
    """Return `_MARKED_M` of every joint; outwards is x on the left and -x on the right."""
    offset = torch.zeros(len(H36M17.joints), 3)
    for joint, name in enumerate(H36M17.joints):
        side, _, kind = name.rpartition("_")
        outwards = -1.0 if side == "right" else 1.0
        offset[joint] = torch.tensor(_MARKED_M.get(kind, (0.0, 0.0, 0.0)))
        offset[joint, 0] *= outwards
    return offset


def marked_points(
    pose: Float[Tensor, "b t joints 3"], face_only: Bool[Tensor, " b"], random: torch.Generator
) -> Float[Tensor, "b t joints 3"]:
    """Return the points a detector would mark, metres, axes of `pose`.

    Args:
        pose: True joints relative to the pelvis.
        face_only: Whether the detector knows eyes and nose, but neither neck nor crown.
        random: Source of chance.
    """
    n = len(pose)
    nose, head = pose[:, :, H36M17.index("nose")], pose[:, :, H36M17.index("head")]
    forwards = nose - (pose[:, :, H36M17.index("thorax")] + head) / 2
    marked = pose.clone()
    marked[:, :, H36M17.index("nose")] = nose + 0.1 * forwards
    marked[:, :, H36M17.index("head")] = nose + 0.3 * (head - nose)  # the eyes
    marked = torch.where(face_only[:, None, None, None], marked, pose)
    offset = torch.randn(n, len(H36M17.joints), 3, generator=random)
    offset = _marked() + offset * per_joint(_DIFFER_M, 0.0)[:, None]
    hips = joints("left_hip", "right_hip", "pelvis")
    offset[:, hips, 2] += _UPWARD_HIPS_M * torch.randn(n, 1, generator=random)
    axes = hip_axes(pose)[:, :, None].repeat(1, 1, len(H36M17.joints), 1, 1)
    axes[:, :, ABOVE_SPINE] = chest_axes(pose)[:, :, None]
    return marked + (axes @ offset[:, None, ..., None])[..., 0]
