"""Weights files: safetensors that say what network they are of, how made and how good."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from pose3d_cli.config import build
from pose3d_cli.errors import SettingsError, UnknownNameError, WeightsError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.lift.about import FORMAT, UPRIGHT, WeightsAbout, describe, sha256
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.upright import UprightConfig, UprightNet
from pose3d_cli.pose.skeleton import H36M17

__all__ = ["FORMAT", "WeightsAbout", "describe", "load", "save", "sha256"]


def save(path: Path, network: nn.Module, about: WeightsAbout, *, half: bool = False) -> None:
    """Write a network's tensors with its header; an older file stays whole until the new one is.

    Args:
        path: `*.safetensors`.
        network: On any device.
        about: The header.
        half: Keep matrices as float16: half the size, 3 decimal digits. Vectors (scales, which
            may be tiny, and running statistics) stay as they are; they are few.

    Raises:
        OutputError: The file cannot be written.
    """
    tensors = {name: _stored(tensor, half) for name, tensor in network.state_dict().items()}
    data = _in_order(safetensors.torch.save(tensors, about.to_header()))
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _in_order(data: bytes) -> bytes:
    """Sort the header, which safetensors writes in another order every time.

    Equal weights then make equal files, and a run that names its first weights by their hash finds
    them again.
    """
    size = int.from_bytes(data[:8], "little")
    record = json.loads(data[8 : 8 + size])
    header = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the tensors stay aligned
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    is_matrix = tensor.ndim > 1 and tensor.is_floating_point()
    return tensor.half() if half and is_matrix else tensor.clone()


def load(path: Path, device: torch.device | str = "cpu") -> nn.Module:
    """Build the network a weights file describes and fill it, every key or none.

    Returns:
        The network on `device`, in float32, in evaluation mode.

    Raises:
        WeightsError: A file that cannot be read, an unknown lifter or setting, another skeleton
            than h36m17, or tensors that do not fit or are no numbers.
    """
    about = describe(path)
    network = _network(path, about)
    try:
        tensors = safetensors.torch.load_file(path)
        network.load_state_dict(tensors, strict=True)
    except (SafetensorError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise WeightsError(f"{path}: its tensors do not fit {about.lifter}: {why}") from error
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise WeightsError(f"{path}: {broken[0]} holds values that are no numbers; damaged?")
    return network.to(device).eval()


def _network(path: Path, about: WeightsAbout) -> nn.Module:
    """Return the network that a header describes, not yet filled."""
    if about.skeleton != H36M17.name:
        raise WeightsError(
            f"{path}: found skeleton {about.skeleton!r}, expected {H36M17.name!r}, "
            "the only one that is lifted"
        )
    if "frames" not in about.config:
        raise WeightsError(f"{path}: its settings lack frames, the window; save the weights anew")
    try:
        network: Callable[[Any], nn.Module]
        if about.lifter == UPRIGHT:
            network, config = UprightNet, UprightConfig
        else:
            entry = LIFTERS.get(about.lifter)
            network, config = entry.network, entry.config
        return network(build(config, dict(about.config), where="its settings"))
    except (UnknownNameError, SettingsError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise WeightsError(
            f"{path}: {why}; these weights need another version of the program or a plug-in"
        ) from error
