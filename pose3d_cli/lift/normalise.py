"""What a network sees: camera rays turned to the subject, or screen coordinates as in the papers.

Every network says in its weights which of the two it wants (`Input`).

`rays`: each frame is turned so that the ray of the pelvis is the optical axis (perspective
rotation), so neither the focal length nor the place in the picture reaches the network. Sizes are
divided by one number a window. The pelvis is then at the origin in every frame, so its y slot is
free to carry that number: it says how near the person is, hence how strong the perspective.

`screen`: x and y in [-1, 1] across the longer side of the picture; the pose comes out in the axes
of the camera, wherever in the picture the person is.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.lift.rotation import smallest_to_forward
from pose3d_cli.pose.skeleton import H36M17

Input = Literal["rays", "screen"]

_ROOT = H36M17.index("pelvis")
_USUAL_SIZE = 0.1  # tan of the mean joint's angle from the pelvis, a person of 1.7 m at 5 m


def rays_to_input(
    rays: Float[Tensor, "b t j 2"], score: Float[Tensor, "b t j"]
) -> tuple[Float[Tensor, "b t j 3"], Float[Tensor, "b t 3 3"]]:
    """Turn windows of rays to their pelvis and scale them to unit size.

    Args:
        rays: x/z and y/z of h36m17 joints; NaN where unknown (the pelvis must be known).
        score: In [0, 1]; 0 where the position is unknown or was filled in.

    Returns:
        The network's input, and for each frame the rotation from camera axes to those of the
        input; `turn_back` takes the network's answer to camera axes again.
    """
    known = ~rays.isnan().any(-1)
    rays = torch.where(known[..., None], rays, rays[:, :, _ROOT : _ROOT + 1])
    towards = torch.cat([rays, torch.ones_like(rays[..., :1])], -1)
    rotation = smallest_to_forward(towards[:, :, _ROOT])
    turned = towards @ rotation.transpose(-1, -2)
    flat = turned[..., :2] / turned[..., 2:].clamp(min=0.1)
    size = window_size(flat, known)
    x = flat / size
    x[:, :, _ROOT, 0] = 0
    x[:, :, _ROOT, 1] = torch.log(size[:, :, 0, 0] / _USUAL_SIZE)
    return torch.cat([x, score[..., None]], -1), rotation


def window_size(
    flat: Float[Tensor, "b t j 2"], known: Bool[Tensor, "b t j"]
) -> Float[Tensor, "b 1 1 1"]:
    """Return the root mean square distance of a window's known joints from its pelvis."""
    square = (flat.square().sum(-1) * known).sum((1, 2))
    return (square / known.sum((1, 2)).clamp(min=1)).sqrt().clamp(min=1e-4)[:, None, None, None]


def screen_to_input(
    screen: Float[Tensor, "b t j 2"], score: Float[Tensor, "b t j"]
) -> tuple[Float[Tensor, "b t j 3"], Float[Tensor, "b t 3 3"]]:
    """Return screen coordinates as they are; the rotation is none."""
    x = torch.cat([torch.nan_to_num(screen), score[..., None]], -1)
    rotation = torch.eye(3, dtype=x.dtype, device=x.device).expand(*x.shape[:2], 3, 3)
    return x, rotation


def mirrored_input(x: Float[Tensor, "b t j c"]) -> Float[Tensor, "b t j c"]:
    """Return windows of the person in a mirror: x changes sign, left and right change places."""
    order = torch.as_tensor(H36M17.mirror, device=x.device)
    flip = torch.ones(x.shape[-1], dtype=x.dtype, device=x.device)
    flip[0] = -1
    return x[:, :, order] * flip
