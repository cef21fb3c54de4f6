"""Where detectors mark the joints of a person: not where mocap has them."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.learn.synthetic.detector_noise import OTHER, Marks, PerJoint
from pose3d_cli.learn.synthetic.motion import ABOVE_SPINE, chest_axes, hip_axes, joints
from pose3d_cli.pose.skeleton import H36M17


def per_joint(table: PerJoint) -> Float[Tensor, " joints"]:
    """Return the value of each joint, the same left and right."""
    kinds = (name.rpartition("_")[2] for name in H36M17.joints)
    return torch.tensor([float(table.get(kind, table[OTHER])) for kind in kinds])


def _offset(marks: Marks) -> Float[Tensor, "joints 3"]:
    """Return where every joint is marked; outwards is x on the left and -x on the right."""
    offset = torch.zeros(len(H36M17.joints), 3)
    for joint, name in enumerate(H36M17.joints):
        side, _, kind = name.rpartition("_")
        outwards = -1.0 if side == "right" else 1.0
        offset[joint] = torch.tensor(marks.offset_m.get(kind, (0.0, 0.0, 0.0)))
        offset[joint, 0] *= outwards
    return offset


def marked_points(
    pose: Float[Tensor, "b t joints 3"],
    face_only: Bool[Tensor, " b"],
    marks: Marks,
    random: torch.Generator,
) -> Float[Tensor, "b t joints 3"]:
    """Return the points a detector would mark, metres, axes of `pose`.

    Args:
        pose: True joints relative to the pelvis.
        face_only: Whether the detector knows eyes and nose, but neither neck nor crown.
        marks: Where it marks the others.
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
    offset = _offset(marks) + offset * per_joint(marks.differ_m)[:, None]
    hips = joints("left_hip", "right_hip", "pelvis")
    offset[:, hips, 2] += marks.hips_up_m * torch.randn(n, 1, generator=random)
    axes = hip_axes(pose)[:, :, None].repeat(1, 1, len(H36M17.joints), 1, 1)
    axes[:, :, ABOVE_SPINE] = chest_axes(pose)[:, :, None]
    return marked + (axes @ offset[:, None, ..., None])[..., 0]
