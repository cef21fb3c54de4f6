"""Residual MLP: each frame alone, all its joints at once. The yardstick for lifters that see time.

Source: Martinez et al., ICCV 2017 (arXiv 1705.03098), independent writing. Differs from it in:
root and scores are part of the input, and the limits on weight norms are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.lift.shelf import register_lifter


@dataclass(frozen=True, kw_only=True)
class ResidualMLPConfig:
    """Settings of the residual MLP."""

    frames: int = 27
    """Window length in frames; frames do not see each other, so any will do."""
    joints: int = 17
    """Joints of the skeleton the network reads and writes."""
    dim: int = 1024
    """Channels of a hidden layer."""
    depth: int = 2
    """Residual blocks of two layers each."""
    dropout: float = 0.1
    """Share of channels silenced while training; the paper's 0.5 suits a smaller data set."""

    def __post_init__(self) -> None:
        for name in ("frames", "joints", "dim", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} ({getattr(self, name)}) must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout ({self.dropout}) must be at least 0 and below 1")


def _layer(channels: int, config: ResidualMLPConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels, config.dim),
        nn.BatchNorm1d(config.dim),
        nn.ReLU(),
        nn.Dropout(config.dropout),
    )


@register_lifter(
    "residual_mlp",
    config=ResidualMLPConfig,
    presets={"tiny": ResidualMLPConfig(frames=9, dim=32), "base": ResidualMLPConfig()},
)
class ResidualMLP(nn.Module):
    """Normalised 2D keypoints in, root-relative 3D joints out, a frame at a time."""

    def __init__(self, config: ResidualMLPConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = _layer(3 * config.joints, config)
        self.blocks = nn.ModuleList(
            nn.Sequential(_layer(config.dim, config), _layer(config.dim, config))
            for _ in range(config.depth)
        )
        self.head = nn.Linear(config.dim, 3 * config.joints)

    def forward(
        self,
        x: Float[Tensor, "b t j 3"],
        *,
        over_time: bool = True,  # noqa: ARG002 - lifters are called alike; frames are alone anyway
    ) -> Float[Tensor, "b t j 3"]:
        """Lift a batch of windows of any length.

        Args:
            x: Normalised x and y, then the detector's score, of h36m17 joints.
            over_time: Makes no difference to a lifter of single frames.

        Returns:
            Joints relative to the pelvis, axes of the (turned) camera, in the unit of training.
        """
        hidden = self.enter(x.reshape(-1, 3 * self.config.joints))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.head(hidden).view(x.shape)
