"""Graph convolution over joints (bones) and over frames (the most similar ones)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17
from pose3d_cli.pose.skeleton import Skeleton

Adjacency = Literal["symmetric", "legacy", "legacy-3dhp"]
Norm = Literal["index", "channel"]

# The neighbour lists of MotionAGFormer's published weights leave out three edges, each in one
# direction only; weights trained that way need the same graph.
_LEGACY_MISSING: Mapping[str, tuple[str, ...]] = {
    "pelvis": ("left_hip",),
    "thorax": ("left_shoulder", "right_shoulder"),
}


def bone_graph(skeleton: Skeleton, adjacency: Adjacency) -> Float[Tensor, "joints joints"]:
    """Return the bone graph without self loops, normalised by the row degrees: D^-1/2 A D^-1/2.

    MotionAGFormer's 3DHP weights were trained on joints in 3DHP's order with the neighbour lists of
    Human3.6M's; `legacy-3dhp` is that graph, wrong as it is, with each joint at its own place.
    """
    graph = torch.zeros(len(skeleton.joints), len(skeleton.joints))
    for parent, joint in skeleton.bones:
        a, b = skeleton.index(joint), skeleton.index(parent)
        graph[a, b] = graph[b, a] = 1
    if adjacency != "symmetric":
        for row, columns in _LEGACY_MISSING.items():
            for column in columns:
                graph[skeleton.index(row), skeleton.index(column)] = 0
    if adjacency == "legacy-3dhp":
        place = [MPI_INF_3DHP17.index(joint) for joint in skeleton.joints]
        graph = graph[place][:, place]
    scale = graph.sum(1).rsqrt()
    return scale[:, None] * graph * scale[None, :]


def similar_frames(
    x: Float[Tensor, "rows frames dim"], neighbours: int
) -> Int[Tensor, "rows frames neighbours"]:
    """Return, for each frame, the frames whose features have the largest dot product with its own.

    The frame itself is nearly always one of them. No gradient flows through the choice.
    """
    with torch.no_grad():
        similarity = x @ x.transpose(-1, -2)
        if neighbours != 2 or x.shape[1] < 2:
            return similarity.topk(min(neighbours, x.shape[1]), dim=-1).indices
        # Two maxima take a third of the time of `topk` over tens of frames.
        first = similarity.max(-1, keepdim=True).indices
        second = similarity.scatter_(-1, first, -torch.inf).max(-1, keepdim=True).indices
        return torch.cat([first, second], -1)


def following_frames(frames: int, neighbours: int) -> Int[Tensor, "frames neighbours"]:
    """Return each frame and those right after it; the clip's last frames repeat the last one."""
    places = torch.arange(frames)[:, None] + torch.arange(neighbours)
    return places.clamp(max=frames - 1)


def mean_of_neighbours(
    x: Float[Tensor, "rows frames dim"], index: Int[Tensor, "rows frames neighbours"]
) -> Float[Tensor, "rows frames dim"]:
    """Return the mean of the chosen frames: D^-1/2 A D^-1/2 x where each row of A has k ones."""
    rows, frames, neighbours = index.shape
    flat = index.reshape(rows, frames * neighbours, 1).expand(-1, -1, x.shape[-1])
    return x.gather(1, flat).view(rows, frames, neighbours, -1).mean(2)


class GraphConvolution(nn.Module):
    """`ReLU(x + BN(A V(x) + U(x)))`; the caller applies the graph A.

    Args:
        dim: Channels of a token.
        nodes: Nodes of the graph; `index` normalisation keeps statistics for each of them.
        norm: `index` ties the layer to this number of nodes, `channel` does not.

    Source: arXiv 2504.01764, GCN stream; form read in the published relatives.
    """

    def __init__(self, dim: int, nodes: int, norm: Norm) -> None:
        super().__init__()
        self.own = nn.Linear(dim, dim)
        self.neighbour = nn.Linear(dim, dim)
        self.per_node = norm == "index"
        self.norm = nn.BatchNorm1d(nodes if self.per_node else dim)
        for linear in (self.own, self.neighbour):
            nn.init.normal_(linear.weight, std=(2 / dim) ** 0.5)

    def finish(
        self, x: Float[Tensor, "rows nodes dim"], mixed: Float[Tensor, "rows nodes dim"]
    ) -> Float[Tensor, "rows nodes dim"]:
        """Return the convolution's answer, given `mixed` = A V(x)."""
        return torch.relu(x + self._normalise(mixed + self.own(x)))

    def _normalise(self, x: Float[Tensor, "rows nodes dim"]) -> Float[Tensor, "rows nodes dim"]:
        if self.per_node and x.shape[1] != self.norm.num_features:
            raise ValueError(
                f"these weights take windows of {self.norm.num_features} frames, got {x.shape[1]}"
            )
        if self.training:
            return self.norm(x) if self.per_node else self.norm(x.transpose(1, 2)).transpose(1, 2)
        # Running statistics are constants now: one multiply-add in place of a normalisation.
        mean, variance = self.norm.running_mean, self.norm.running_var
        if mean is None or variance is None:
            raise TypeError("batch normalisation without running statistics")
        scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
        shift = self.norm.bias - mean * scale
        if self.per_node:
            scale, shift = scale[:, None], shift[:, None]
        return torch.addcmul(shift, x, scale)
