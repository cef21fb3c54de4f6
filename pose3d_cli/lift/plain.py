"""The dual-stream network written as its formulas stand: what `bench lift` measures against.

Same parameters, same answers. Nothing is fused, gathered or folded: attention makes its table of
weights, the temporal graph is a frames x frames matrix, normalisations are layers of their own.
"""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.lift.blocks.attention import Attention
from pose3d_cli.lift.blocks.graph import GraphConvolution, following_frames
from pose3d_cli.lift.zoo.dualstream import (
    AttentionUnit,
    BoneUnit,
    DualBlock,
    DualStream,
    FrameUnit,
    Stream,
    Unit,
)


class PlainDualStream(nn.Module):
    """Runs a dual-stream network's own layers, one operation of the formulas after the other."""

    def __init__(self, network: DualStream) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "b t j 3"]) -> Float[Tensor, "b t j 3"]:
        """Lift a batch of windows."""
        net = self.network
        tokens = net.embed(x) + net.joint_code
        for block in net.blocks:
            tokens = _block(cast(DualBlock, block), tokens)
        return net.head(torch.tanh(net.represent(net.norm(tokens))))


def _block(block: DualBlock, x: Float[Tensor, "b t j c"]) -> Float[Tensor, "b t j c"]:
    answers = [_stream(s, x) for s in (block.attention, block.graph) if s is not None]
    if len(answers) == 1:
        return answers[0]
    if block.fuse is None:
        return (answers[0] + answers[1]) / 2
    share = torch.softmax(block.fuse(torch.cat(answers, -1)), -1)
    return share[..., :1] * answers[0] + share[..., 1:] * answers[1]


def _stream(stream: Stream, x: Float[Tensor, "b t j c"]) -> Float[Tensor, "b t j c"]:
    b, t, j, c = x.shape
    x = _unit(stream.over_joints, x.reshape(b * t, j, c)).view(b, t, j, c)
    tracks = x.transpose(1, 2).reshape(b * j, t, c)
    return _unit(stream.over_frames, tracks).view(b, j, t, c).transpose(1, 2)


def _unit(unit: Unit, x: Float[Tensor, "rows tokens c"]) -> Float[Tensor, "rows tokens c"]:
    x = x + unit.scale1 * _mix(unit, unit.norm1(x))
    return x + unit.scale2 * unit.mlp(unit.norm2(x))


def _mix(unit: nn.Module, x: Float[Tensor, "rows tokens c"]) -> Float[Tensor, "rows tokens c"]:
    if isinstance(unit, AttentionUnit):
        return _attention(unit.attention, x)
    if isinstance(unit, BoneUnit):
        return _convolution(unit.convolution, unit.graph, x)
    if isinstance(unit, FrameUnit):
        return _convolution(unit.convolution, _frame_graph(unit, x), x)
    raise TypeError(f"no plain form of {type(unit).__name__}")


def _attention(
    attention: Attention, x: Float[Tensor, "rows tokens c"]
) -> Float[Tensor, "rows tokens c"]:
    rows, tokens, dim = x.shape
    qkv = attention.qkv(x).reshape(rows, tokens, 3, attention.heads, -1).permute(2, 0, 3, 1, 4)
    query, key, value = qkv[0], qkv[1], qkv[2]
    weight = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    mixed = torch.softmax(weight, -1) @ value
    return attention.out(mixed.transpose(1, 2).reshape(rows, tokens, dim))


def _frame_graph(
    unit: FrameUnit, x: Float[Tensor, "rows frames c"]
) -> Float[Tensor, "*rows frames frames"]:
    frames = x.shape[1]
    if unit.kind == "similar":
        similarity = x @ x.transpose(-1, -2)
        least = similarity.topk(min(unit.neighbours, frames), -1).values[..., -1:]
        graph = (similarity >= least).to(x.dtype)
    else:
        graph = x.new_zeros(frames, frames)
        index = following_frames(frames, unit.neighbours).to(x.device)
        graph = graph.scatter_add(1, index, torch.ones_like(index, dtype=x.dtype))
    scale = graph.sum(-1).rsqrt()
    return scale[..., :, None] * graph * scale[..., None, :]


def _convolution(
    convolution: GraphConvolution, graph: Tensor, x: Float[Tensor, "rows nodes c"]
) -> Float[Tensor, "rows nodes c"]:
    mixed = graph @ convolution.neighbour(x) + convolution.own(x)
    if convolution.per_node:
        mixed = convolution.norm(mixed)
    else:
        mixed = convolution.norm(mixed.transpose(1, 2)).transpose(1, 2)
    return torch.relu(x + mixed)
