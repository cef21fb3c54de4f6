"""Tensors out of OpenMMLab's `.pth` files, letting nothing in the file run.

Their files also hold how a network was trained: numpy numbers and objects of mmengine, which
PyTorch's restricted loader refuses. Nobody needs these, so empty things stand in for them.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pose3d_cli.errors import WeightsError

# Whatever else a file asks for by name is refused.
_STOOD_IN_FOR = re.compile(r"(numpy|mmengine|mmpose|mmcv|mmdet)\.[\w.]+|builtins\.getattr|getattr")
_BROKEN = (
    EOFError, AttributeError, IndexError, KeyError, MemoryError, RuntimeError, TypeError,
    ValueError, zipfile.BadZipFile,
)  # fmt: skip


class _Nothing:
    """Stands in for an object of training: takes everything, does nothing."""

    def __new__(cls, *_args: Any, **_named: Any) -> _Nothing:
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_named: Any) -> None:
        pass

    def __setstate__(self, _state: Any) -> None:
        pass


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a network by name, on the CPU.

    Raises:
        WeightsError: A file that is missing, damaged, holds no network, or asks for more than
            tensors and what OpenMMLab's training leaves behind.
    """
    content = _load(path)
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path}: holds no `state_dict` of tensors; expected MMPose weights")
    return {str(name): value for name, value in state.items()}


def _load(path: Path) -> Any:
    try:
        if not zipfile.is_zipfile(path):
            path.open("rb").close()
            raise WeightsError(f"{path}: no file of PyTorch 1.6 or newer; download it again")
        wanted = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
        refused = [name for name in wanted if not _STOOD_IN_FOR.fullmatch(name)]
        if refused:
            raise WeightsError(
                f"{path}: refused to unpickle: it wants `{refused[0]}`; only tensors are let in"
            )
        stand_ins: list[Any] = [(_nothing_called(name), name) for name in wanted]
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (pickle.UnpicklingError, *_BROKEN) as error:
        raise WeightsError(
            f"{path}: damaged or cut off ({type(error).__name__}); download it again"
        ) from error


def _nothing_called(name: str) -> type[_Nothing]:
    """Return a stand-in of its own for a name: the loader keeps one name a class."""
    return type("_Nothing_" + name.replace(".", "_"), (_Nothing,), {})
