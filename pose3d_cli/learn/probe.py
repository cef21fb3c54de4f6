"""How much of the 3D pose a linear map can read off an encoder's tokens."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.learn.held_out import HeldOut
from pose3d_cli.learn.pairs import Pairs
from pose3d_cli.lift.blocks.encoder import JointEncoder

_RIDGE = 1e-2
_LEAST = 1e-12  # of a joint that no truth knows, whose map is 0


def probe_error_mm(
    encoder: JointEncoder, train: Pairs, held_out: HeldOut, device: torch.device
) -> float:
    """Fit one linear map a joint from tokens to 3D on `train`; return MPJPE on `held_out`, mm.

    Args:
        encoder: In evaluation mode; does not learn.
        train: Windows to fit on; joints that their truth lacks have no say.
        held_out: Windows of other people.
        device: Where the encoder is.
    """
    with torch.inference_mode():
        known, unknown = (_tokens(encoder, x, device) for x in (train.x, held_out.x))
        truth = train.target.flatten(0, 1).transpose(0, 1)  # (j, rows, 3)
        known = known * truth.isfinite().all(-1, keepdim=True)
        truth = truth.nan_to_num()
        gram = known.transpose(1, 2) @ known
        scale = gram.diagonal(dim1=1, dim2=2).mean(-1)[:, None, None].clamp(min=_LEAST)
        ridge = _RIDGE * scale * torch.eye(gram.shape[-1])
        weights = torch.linalg.solve(gram + ridge, known.transpose(1, 2) @ truth)
        answer = (unknown @ weights).transpose(0, 1)
        pose = (answer - answer[:, :1]).view_as(held_out.target)
        apart = held_out.in_metres(pose - held_out.target).norm(dim=-1)
        return float(apart.nanmean() * 1000)


def _tokens(
    encoder: JointEncoder, x: Float[Tensor, "b t j 3"], device: torch.device
) -> Float[Tensor, "j rows features"]:
    """Return tokens with a constant 1 beside them, joint by joint."""
    parts = [
        encoder.norm(encoder.encode(encoder.embed(part.to(device)))[-1]).float().cpu()
        for part in torch.split(x, 32)
    ]
    tokens = torch.cat(parts).flatten(0, 1).transpose(0, 1)
    return torch.cat([tokens, torch.ones_like(tokens[..., :1])], -1)
