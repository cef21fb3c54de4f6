"""Self-attention over one axis of tokens."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

# On the CPU, at tens of tokens, the fused kernel's backward takes three times as long as two
# products and a softmax. Its forward is the faster one at 17 (joints) and from 81 (frames), but
# takes 1.4 times as long at 27.
_SLOW_WHEN_FUSED = range(20, 41)


class Attention(nn.Module):
    """Multi-head self-attention; query, key and value without bias, output with.

    Source: Vaswani et al. 2017, eq. 1; arXiv 2504.01764 uses it over joints and over frames.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Mix the tokens of each row."""
        rows, tokens, dim = x.shape
        qkv = self.qkv(x).view(rows, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (rows, heads, tokens, dim / heads)
        if x.device.type == "cpu" and (x.requires_grad or tokens in _SLOW_WHEN_FUSED):
            weight = (q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)).softmax(-1)
            mixed = weight @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(rows, tokens, dim))
