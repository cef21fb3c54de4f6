"""What a network costs: its parameters, and the multiply-accumulates of one window."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers the network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_multiply_accumulates(network: nn.Module, frames: int, joints: int = 17) -> int:
    """Return the multiply-accumulates of lifting one window.

    Linear layers, attention products and graph products count alike; additions, normalisations
    and gathered neighbours, which multiply nothing, do not. Nothing is computed, so that a network
    built on the `meta` device, which has no values, is counted too.

    Args:
        network: Takes (batch, frames, joints, 3).
        frames: Frames of the window.
        joints: Joints of a frame.
    """
    # Some fused kernels of the CPU are unknown to the counter; the meta device takes them apart.
    shapes_only = copy.deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shapes_only(torch.zeros(1, frames, joints, 3, device="meta"))
    return counter.get_total_flops() // 2
