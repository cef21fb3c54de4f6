"""MotionAGFormer in numpy, from its formulas and the names in its checkpoints.

It knows nothing of our code: neither its names, nor its joints, nor its order of streams.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf

# Neighbours of each joint, by its number, as published; made for Human3.6M's order.
NEIGHBOURS = {
    0: [1, 7], 1: [2, 0], 2: [3, 1], 3: [2], 4: [5, 0], 5: [6, 4], 6: [5], 7: [0, 8],
    8: [7, 9], 9: [8, 10], 10: [9], 11: [12, 8], 12: [13, 11], 13: [12], 14: [15, 8],
    15: [16, 14], 16: [15],
}  # fmt: skip
HEADS, SIMILAR = 8, 2


class MotionAGFormer:
    """Runs a checkpoint's state dict on windows (batch, frames, joints, 3), in float64."""

    def __init__(self, state):
        self.p = {
            name.removeprefix("module."): np.asarray(tensor, np.float64)
            for name, tensor in state.items()
        }
        self.depth = len({name.split(".")[1] for name in self.p if name.startswith("layers.")})

    def __call__(self, x):
        x = self.linear("joints_embed", np.asarray(x, np.float64)) + self.p["pos_embed"]
        for layer in range(self.depth):
            x = self.block(f"layers.{layer}", x)
        x = np.tanh(self.linear("rep_logit.fc", self.layer_norm("norm", x)))
        return self.linear("head", x)

    def block(self, name, x):
        attention = self.unit(f"{name}.att_spatial", x, self.attention)
        attention = self.over_time(f"{name}.att_temporal", attention, self.attention)
        graph = self.unit(f"{name}.graph_spatial", x, self.bones)
        graph = self.over_time(f"{name}.graph_temporal", graph, self.frames)
        share = softmax(self.linear(f"{name}.fusion", np.concatenate([attention, graph], -1)))
        return attention * share[..., 0:1] + graph * share[..., 1:2]

    def over_time(self, name, x, mixer):
        return self.unit(name, x.swapaxes(1, 2), mixer).swapaxes(1, 2)

    def unit(self, name, x, mixer):
        mixed = mixer(f"{name}.mixer", self.layer_norm(f"{name}.norm1", x))
        x = x + self.p[f"{name}.layer_scale_1"] * mixed
        hidden = self.linear(f"{name}.mlp.fc1", self.layer_norm(f"{name}.norm2", x))
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        return x + self.p[f"{name}.layer_scale_2"] * self.linear(f"{name}.mlp.fc2", hidden)

    def attention(self, name, x):
        *outer, nodes, dim = x.shape
        qkv = (x @ self.p[f"{name}.qkv.weight"].T).reshape(*outer, nodes, 3, HEADS, dim // HEADS)
        query, key, value = (np.moveaxis(qkv[..., part, :, :], -2, -3) for part in range(3))
        weight = softmax(query @ key.swapaxes(-1, -2) / np.sqrt(dim // HEADS))
        mixed = np.moveaxis(weight @ value, -3, -2).reshape(*outer, nodes, dim)
        return self.linear(f"{name}.proj", mixed)

    def bones(self, name, x):
        graph = np.zeros((17, 17))
        for joint, neighbours in NEIGHBOURS.items():
            graph[joint, neighbours] = 1
        return self.graph(name, x, graph)

    def frames(self, name, x):
        similarity = x @ x.swapaxes(-1, -2)
        least = np.sort(similarity, -1)[..., -SIMILAR, None]
        return self.graph(name, x, (similarity >= least).astype(float))

    def graph(self, name, x, graph):
        degree = np.einsum("...ij->...i", graph) ** -0.5
        graph = degree[..., :, None] * graph * degree[..., None, :]
        mixed = graph @ self.linear(f"{name}.V", x) + self.linear(f"{name}.U", x)
        return np.maximum(x + self.batch_norm(f"{name}.batch_norm", mixed), 0)

    def batch_norm(self, name, x):
        mean, variance, weight, bias = (
            self.p[f"{name}.{part}"][:, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias

    def layer_norm(self, name, x):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        x = (x - mean) / np.sqrt(variance + 1e-5)
        return x * self.p[f"{name}.weight"] + self.p[f"{name}.bias"]

    def linear(self, name, x):
        return x @ self.p[f"{name}.weight"].T + self.p[f"{name}.bias"]


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)
