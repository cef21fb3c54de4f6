"""The arithmetic of training: half as many bits where the machine has instructions for them."""

from __future__ import annotations

import torch

from pose3d_cli.learn.settings import Precision

_BF16_OF_CPUS = ("avx512_bf16", "amx_bf16", "bf16")


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context of a forward pass.

    `auto` is bf16 where the hardware has it. Elsewhere bf16 is worked out in software: right, but
    a training step of a small network then takes ten times as long as in fp32.
    """
    is_bf16 = precision == "bf16" or (precision == "auto" and has_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=is_bf16)


def has_bf16(device: torch.device) -> bool:
    """Return whether a device has instructions for bf16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    there = torch.cpu.get_capabilities()
    return any(there.get(name) is True for name in _BF16_OF_CPUS)
