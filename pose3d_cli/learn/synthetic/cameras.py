"""Cameras round a person: where they stand, how they look, what their picture cuts off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.lift.rotation import about, smallest_to_forward, turn, turn_back, unit

# World (x right, y forwards, z up) to camera axes (x right, y down, z forwards), looking along +y.
LOOK_FORWARD = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))
_ANY_ORIENTATION = 0.05
_NEAR_M, _FAR_M = 1.6, 12.0
_DRIFT_M = 0.25


@dataclass(frozen=True, eq=False)
class View:
    """Windows seen by cameras.

    Attributes:
        pose: Joints relative to the pelvis, metres, camera axes.
        root: Pelvis in metres, camera axes.
        half_picture: Tangents of half the field of view, across and down.
    """

    pose: Float[Tensor, "b t joints 3"]
    root: Float[Tensor, "b t 3"]
    half_picture: Float[Tensor, "b 2"]


def project(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
    """Return the rays x/z and y/z of points in camera axes."""
    return points[..., :2] / points[..., 2:].clamp(min=0.25)


def outside(view: View, rays: Float[Tensor, "b t joints 2"]) -> Bool[Tensor, "b t joints"]:
    """Return which joints the edge of the picture cuts off."""
    return (rays.abs() > view.half_picture[:, None, None]).any(-1)


def look_at(pose: Float[Tensor, "b t joints 3"], random: torch.Generator) -> View:
    """Put a camera before each window.

    Field of view 35 to 100 degrees, 1.6 to 12 m away, from near the floor to steeply above, rolled
    by some degrees, the person anywhere in the picture, a few turned to any orientation.

    Args:
        pose: Joints relative to the pelvis, metres, Z up, any heading.
        random: Source of chance.
    """
    n = len(pose)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=random)

    distance = torch.exp(uniform(math.log(_NEAR_M), math.log(_FAR_M)))
    height = (1.3 + 0.7 * torch.randn(n, generator=random)).clamp(0.1, 4.0)
    elevation = torch.atan2(height - 0.9, distance)
    steep = torch.rand(n, generator=random) < 0.12
    elevation = torch.where(steep, uniform(0.1, 0.9), elevation)
    roll = torch.deg2rad(5 * torch.randn(n, generator=random))
    world_to_camera = (
        about("z", roll)
        @ about("x", elevation)
        @ torch.tensor(LOOK_FORWARD)
        @ about("z", uniform(0.0, 2 * math.pi))
    )
    world_to_camera = torch.where(
        (torch.rand(n, generator=random) < _ANY_ORIENTATION)[:, None, None],
        _any_rotation(n, random),
        world_to_camera,
    )
    half = torch.tan(torch.deg2rad(uniform(35.0, 100.0) / 2))
    aspect = uniform(1.3, 1.8)  # width to height; the field of view is that of the longer side
    aspect = torch.where(torch.rand(n, generator=random) < 0.3, 1 / aspect, aspect)
    half_picture = torch.stack([half * aspect.clamp(max=1), half / aspect.clamp(min=1)], 1)
    return _off_axis(turn(world_to_camera[:, None], pose), distance, half_picture, random)


def _off_axis(
    pose: Float[Tensor, "b t joints 3"],
    distance: Float[Tensor, " b"],
    half_picture: Float[Tensor, "b 2"],
    random: torch.Generator,
) -> View:
    """Turn the camera so that the person stands anywhere in its picture, and drifts a little."""
    n, frames = pose.shape[:2]
    place = (2 * torch.rand(n, 2, generator=random) - 1) * half_picture * 0.75
    towards = unit(torch.cat([place, torch.ones(n, 1)], 1))
    away = smallest_to_forward(towards)
    time = torch.linspace(-0.5, 0.5, frames) if frames > 1 else torch.zeros(1)
    drift = _DRIFT_M * torch.randn(n, 1, 3, generator=random) * time[:, None]
    root = torch.tensor([0.0, 0.0, 1.0]) * distance[:, None, None] + drift
    return View(
        turn_back(away[:, None], pose),
        turn_back(away[:, None], root[:, :, None])[:, :, 0],
        half_picture,
    )


def _any_rotation(n: int, random: torch.Generator) -> Float[Tensor, "b 3 3"]:
    axes, _ = torch.linalg.qr(torch.randn(n, 3, 3, generator=random))
    return axes * torch.linalg.det(axes)[:, None, None]
