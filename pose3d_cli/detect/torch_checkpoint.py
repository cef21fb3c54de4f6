"""Tensors out of OpenMMLab's `.pth` files, letting nothing in the file run.

Their files also hold how a network was trained: numpy numbers and objects of mmengine, which
PyTorch's restricted loader refuses. Nobody needs these, so empty things stand in for them.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from pose3d_cli.errors import WeightsError

# Whatever else a file asks for by name is refused.
_STOOD_IN_FOR = re.compile(r"(numpy|mmengine|mmpose|mmcv|mmdet)\.[\w.]+|builtins\.getattr|getattr")
# What files from before PyTorch 1.6 ask for, which cannot be listed without loading them.
_OF_OLD = (
    *(f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core")),
    *(f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")),
    "numpy.ndarray",
    "numpy.dtype",
)
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

    The table keeps PyTorch's record of versions, which tells networks how to read older files.

    Raises:
        WeightsError: A file that is missing, damaged, holds no network, or asks for more than
            tensors and what OpenMMLab's training leaves behind.
    """
    content = _load(path)
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not _is_state(state):
        raise WeightsError(f"{path}: holds no `state_dict` of tensors; expected MMPose weights")
    # Training on several GPUs puts it before each name.
    consume_prefix_in_state_dict_if_present(state, "module.")
    return state


def _is_state(state: Any) -> TypeGuard[dict[str, Tensor]]:
    return (
        isinstance(state, dict)
        and len(state) > 0
        and all(isinstance(n, str) and isinstance(v, Tensor) for n, v in state.items())
    )


def _load(path: Path) -> Any:
    try:
        stand_ins: list[Any] = [(_Nothing, name) for name in _stood_in_for(path)]
        with warnings.catch_warnings(), torch.serialization.safe_globals(stand_ins):
            warnings.simplefilter("ignore")  # of pickles it will refuse anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:
        if wanted := re.search(r"GLOBAL (\S+)|[Uu]nsupported (?:class|global) (\S+)", str(error)):
            raise WeightsError(
                f"{path}: refused to unpickle: it wants `{wanted[1] or wanted[2]}`; only tensors "
                "are let in"
            ) from error
        raise _broken(path, error) from error
    except _BROKEN as error:
        raise _broken(path, error) from error


def _stood_in_for(path: Path) -> list[str]:
    """Return the names of what a file wants to build that may be stood in for."""
    if not zipfile.is_zipfile(path):
        return list(_OF_OLD)
    wanted = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    return [name for name in wanted if _STOOD_IN_FOR.fullmatch(name)]


def _broken(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path}: damaged, cut off or no file of PyTorch ({type(error).__name__}); download it "
        "again"
    )
