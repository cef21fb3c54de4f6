"""Takes of which the detector never sees one arm and one leg."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.pose.skeleton import H36M17

_LIMBS = (("elbow", "wrist"), ("knee", "ankle"))


def hide_limbs(batch: Batch, seed: int) -> tuple[Batch, Bool[Tensor, "takes joints"]]:
    """Return the takes without one arm and one leg each, and which joints are gone.

    Args:
        batch: Takes; `x` and `target` turn with the view, which is about what is still seen.
        seed: Decides for each take which arm and which leg.
    """
    random = torch.Generator().manual_seed(seed)
    takes = len(batch.rays)
    hidden = torch.zeros(takes, len(H36M17.joints), dtype=torch.bool)
    for limb in _LIMBS:
        is_left = torch.rand(takes, generator=random) < 0.5
        for part in limb:
            hidden[is_left, H36M17.index(f"left_{part}")] = True
            hidden[~is_left, H36M17.index(f"right_{part}")] = True
    gone = hidden[:, None]
    rays = batch.rays.masked_fill(gone[..., None], torch.nan)
    score = batch.score.masked_fill(gone, 0.0)
    return Batch.of(rays, score, batch.pose), hidden
