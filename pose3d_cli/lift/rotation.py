"""Rotations as 3x3 matrices that act on column vectors."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def unit(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Return vectors of length one; a zero vector stays (nearly) zero."""
    return v / v.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def about_axis(
    axis: Float[Tensor, "*batch 3"], angle: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch 3 3"]:
    """Return the rotation by `angle` radians about a unit `axis` (Rodrigues)."""
    x, y, z = axis.unbind(-1)
    sin, cos = torch.sin(angle), torch.cos(angle)
    rest = 1 - cos
    rows = (
        torch.stack([cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin], -1),
        torch.stack([y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin], -1),
        torch.stack([z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest], -1),
    )
    return torch.stack(rows, -2)


def about(name: str, angle: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3 3"]:
    """Return the rotation by `angle` radians about the axis called x, y or z."""
    axis = torch.zeros(*angle.shape, 3, dtype=angle.dtype, device=angle.device)
    axis[..., "xyz".index(name)] = 1
    return about_axis(axis, angle)


def smallest_to_forward(ray: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Return the smallest rotation that takes `ray` to the +z axis.

    Source: perspective rotation of PersPose (ICCV 2025), as keypoint geometry.
    """
    x, y, z = unit(ray).unbind(-1)
    # Closed form of Rodrigues with axis r x z: no angle, hence no trouble where it vanishes.
    k = 1 / (1 + z).clamp(min=1e-6)
    rows = (
        torch.stack([1 - x * x * k, -x * y * k, -x], -1),
        torch.stack([-x * y * k, 1 - y * y * k, -y], -1),
        torch.stack([x, y, z], -1),
    )
    return torch.stack(rows, -2)


def turn(
    rotation: Float[Tensor, "*#batch 3 3"], points: Float[Tensor, "*#batch joints 3"]
) -> Float[Tensor, "*batch joints 3"]:
    """Apply each rotation to its points; one rotation may serve many."""
    return points @ rotation.transpose(-1, -2)


def turn_back(
    rotation: Float[Tensor, "*#batch 3 3"], points: Float[Tensor, "*#batch joints 3"]
) -> Float[Tensor, "*batch joints 3"]:
    """Undo `turn`."""
    return points @ rotation
