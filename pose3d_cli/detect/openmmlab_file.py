"""Reads the tensors of an OpenMMLab checkpoint, and nothing else of it.

A checkpoint is a pickle, and a pickle is a program. Only tensors and plain containers are let in;
what these files are known to hold beside them, numbers of NumPy and logs, is not even built.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from pose3d_cli.errors import WeightsError

# The same things under their names before and since NumPy 2.
_NUMPY = ("core.multiarray._reconstruct", "core.multiarray.scalar")
_LEFT_OUT = (
    *(f"numpy.{name}" for name in _NUMPY),
    *(f"numpy._{name}" for name in _NUMPY),
    "numpy.ndarray",
    "numpy.dtype",
    "mmengine.logging.history_buffer.HistoryBuffer",
)

_DAMAGED = (
    RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile,
)  # fmt: skip


class _LeftOut:
    """Stands for whatever a checkpoint wants to build beside its tensors."""

    def __new__(cls, *_: Any) -> _LeftOut:
        return super().__new__(cls)

    def __setstate__(self, _: Any) -> None:
        """Forget it."""


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors under `state_dict` by name, on the CPU.

    Raises:
        WeightsError: No such file, none of PyTorch, one that wants to run code, or one without a
            `state_dict`; the message says which.
    """
    content = _load(path)
    state = content.get("state_dict") if isinstance(content, Mapping) else None
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path}: has no `state_dict`; expected a checkpoint of OpenMMLab")
    if not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise WeightsError(f"{path}: its `state_dict` holds more than tensors")
    # Training on several GPUs puts it before each name. The table's own record of versions, which
    # tells networks how to read older files, stays with it.
    consume_prefix_in_state_dict_if_present(state, "module.")
    return state


def _load(path: Path) -> Any:
    left_out: list[Any] = [(_LeftOut, name) for name in _LEFT_OUT]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(left_out):
            warnings.simplefilter("ignore")  # of pickles it will refuse anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such file; download it first") from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)|[Uu]nsupported (?:class|global) (\S+)", str(error))
        why = f"it wants `{wanted[1] or wanted[2]}`" if wanted else "it is damaged or no checkpoint"
        raise WeightsError(
            f"{path}: refused to unpickle: {why}; only tensors are let in"
        ) from error
    except _DAMAGED as error:
        raise WeightsError(
            f"{path}: damaged or no file of PyTorch ({type(error).__name__}); download it again"
        ) from error
