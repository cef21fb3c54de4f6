"""Checkpoints in the form of MotionAGFormer's published files, with chance in every tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

TINY = {"frames": 9, "dim": 16, "depth": 2, "representation": 24}
XS = {"frames": 27, "dim": 64, "depth": 12, "representation": 512}


class _Chance:
    """Tensors of chance, collected under their names."""

    def __init__(self, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.state: dict[str, torch.Tensor] = {}

    def noise(self, name: str, *shape: int, scale: float = 1.0, middle: float = 0.0) -> None:
        self.state[name] = middle + scale * torch.randn(shape, generator=self.random)

    def linear(self, name: str, inputs: int, outputs: int, *, bias: bool = True) -> None:
        self.noise(f"{name}.weight", outputs, inputs, scale=inputs**-0.5)
        if bias:
            self.noise(f"{name}.bias", outputs, scale=0.2)

    def norm(self, name: str, size: int) -> None:
        self.noise(f"{name}.weight", size, scale=0.2, middle=1.0)
        self.noise(f"{name}.bias", size, scale=0.2)

    def batch_norm(self, name: str, nodes: int) -> None:
        self.norm(name, nodes)
        self.noise(f"{name}.running_mean", nodes, scale=0.3)
        self.noise(f"{name}.running_var", nodes)
        self.state[f"{name}.running_var"] = 0.5 + self.state[f"{name}.running_var"].abs()
        tracked = torch.randint(1, 9999, (), generator=self.random)
        self.state[f"{name}.num_batches_tracked"] = tracked

    def unit(self, name: str, dim: int, nodes: int | None) -> None:
        """A unit of attention, or of a graph with so many nodes."""
        self.norm(f"{name}.norm1", dim)
        if nodes is None:
            self.linear(f"{name}.mixer.qkv", dim, 3 * dim, bias=False)
            self.linear(f"{name}.mixer.proj", dim, dim)
        else:
            self.linear(f"{name}.mixer.U", dim, dim)
            self.linear(f"{name}.mixer.V", dim, dim)
            self.batch_norm(f"{name}.mixer.batch_norm", nodes)
        self.norm(f"{name}.norm2", dim)
        self.linear(f"{name}.mlp.fc1", dim, 4 * dim)
        self.linear(f"{name}.mlp.fc2", 4 * dim, dim)
        for scale in ("layer_scale_1", "layer_scale_2"):
            self.noise(f"{name}.{scale}", dim, scale=0.1, middle=0.2)


def state_dict(
    *, frames: int, dim: int, depth: int, representation: int, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Return tensors under the names that training on several GPUs gives them."""
    chance = _Chance(seed)
    chance.linear("joints_embed", 3, dim)
    chance.noise("pos_embed", 1, 17, dim, scale=0.5)
    chance.norm("norm", dim)
    for layer in range(depth):
        name = f"layers.{layer}"
        chance.unit(f"{name}.att_spatial", dim, None)
        chance.unit(f"{name}.att_temporal", dim, None)
        chance.unit(f"{name}.graph_spatial", dim, 17)
        chance.unit(f"{name}.graph_temporal", dim, frames)
        chance.linear(f"{name}.fusion", 2 * dim, 2)
    chance.linear("rep_logit.fc", dim, representation)
    chance.linear("head", representation, 3)
    return {f"module.{name}": tensor for name, tensor in chance.state.items()}


def checkpoint(seed: int = 0, **size: int) -> dict[str, Any]:
    """Return all that a published file holds, its optimiser among it."""
    state = state_dict(**(size or TINY), seed=seed)
    moments = {
        number: {"step": torch.tensor(7.0), "exp_avg": tensor, "exp_avg_sq": tensor**2}
        for number, tensor in enumerate(state.values())
        if tensor.is_floating_point()
    }
    groups = [{"lr": 4e-4, "betas": (0.9, 0.999), "params": list(moments)}]
    return {
        "epoch": 57,
        "lr": 2.7e-4,
        "optimizer": {"state": moments, "param_groups": groups},
        "model": state,
        "min_mpjpe": np.float64(45.125),
        "wandb_id": "1a2b3c4d",
    }


def write(path: Path, seed: int = 0, **size: int) -> Path:
    """Write a checkpoint; of the tiny size if none is given."""
    torch.save(checkpoint(seed, **size), path)
    return path
