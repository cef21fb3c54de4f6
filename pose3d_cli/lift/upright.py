"""A network that sees a person go about for seconds, and says which way is up.

A lifter sees a second at most, and turns bodies towards the camera or away where it is in doubt.
Over some seconds people turn, step and come nearer, and that tells. It reads what a detector saw,
not what a lifter made of it, so that its errors are other ones.

Source: our own; convolutions over time with growing strides, as in VideoPose3D (Pavllo et al.,
CVPR 2019), and attention pooling.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from pose3d_cli.lift.rotation import smallest_to_forward, turn_back, unit
from pose3d_cli.pose.skeleton import H36M17

_SEEN = 0.2  # score from which a joint tells how large the person is
_NEAREST = 0.1  # of a ray's length, along the view: what lies beside or behind is no use
_SMALLEST = 1e-3
_TYPICAL_DEG = (2.0, 3.3)  # errors across the view and along it that training begins with
_JOINTS = len(H36M17.joints)
_PELVIS = H36M17.index("pelvis")
_NEVER = -1e9  # as an exponent: a share of nothing, and no NaN where there is nothing else


@dataclass(frozen=True, kw_only=True)
class UprightConfig:
    """Settings of the network."""

    channels: int = 128
    blocks: int = 6
    """Block k looks 2^k frames back and ahead."""
    heads: int = 4
    """Weighted means over time."""
    dropout: float = 0.1
    frames: int = 75
    """Most frames that it sees at once."""
    rate_hz: float = 12.5
    """Frames a second."""

    def __post_init__(self) -> None:
        for name in ("channels", "blocks", "heads", "frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} ({getattr(self, name)}) must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout ({self.dropout}) must be at least 0 and below 1")
        if not 0 < self.rate_hz < float("inf"):
            raise ValueError(f"rate_hz ({self.rate_hz}) must be a number above 0")


@dataclass(frozen=True, eq=False)
class Said:
    """What the network says of each window.

    Attributes:
        up: In camera axes, of length one.
        off_deg: How far it may be off, across the view and along it: the mean absolute error.
        ray: Towards where the person is on the whole, of length one; nought if nobody is seen.
    """

    up: Float[Tensor, "b 3"]
    off_deg: Float[Tensor, "b 2"]
    ray: Float[Tensor, "b 3"]


class UprightNet(nn.Module):
    """From 2D joints over time to the direction that is up.

    Args:
        config: Settings.
    """

    def __init__(self, config: UprightConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.embed = nn.Linear(3 * _JOINTS + 4, width)
        self.blocks = nn.ModuleList(
            _Block(width, 2**number, config.dropout) for number in range(config.blocks)
        )
        self.attention = nn.Linear(width, config.heads)
        self.head = nn.Sequential(
            nn.LayerNorm(config.heads * width),
            nn.Linear(config.heads * width, width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(width, 5),
        )

    def forward(
        self, rays: Float[Tensor, "b t joints 2"], score: Float[Tensor, "b t joints"]
    ) -> Said:
        """Return up of each window.

        Args:
            rays: x/z and y/z of joints in camera axes; NaN where unseen. Frames in which the
                pelvis is not seen, such as those that fill a window up, are not looked at.
            score: In [0, 1]; 0 where unseen, or where rays were filled in.
        """
        seen = is_seen(rays, score)
        ray = _towards(rays, seen)
        rotation = smallest_to_forward(ray)
        x = _inputs(rays, score, seen, rotation)
        x = self.embed(x)
        for block in self.blocks:
            x = block(x, seen)
        share = self.attention(x).masked_fill(~seen[..., None], _NEVER).softmax(1)
        answer = self.head(torch.einsum("bth,btc->bhc", share, x).flatten(1))
        up = unit(answer[:, :3] + answer.new_tensor([0.0, -1.0, 0.0]))
        typical = answer.new_tensor(_TYPICAL_DEG)
        return Said(turn_back(rotation, up[:, None])[:, 0], answer[:, 3:].exp() * typical, ray)


class _Block(nn.Module):
    def __init__(self, width: int, apart: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.over_time = nn.Conv1d(width, width, 3, padding=apart, dilation=apart)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "b t c"], seen: Bool[Tensor, "b t"]) -> Tensor:
        known = self.norm(x) * seen[..., None]  # what is not seen is nought, as beyond the ends
        y = self.over_time(known.transpose(1, 2)).transpose(1, 2)
        return x + self.dropout(self.mix(functional.gelu(y)))


def is_seen(
    rays: Float[Tensor, "b t joints 2"], score: Float[Tensor, "b t joints"]
) -> Bool[Tensor, "b t"]:
    """Return which frames are looked at: those in which the pelvis is seen."""
    return rays[:, :, _PELVIS].isfinite().all(-1) & (score[:, :, _PELVIS] > 0)


def _towards(
    rays: Float[Tensor, "b t joints 2"], seen: Bool[Tensor, "b t"]
) -> Float[Tensor, "b 3"]:
    """Return where the person of each window is on the whole, of length one."""
    pelvis = rays[:, :, _PELVIS].nan_to_num()
    each = unit(torch.cat([pelvis, torch.ones_like(pelvis[..., :1])], -1))
    return unit((each * seen[..., None]).sum(1))


def _inputs(
    rays: Float[Tensor, "b t joints 2"],
    score: Float[Tensor, "b t joints"],
    seen: Bool[Tensor, "b t"],
    rotation: Float[Tensor, "b 3 3"],
) -> Float[Tensor, "b t inputs"]:
    """Return what is read of each frame, turned to where the person is.

    A camera that is turned sees the same rays turned. So each window is seen by one that looks
    straight at where the person is on the whole: where in the picture they are is then in the way
    they go, and in no joint.
    """
    known = rays.isfinite().all(-1) & (score > 0)
    points = torch.cat([rays.nan_to_num(), torch.ones_like(rays[..., :1])], -1)
    points = points @ rotation.transpose(-1, -2)[:, None]
    place = points[..., :2] / points[..., 2:].clamp(min=_NEAREST)
    joints = torch.where(known[..., None], place - place[:, :, _PELVIS, None], 0.0)
    score = score * known
    size = _size(joints, known & (score > _SEEN))
    usual = _mean(size, seen)[:, None]
    parts = (
        (joints / size[..., None, None]).flatten(2),
        score,
        place[:, :, _PELVIS] / usual[..., None],
        torch.log(size / usual)[..., None],
        torch.log(usual).expand_as(size)[..., None],
    )
    return torch.cat(parts, -1) * seen[..., None]


def _size(
    joints: Float[Tensor, "b t joints 2"], used: Bool[Tensor, "b t joints"]
) -> Float[Tensor, "b t"]:
    """Return how far joints are from the pelvis, root mean square."""
    square = (joints**2).sum(-1) * used
    return (square.sum(-1) / used.sum(-1).clamp(min=1)).clamp(min=_SMALLEST**2).sqrt()


def _mean(values: Float[Tensor, "b t"], seen: Bool[Tensor, "b t"]) -> Float[Tensor, " b"]:
    return ((values * seen).sum(1) / seen.sum(1).clamp(min=1)).clamp(min=_SMALLEST)
