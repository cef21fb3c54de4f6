"""The device a user asked for: there, or an error; never another one in silence."""

from __future__ import annotations

import torch

from pose3d_cli.config import nearest
from pose3d_cli.errors import DeviceError, UnknownNameError

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve(name: str) -> torch.device:
    """Return the device called `name`; `auto` takes the fastest kind that works.

    Raises:
        UnknownNameError: No such kind of device.
        DeviceError: The device is not there or does not work; the message says what does.
    """
    if name not in DEVICES:
        raise UnknownNameError(f"--device: no device {name!r}{nearest(name, list(DEVICES))}")
    if name == "auto":
        return next(torch.device(kind) for kind in ("cuda", "mps", "cpu") if not _trouble(kind))
    trouble = _trouble(name)
    if trouble:
        there = [kind for kind in DEVICES[1:] if not _trouble(kind)]
        raise DeviceError(
            f"--device {name}: {trouble}; this machine has: {', '.join(there)} "
            "(--device auto takes the best of them)"
        )
    return torch.device(name)


def _trouble(kind: str) -> str:
    """Return why devices of this kind cannot be used, or nothing."""
    if kind == "cpu":
        return ""
    is_there = torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
    if not is_there:
        return f"not found by this build of PyTorch ({torch.__version__})"
    try:  # a driver too old, or a chip this build has no code for, shows only in use
        torch.zeros(1, device=kind).add(1).cpu()
    except RuntimeError as error:
        return f"found, but it does not work ({str(error).splitlines()[0]})"
    return ""
