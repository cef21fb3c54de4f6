"""The dual-stream network from its formulas: slow, without layers, in plain sums.

Written from the specification alone and not from the lean code, which must agree with it.
"""

from __future__ import annotations

import math

import torch

# Rows of the published neighbour lists, in H36M order; three edges go one way only.
LEGACY = [
    [1, 7], [2, 0], [3, 1], [2], [5, 0], [6, 4], [5], [0, 8], [7, 9], [8, 10], [9],
    [12, 8], [13, 11], [12], [15, 8], [16, 14], [15],
]  # fmt: skip
PARENTS = [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
EPS = 1e-5


class Reference:
    """Runs on a state dict.

    Args:
        state: Parameters and running statistics by name.
        config: Settings of the network.
        training: Whether normalisations over the batch use the batch's own statistics.
    """

    def __init__(self, state, config, *, training):
        self.state, self.config, self.training = state, config, training

    def __call__(self, x, *, over_time=True):
        e = self.linear(x, "embed") + self.state["joint_code"]
        for block in range(self.config.depth):
            e = self.block(e, f"blocks.{block}", over_time)
        e = torch.tanh(self.linear(self.layer_norm(e, "norm"), "represent"))
        return self.linear(e, "head")

    def block(self, e, name, over_time):
        streams = {"both": ("attention", "graph"), "transformer": ("attention",), "gcn": ("graph",)}
        answers = []
        for stream in streams[self.config.streams]:
            mixer = self.attend if stream == "attention" else self.convolve_joints
            a = self.unit(e, f"{name}.{stream}.over_joints", mixer)
            if over_time:
                mixer = self.attend if stream == "attention" else self.convolve_frames
                a = self.unit(a.permute(0, 2, 1, 3), f"{name}.{stream}.over_frames", mixer)
                a = a.permute(0, 2, 1, 3)
            answers.append(a)
        if len(answers) == 1:
            return answers[0]
        if self.config.fusion == "mean":
            return 0.5 * answers[0] + 0.5 * answers[1]
        w = torch.exp(self.linear(torch.cat(answers, -1), f"{name}.fuse"))
        w = w / w.sum(-1, keepdim=True)
        return w[..., 0:1] * answers[0] + w[..., 1:2] * answers[1]

    def unit(self, z, name, mixer):
        """z = z + g1 Mixer(LN(z)); z = z + g2 MLP(LN(z)). Tokens are on the last axis but one."""
        z = z + self.state[f"{name}.scale1"] * mixer(self.layer_norm(z, f"{name}.norm1"), name)
        hidden = self.linear(self.layer_norm(z, f"{name}.norm2"), f"{name}.mlp.0")
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
        return z + self.state[f"{name}.scale2"] * self.linear(hidden, f"{name}.mlp.2")

    def attend(self, z, name):
        d, heads = self.config.dim, self.config.heads
        qkv = z @ self.state[f"{name}.attention.qkv.weight"].T
        q, k, v = qkv[..., :d], qkv[..., d : 2 * d], qkv[..., 2 * d :]
        mixed = []
        for head in range(heads):
            part = slice(head * d // heads, (head + 1) * d // heads)
            w = q[..., part] @ k[..., part].transpose(-1, -2) / math.sqrt(d / heads)
            w = torch.exp(w - w.max(-1, keepdim=True).values)
            mixed.append(w / w.sum(-1, keepdim=True) @ v[..., part])
        return self.linear(torch.cat(mixed, -1), f"{name}.attention.out")

    def convolve_joints(self, z, name):
        a = torch.zeros(17, 17, dtype=z.dtype)
        if self.config.adjacency == "legacy":
            for row, columns in enumerate(LEGACY):
                a[row, columns] = 1
        else:
            for joint, parent in enumerate(PARENTS[1:], start=1):
                a[joint, parent] = a[parent, joint] = 1
        return self.convolve(z, a, name)

    def convolve_frames(self, z, name):
        frames, k = z.shape[-2], self.config.neighbours
        if self.config.temporal_graph == "similar":
            s = z @ z.transpose(-1, -2)
            kth = s.sort(-1, descending=True).values[..., k - 1 : k]
            return self.convolve(z, (s >= kth).to(z.dtype), name)
        a = torch.zeros(frames, frames, dtype=z.dtype)
        for i in range(frames):
            for step in range(k):
                a[i, min(i + step, frames - 1)] += 1
        return self.convolve(z, a, name)

    def convolve(self, z, a, name):
        """ReLU(z + BN(D^-1/2 A D^-1/2 V(z) + U(z)))."""
        degree = a.sum(-1)
        a_hat = a / torch.sqrt(degree[..., :, None] * degree[..., None, :])
        name = f"{name}.convolution"
        u = self.linear(z, f"{name}.own")
        mixed = a_hat @ self.linear(z, f"{name}.neighbour") + u
        return torch.clamp(z + self.batch_norm(mixed, f"{name}.norm"), min=0)

    def batch_norm(self, z, name):
        """Statistics of each node (over batch and channels) or channel (over batch and nodes)."""
        kept = z.ndim - (2 if self.config.gcn_norm == "index" else 1)
        others = [axis for axis in range(z.ndim) if axis != kept]
        shape = [z.shape[axis] if axis == kept else 1 for axis in range(z.ndim)]
        if self.training:
            mean = z.mean(others, keepdim=True)
            variance = ((z - mean) ** 2).mean(others, keepdim=True)
        else:
            mean = self.state[f"{name}.running_mean"].view(shape)
            variance = self.state[f"{name}.running_var"].view(shape)
        weight, bias = (self.state[f"{name}.{part}"].view(shape) for part in ("weight", "bias"))
        return (z - mean) / torch.sqrt(variance + EPS) * weight + bias

    def layer_norm(self, z, name):
        mean = z.mean(-1, keepdim=True)
        variance = ((z - mean) ** 2).mean(-1, keepdim=True)
        z = (z - mean) / torch.sqrt(variance + EPS)
        return z * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def linear(self, z, name):
        return z @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]
