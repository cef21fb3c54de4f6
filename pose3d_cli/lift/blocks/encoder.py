"""What a lifter that embeds joints offers to objectives that mask what it embeds."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn


@runtime_checkable
class JointEncoder(Protocol):
    """A lifter in three steps: embed each joint, mix the tokens, decode them.

    Attributes:
        embed: From normalised keypoints (b, t, j, 3) to features, each joint alone.
        blocks: Mix the tokens, one after another.
        norm: Applied to the last block's tokens.
    """

    embed: nn.Linear
    blocks: nn.ModuleList
    norm: nn.LayerNorm

    def encode(
        self, features: Float[Tensor, "b t j c"], *, over_time: bool = True, last: int = 1
    ) -> list[Float[Tensor, "b t j c"]]:
        """Return the outputs of the last `last` blocks; says which joint a feature is of.

        One more than there are blocks returns the input of the first one, too.
        """
        ...

    def decode(self, tokens: Float[Tensor, "b t j c"]) -> Float[Tensor, "b t j 3"]:
        """Return root-relative joints, metres."""
        ...
