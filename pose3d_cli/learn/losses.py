"""Differentiable errors between poses, in the unit of the poses.

Source: dual-stream fine-tuning loss (arXiv 2504.01764 and its relatives): position + 0.5 scale-free
position + 20 velocity.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

Pose = Float[Tensor, "b t joints 3"]
Weight = Float[Tensor, "b t joints"]

_LEAST_WEIGHT = 1e-6  # nothing to learn from: no loss, and no division by 0


def position_error(pose: Pose, truth: Pose, weight: Weight | None = None) -> Float[Tensor, ""]:
    """Return the mean distance of joints: MPJPE, or its weighted mean."""
    distance = (pose - truth).norm(dim=-1)
    if weight is None:
        return distance.mean()
    return (distance * weight).sum() / weight.sum().clamp(min=_LEAST_WEIGHT)


def scale_free_error(pose: Pose, truth: Pose, weight: Weight | None = None) -> Float[Tensor, ""]:
    """Return the mean distance once each frame is scaled to its truth by least squares: N-MPJPE."""
    scale = (pose * truth).sum((-1, -2)) / pose.square().sum((-1, -2)).clamp(min=1e-6)
    return position_error(scale[..., None, None] * pose, truth, weight)


def velocity_error(pose: Pose, truth: Pose, weight: Weight | None = None) -> Float[Tensor, ""]:
    """Return the mean distance of differences between successive frames.

    A weight is that of joints in frames; a difference has the product of those of its frames.
    """
    both = None if weight is None else weight[:, 1:] * weight[:, :-1]
    return position_error(pose[:, 1:] - pose[:, :-1], truth[:, 1:] - truth[:, :-1], both)
