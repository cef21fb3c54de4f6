"""Where and with how many threads detectors that are PyTorch networks run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pose3d_cli.errors import DeviceError


def device_called(name: str) -> torch.device:
    """Return the device called `name`; `auto` is cuda where there is one, else the CPU.

    MPS has to be asked for: MMPose was not made for it, and small networks gain little.

    Raises:
        DeviceError: It is not there, or does not work.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        told = " ".join(str(error).split())[:200]
        raise DeviceError(f"--device {name}: {told}; use --device cpu") from error


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Let PyTorch use so many threads in the block, and as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
