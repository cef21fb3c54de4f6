"""How much of the 3D pose a linear map can read off an encoder's tokens."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.lift.blocks.encoder import JointEncoder

_RIDGE = 1e-2


def probe_error_mm(
    encoder: JointEncoder, train: Batch, held_out: Batch, device: torch.device
) -> float:
    """Fit one linear map a joint from tokens to 3D on `train`; return MPJPE on `held_out`, mm.

    Args:
        encoder: In evaluation mode; does not learn.
        train: Windows to fit on.
        held_out: Windows of other people.
        device: Where the encoder is.
    """
    with torch.inference_mode():
        known, unknown = (_tokens(encoder, batch, device) for batch in (train, held_out))
        truth = train.target.flatten(0, 1).transpose(0, 1)  # (j, rows, 3)
        gram = known.transpose(1, 2) @ known
        scale = gram.diagonal(dim1=1, dim2=2).mean(-1)[:, None, None]
        ridge = _RIDGE * scale * torch.eye(gram.shape[-1])
        weights = torch.linalg.solve(gram + ridge, known.transpose(1, 2) @ truth)
        answer = (unknown @ weights).transpose(0, 1)
        pose = answer - answer[:, :1]
        return float((pose - held_out.target.flatten(0, 1)).norm(dim=-1).mean() * 1000)


def _tokens(
    encoder: JointEncoder, batch: Batch, device: torch.device
) -> Float[Tensor, "j rows features"]:
    """Return tokens with a constant 1 beside them, joint by joint."""
    parts = [
        encoder.norm(encoder.encode(encoder.embed(x.to(device)))[-1]).float().cpu()
        for x in torch.split(batch.x, 32)
    ]
    tokens = torch.cat(parts).flatten(0, 1).transpose(0, 1)
    return torch.cat([tokens, torch.ones_like(tokens[..., :1])], -1)
