"""Reads checkpoints of other programs, and tells in a line what a file is that is none.

A checkpoint is a pickle, and a pickle is a program; only tensors and numbers are let in.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pose3d_cli.errors import WeightsError
from pose3d_cli.lift.about import FORMAT

MODEL = "model"
"""Where a checkpoint keeps its tensors."""

_WANTED = "expected a checkpoint of MotionAGFormer (*.pth.tr)"
# What a damaged file makes its reader stumble over.
_BROKEN = (
    RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile,
)  # fmt: skip
_NUMBERS = (np.float64, np.float32, np.int64)

# Networks whose checkpoints a user may have at hand, by a word in the names of their tensors.
_OTHERS: Mapping[str, str] = {
    "temp_embed": "MotionBERT, another lifter",
    "Spatial_patch_to_embedding": "MixSTE's or PoseFormer's family, other lifters",
    "expand_conv": "VideoPose3D, another lifter",
    "final_layer.": "HRNet or a relative, which finds 2D keypoints",
    "keypoint_head.": "MMPose, which finds 2D keypoints",
}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint with its tensors by name under `MODEL`, the optimiser left out.

    Tensors may lie there or bare, each name with `module.` before it or without.

    Raises:
        WeightsError: A file that cannot be read, or of another kind; the message says which.
    """
    content = _load(path)
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, no table; {_WANTED}")
    content = {str(key): value for key, value in content.items()}
    is_bare = MODEL not in content
    state = content if is_bare else content[MODEL]
    if not _is_state(state):
        raise WeightsError(f"{path}: {_kind(content)}; {_WANTED}")
    state = {_plain(str(name)): tensor for name, tensor in state.items()}
    if "joints_embed.weight" not in state or any(_other(state)):
        raise WeightsError(f"{path}: {_kind(state)}; {_WANTED}")
    said = {} if is_bare else {k: v for k, v in content.items() if not isinstance(v, Mapping)}
    return {**said, MODEL: state}


def _plain(name: str) -> str:
    return name.removeprefix("module.")  # which training on several GPUs puts before each


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(part, Tensor) for part in value.values())
    )


def _other(names: Mapping[str, Any]) -> list[str]:
    return [words for mark, words in _OTHERS.items() if any(mark in name for name in names)]


def _kind(content: Mapping[str, Any]) -> str:
    """Say what a table is that holds no tensors of MotionAGFormer."""
    if str(content.get("format")).startswith("pose3d-checkpoint/"):
        return (
            "a training checkpoint of pose3d; repeat its `pose3d train` with --finish to get "
            "the weights"
        )
    for key in ("model_pos", "state_dict", MODEL):
        if isinstance(content.get(key), Mapping):
            told = _other({str(name): None for name in content[key]})
            return f"a checkpoint of {told[0]}" if told else f"a checkpoint of another `{key}`"
    if told := _other(content):
        return f"a checkpoint of {told[0]}"
    names = ", ".join(list(content)[:3]) or "nothing"
    return f"a checkpoint of another network (it holds {names})"


def _load(path: Path) -> Any:
    """Unpickle tensors, numbers, words and containers of these."""
    try:
        _check_kind(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(_admitted()):
            warnings.simplefilter("ignore")  # of pickles it will refuse anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)|[Uu]nsupported (?:class|global) (\S+)", str(error))
        why = f"it wants `{wanted[1] or wanted[2]}`" if wanted else "it is damaged or holds more"
        raise WeightsError(
            f"{path}: refused to unpickle: {why}; only tensors and numbers are let in"
        ) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except _BROKEN as error:
        raise WeightsError(
            f"{path}: damaged or cut off ({type(error).__name__}); download it again"
        ) from error


def _admitted() -> list[Any]:
    """Return what else a checkpoint may hold: numbers of numpy, under their old and new names."""
    scalars = [(_number, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*scalars, np.dtype, *(type(np.dtype(number)) for number in _NUMBERS)]


def _number(dtype: np.dtype[Any], data: bytes) -> int | float:
    if dtype not in _NUMBERS:
        raise pickle.UnpicklingError(f"a numpy scalar of {dtype}")
    return np.frombuffer(data, dtype)[0].item()


def _check_kind(path: Path) -> None:
    """Refuse by their first bytes what are no pickles of PyTorch."""
    with path.open("rb") as file:
        start = file.read(4096)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _check_archive(path, [name.rpartition("/")[2] for name in archive.namelist()])
    elif start[:1] != b"\x80":  # with which pickles begin, and so did PyTorch's files before 1.6
        raise WeightsError(f"{path}: {_kind_of_bytes(start)}; {_WANTED}")


def _check_archive(path: Path, names: list[str]) -> None:
    packed = [name for name in names if re.search(r"\.(pth|pt|tr|bin)$", name)]
    if "constants.pkl" in names:
        raise WeightsError(f"{path}: a TorchScript program, no checkpoint; {_WANTED}")
    if "data.pkl" not in names and packed:
        raise WeightsError(f"{path}: an archive; unpack it and convert the {packed[0]} in it")
    if "data.pkl" not in names:
        raise WeightsError(f"{path}: an archive without a checkpoint in it; {_WANTED}")


def _kind_of_bytes(start: bytes) -> str:
    """Say what a file is that begins so."""
    if not start:
        return "an empty file"
    if start.startswith(b"PK"):
        return "cut off, its end is missing; download it again"
    if start[8:9] == b"{":
        is_ours = FORMAT.encode() in start
        return f"{'weights of pose3d already' if is_ours else 'safetensors of another program'}"
    if b"<html" in start.lower() or b"<!doctype" in start.lower():
        return "a web page, saved where a file was meant; download the file itself"
    is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in start)
    return "a text file" if is_text else "no file of PyTorch"
