"""People of whom a detector never sees some limbs: behind a table, or out of the picture."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from pose3d_cli.learn.pairs import P
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.pose.skeleton import H36M17

_LIMBS = (("elbow", "wrist"), ("knee", "ankle"))
_ONE_LIMB, _BOTH_LEGS, _ONLY_ITS_END = 0.4, 0.3, 0.3


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
    return batch.hiding(hidden), hidden


def hide_some(batch: P, share: float, random: torch.Generator) -> P:
    """Return the batch with limbs gone from some windows, for the whole of each.

    Args:
        batch: Windows.
        share: Of the windows that lose arms, legs, or the ends of them; often it is both legs.
        random: Source of chance.
    """
    if not share:
        return batch
    windows = len(batch.score)
    gone = torch.zeros(windows, len(H36M17.joints), dtype=torch.bool)
    no_legs = torch.rand(windows, generator=random) < _BOTH_LEGS
    for upper, end in _LIMBS:
        for side in ("left", "right"):
            limb = torch.rand(windows, generator=random) < _ONE_LIMB
            limb = limb | no_legs if end == "ankle" else limb
            upper_too = torch.rand(windows, generator=random) >= _ONLY_ITS_END
            gone[:, H36M17.index(f"{side}_{end}")] = limb
            gone[:, H36M17.index(f"{side}_{upper}")] = limb & upper_too
    gone &= (torch.rand(windows, generator=random) < share)[:, None]
    return batch.hiding(gone)
