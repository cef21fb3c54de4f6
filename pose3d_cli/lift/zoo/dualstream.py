"""Dual-stream Transformer-GCN: attention sees far, graph convolution sees near; fused per token.

Source: arXiv 2504.01764, with what its abstract leaves open filled in from the published
relatives; independent writing. Differs from them in: the bone graph is symmetric by default, and
the network can be run on single frames (`over_time=False`), which its training starts with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.lift.blocks.attention import Attention
from pose3d_cli.lift.blocks.graph import (
    Adjacency,
    GraphConvolution,
    Norm,
    bone_graph,
    following_frames,
    mean_of_neighbours,
    similar_frames,
)
from pose3d_cli.lift.shelf import register_lifter
from pose3d_cli.pose.skeleton import H36M17

_LAYER_SCALE = 1e-5

# Inference on the CPU: more tokens than this (in numbers) go through the wide hidden layer part by
# part, each of which stays in the cache; it takes 0.8 of the time.
_OUT_OF_CACHE, _PART = 2**18, 2**16


@dataclass(frozen=True, kw_only=True)
class DualStreamConfig:
    """Settings of the dual-stream lifter."""

    frames: int = 243
    """Window length in frames."""
    joints: int = 17
    """Joints of the skeleton the network reads and writes."""
    dim: int = 128
    """Channels of a joint token."""
    heads: int = 8
    """Attention heads; must divide `dim`."""
    depth: int = 16
    """Dual blocks."""
    representation: int = 512
    """Channels of the last layer before the coordinates."""
    streams: Literal["both", "transformer", "gcn"] = "both"
    """Which of the two streams exist."""
    fusion: Literal["adaptive", "mean"] = "adaptive"
    """How the two streams become one: learnt weights for each token, or their mean."""
    adjacency: Adjacency = "symmetric"
    """Bone graph: `legacy` and `legacy-3dhp` are those of MotionAGFormer's published weights."""
    temporal_graph: Literal["similar", "following"] = "similar"
    """Neighbours of a frame: those with the most similar features, or those right after it."""
    neighbours: int = 2
    """Neighbours of a frame in the temporal graph, itself among them."""
    gcn_norm: Norm = "index"
    """Batch statistics of the graph convolutions: by node (fixes the window length) or channel."""
    layer_scale: float = _LAYER_SCALE
    """Start value of the residual branches' scale; small values start near the identity."""

    def __post_init__(self) -> None:
        for name in ("frames", "dim", "heads", "depth", "representation", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} ({getattr(self, name)}) must be at least 1")
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        if self.joints != len(H36M17.joints):
            raise ValueError(f"joints ({self.joints}) must be {len(H36M17.joints)}, as in h36m17")


class Unit(nn.Module, ABC):
    """Pre-norm residual unit with scaled branches: a mixer over tokens, then a channel MLP."""

    def __init__(self, dim: int, layer_scale: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.scale1 = nn.Parameter(torch.full((dim,), layer_scale))
        self.scale2 = nn.Parameter(torch.full((dim,), layer_scale))
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    @abstractmethod
    def mix(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Mix normalised tokens; each kind of unit says how."""

    def forward(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Mix the tokens of each row, then each token's channels."""
        x = torch.addcmul(x, self.scale1, self.mix(self.norm1(x)).to(x.dtype))
        if x.requires_grad or x.device.type != "cpu" or x.numel() < _OUT_OF_CACHE:
            return torch.addcmul(x, self.scale2, self.mlp(self.norm2(x)).to(x.dtype))
        tokens = x.reshape(-1, x.shape[-1])
        for part in torch.split(tokens, _PART // x.shape[-1]):
            part.addcmul_(self.scale2, self.mlp(self.norm2(part)).to(x.dtype))
        return tokens.view(x.shape)


class AttentionUnit(Unit):
    """Every token looks at every other: joints of a frame, or frames of a joint."""

    def __init__(self, config: DualStreamConfig) -> None:
        super().__init__(config.dim, config.layer_scale)
        self.attention = Attention(config.dim, config.heads)

    def mix(self, x: Float[Tensor, "rows tokens dim"]) -> Float[Tensor, "rows tokens dim"]:
        """Mix by self-attention."""
        return self.attention(x)


class BoneUnit(Unit):
    """Each joint hears its neighbours along the bones."""

    graph: Tensor

    def __init__(self, config: DualStreamConfig) -> None:
        super().__init__(config.dim, config.layer_scale)
        self.convolution = GraphConvolution(config.dim, config.joints, config.gcn_norm)
        self.register_buffer("graph", bone_graph(H36M17, config.adjacency), persistent=False)

    def mix(self, x: Float[Tensor, "rows joints dim"]) -> Float[Tensor, "rows joints dim"]:
        """Mix along the bones."""
        return self.convolution.finish(x, self.graph @ self.convolution.neighbour(x))


class FrameUnit(Unit):
    """Each frame of a joint hears the frames it resembles most."""

    def __init__(self, config: DualStreamConfig) -> None:
        super().__init__(config.dim, config.layer_scale)
        self.convolution = GraphConvolution(config.dim, config.frames, config.gcn_norm)
        self.neighbours, self.kind = config.neighbours, config.temporal_graph

    def mix(self, x: Float[Tensor, "rows frames dim"]) -> Float[Tensor, "rows frames dim"]:
        """Mix over time."""
        if self.kind == "similar":
            index = similar_frames(x, self.neighbours)
        else:
            index = following_frames(x.shape[1], self.neighbours).to(x.device)
            index = index.expand(len(x), -1, -1)
        mixed = mean_of_neighbours(self.convolution.neighbour(x), index)
        return self.convolution.finish(x, mixed)


class Stream(nn.Module):
    """A unit over joints, then a unit over frames."""

    def __init__(self, over_joints: Unit, over_frames: Unit) -> None:
        super().__init__()
        self.over_joints, self.over_frames = over_joints, over_frames

    def forward(self, x: Float[Tensor, "b t j c"], over_time: bool) -> Float[Tensor, "b t j c"]:
        """Mix within each frame and, if `over_time`, along each joint's track."""
        b, t, j, c = x.shape
        x = self.over_joints(x.reshape(b * t, j, c)).view(b, t, j, c)
        if not over_time:
            return x
        tracks = x.transpose(1, 2).reshape(b * j, t, c)
        return self.over_frames(tracks).view(b, j, t, c).transpose(1, 2)


class DualBlock(nn.Module):
    """Two streams side by side at full width, and their fusion."""

    def __init__(self, config: DualStreamConfig) -> None:
        super().__init__()
        self.attention = self.graph = self.fuse = None
        if config.streams != "gcn":
            self.attention = Stream(AttentionUnit(config), AttentionUnit(config))
        if config.streams != "transformer":
            self.graph = Stream(BoneUnit(config), FrameUnit(config))
        if config.streams == "both" and config.fusion == "adaptive":
            self.fuse = nn.Linear(2 * config.dim, 2)
            nn.init.zeros_(self.fuse.weight)  # both streams count alike at the start
            nn.init.constant_(self.fuse.bias, 0.5)

    def forward(self, x: Float[Tensor, "b t j c"], over_time: bool) -> Float[Tensor, "b t j c"]:
        """Return the fusion of both streams' answers."""
        answers = [
            stream(x, over_time) for stream in (self.attention, self.graph) if stream is not None
        ]
        if len(answers) == 1:
            return answers[0]
        far, near = answers
        if self.fuse is None:
            return (far + near) / 2
        # A softmax over two is a sigmoid of their difference.
        logits = self.fuse(torch.cat([far, near], -1))
        share = torch.sigmoid(logits[..., :1] - logits[..., 1:]).to(far.dtype)
        return torch.lerp(near, far, share)


@register_lifter(
    "dualstream",
    config=DualStreamConfig,
    presets={
        "tiny": DualStreamConfig(frames=9, dim=16, heads=2, depth=2, representation=32),
        "xs": DualStreamConfig(frames=27, dim=64, depth=12),
        "s": DualStreamConfig(frames=81, dim=64, depth=26),
        "base": DualStreamConfig(),
        "l": DualStreamConfig(depth=26),
        "large": DualStreamConfig(dim=256),
    },
)
class DualStream(nn.Module):
    """Normalised 2D keypoints in, root-relative 3D joints out."""

    def __init__(self, config: DualStreamConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(3, config.dim)
        self.joint_code = nn.Parameter(torch.zeros(config.joints, config.dim))
        self.blocks = nn.ModuleList(DualBlock(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim)
        self.represent = nn.Linear(config.dim, config.representation)
        self.head = nn.Linear(config.representation, 3)

    def forward(
        self, x: Float[Tensor, "b t j 3"], *, over_time: bool = True
    ) -> Float[Tensor, "b t j 3"]:
        """Lift a batch of windows.

        Args:
            x: Normalised x and y, then the detector's score, of h36m17 joints.
            over_time: Let frames see each other. Without it each frame is lifted alone, by the
                units over joints only, and a window may have any length.

        Returns:
            Joints relative to the pelvis, axes of the (turned) camera, in the unit of training.
        """
        return self.decode(self.encode(self.embed(x), over_time=over_time)[-1])

    def encode(
        self, features: Float[Tensor, "b t j c"], *, over_time: bool = True, last: int = 1
    ) -> list[Float[Tensor, "b t j c"]]:
        """Return what the last `last` blocks make of embedded keypoints.

        One more than there are blocks returns what the first one is given, too.

        The joint code is added here, after the embedding, so that a feature that was masked still
        knows whose it is.
        """
        tokens = features + self.joint_code
        outputs: list[Tensor] = [tokens] if last > len(self.blocks) else []
        for place, block in enumerate(self.blocks):
            tokens = block(tokens, over_time)
            if place >= len(self.blocks) - last:
                outputs.append(tokens)
        return outputs

    def decode(self, tokens: Float[Tensor, "b t j c"]) -> Float[Tensor, "b t j 3"]:
        """Return the joints that the last block's tokens stand for."""
        return self.head(torch.tanh(self.represent(self.norm(tokens))))
