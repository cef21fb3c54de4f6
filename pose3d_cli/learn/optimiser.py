"""The optimiser of a run: Muon for the hidden layers' matrices, AdamW for all else, as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from pose3d_cli.learn.depth import blocks_of, depth_of
from pose3d_cli.learn.schedule import learning_rate
from pose3d_cli.learn.settings import TrainSettings

# A matrix with fewer rows or columns reads coordinates, writes them or weighs streams: its rows
# have meanings of their own, which making them orthogonal would mix.
_NARROW = 16


class Optimiser:
    """Steps every parameter of a network, with the optimiser that suits it.

    Muon (Jordan 2024; its rate matched to AdamW's as in arXiv 2502.16982) makes the update of a
    matrix orthogonal, so that directions seen seldom are learnt as fast as those seen often.

    Args:
        network: Its parameters are trained.
        settings: Kind of optimiser, rates and weight decay.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings) -> None:
        self.settings = settings
        matrices, others = _groups(network, settings)
        self.parts: list[torch.optim.Optimizer] = []
        if matrices:
            self.parts.append(
                torch.optim.Muon(matrices, lr=settings.lr, adjust_lr_fn="match_rms_adamw")
            )
        if others:
            amsgrad = settings.optimiser == "amsgrad"
            self.parts.append(torch.optim.AdamW(others, lr=settings.lr, amsgrad=amsgrad))

    @property
    def groups(self) -> Iterator[dict[str, Any]]:
        """Groups of parameters with their rates."""
        return (group for part in self.parts for group in part.param_groups)

    def step(self, step: int) -> None:
        """Change the parameters by their gradients, at the rates of `step` (from 0)."""
        rate = learning_rate(step, self.settings)
        over_time = self.settings.stage == "finetune" and step >= self.settings.single_steps
        for group in self.groups:
            slowed = over_time and not group["is_over_time"]
            group["lr"] = rate * group["share"] * (self.settings.learnt_lr if slowed else 1)
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undo `state_dict`."""
        for part, part_state in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(part_state)


def _groups(
    network: nn.Module, settings: TrainSettings
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the groups for Muon and for AdamW.

    Weight decay shrinks matrices only: scales, biases and codes have a meaning at any size.
    """
    kinds: dict[tuple[bool, bool, bool, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        is_matrix = parameter.ndim > 1 and not name.endswith("code")
        is_hidden = is_matrix and parameter.ndim == 2 and min(parameter.shape) >= _NARROW
        muon = settings.optimiser == "muon" and is_hidden
        kind = muon, is_matrix, ".over_frames." in name, _share(network, name, settings)
        kinds.setdefault(kind, []).append(parameter)
    groups: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for (muon, is_matrix, is_over_time, share), parameters in sorted(kinds.items()):
        groups[not muon].append(
            {
                "params": parameters,
                "weight_decay": settings.weight_decay if is_matrix else 0.0,
                "is_over_time": is_over_time,
                "share": share,
            }
        )
    return groups


def _share(network: nn.Module, name: str, settings: TrainSettings) -> float:
    """Return the share of the learning rate that a parameter gets for its depth."""
    if settings.layer_decay == 1:
        return 1.0
    blocks = len(blocks_of(network))
    return settings.layer_decay ** (blocks - depth_of(name, blocks))
