"""How deep in a network a parameter lies: what is frozen, and what learns slower, goes by that."""

from __future__ import annotations

import re

from torch import nn

from pose3d_cli.errors import SettingsError

_BLOCK = re.compile(r"(?:^|\.)blocks\.(\d+)\.")
_AFTER = ("attention.", "norm.", "represent.", "head.", "predict.", "token")


def blocks_of(network: nn.Module) -> nn.ModuleList:
    """Return the blocks of a lifter, or of the lifter that a student wraps."""
    blocks = getattr(getattr(network, "encoder", network), "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        raise SettingsError("--freeze and --layer-decay: this lifter has no blocks to count")
    return blocks


def depth_of(name: str, blocks: int) -> int:
    """Return the place of a parameter's block, -1 for what comes before the blocks.

    Args:
        name: As in `named_parameters`.
        blocks: How many blocks there are; the answer for what comes after them.
    """
    found = _BLOCK.search(name)
    if found:
        return int(found[1])
    return blocks if name.removeprefix("encoder.").startswith(_AFTER) else -1


def freeze(network: nn.Module, blocks: int) -> list[nn.Module]:
    """Let the first blocks, and all that comes before them, learn no more.

    Args:
        network: Its parameters' `requires_grad` is set.
        blocks: How many; 0 freezes nothing.

    Returns:
        The modules to keep in evaluation mode: batch statistics are frozen too.

    Raises:
        SettingsError: There are not so many blocks.
    """
    if not blocks:
        return []
    own = blocks_of(network)
    if blocks > len(own):
        raise SettingsError(f"--freeze {blocks}: the lifter has only {len(own)} blocks")
    for name, parameter in network.named_parameters():
        if depth_of(name, len(own)) < blocks:
            parameter.requires_grad_(False)
    return [
        module
        for name, module in network.named_modules()
        if next(module.children(), None) is None and depth_of(f"{name}.", len(own)) < blocks
    ]
