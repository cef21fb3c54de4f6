"""Files of raw data sets: where they lie, and reading MATLAB's and CDF's formats."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError, MissingExtraError

_MAT_HEADER = 128
_DEPTHS = ("", "*/", "*/*/")

# What a reader stumbles over in a file that is damaged, cut off or of another kind.
_BROKEN = (
    ArithmeticError, AttributeError, BufferError, LookupError, MemoryError, OSError, EOFError,
    RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


def find(folder: Path, pattern: str) -> list[Path]:
    """Return the files and folders that fit a pattern, in `folder` or up to two folders down.

    No deeper, since a data set's folders of single pictures take minutes to look through.
    """
    found = [path for depth in _DEPTHS for path in folder.glob(depth + pattern)]
    return sorted(path for path in found if not path.name.startswith("."))


def one_place_each(paths: Mapping[Path, str]) -> dict[str, Path]:
    """Return the path of each name, by which the paths are called.

    Raises:
        InputError: Two paths of one name.
    """
    named: dict[str, Path] = {}
    for path, name in paths.items():
        other = named.setdefault(name, path)
        if other != path:
            raise InputError(f"{other} and {path} are both {name}; give the folder of one of them")
    return named


def read_mat(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return variables of a MATLAB file of version 4 to 7.2.

    Args:
        path: The file.
        names: The variables to read; all of them must be there.

    Raises:
        InputError: A file that is damaged, cut off or of another kind, or that lacks a variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, variable_names=list(names))
        _check_end(path)
    except NotImplementedError as error:
        raise InputError(
            f"{path}: a MATLAB file of version 7.3; expected one of version 7.2 or before, as the "
            "data set has it"
        ) from error
    except (MatReadError, *_BROKEN) as error:
        raise _not_readable(path, "MATLAB file", error) from error
    return _all_there(path, names, content)


def _check_end(path: Path) -> None:
    """Refuse a file of version 5 to 7.2 that ends before its last variable does.

    Readers do not look at what comes after the variables that they were asked for.

    Raises:
        EOFError: It does.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_MAT_HEADER)
        if 0 in head[:4]:  # version 4 begins without words
            return
        order = "<" if head.endswith(b"IM") else ">"
        at = len(head)
        while at < size:
            file.seek(at)
            _, length = struct.unpack(f"{order}II", file.read(8))
            at += 8 + length
    if at > size:
        raise EOFError(f"{at - size:,} bytes are missing at its end")


def read_hdf5(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return variables of a MATLAB file of version 7.3; axes come in the reverse of MATLAB's order.

    Args:
        path: The file.
        names: The variables to read; all of them must be there.

    Raises:
        InputError: A file that is damaged, cut off or of another kind, or that lacks a variable.
        MissingExtraError: The package h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise _missing(path, "a MATLAB file of version 7.3") from error
    try:
        with h5py.File(path, "r") as file:
            content = {name: np.asarray(file[name]) for name in names if name in file}
    except _BROKEN as error:
        raise _not_readable(path, "MATLAB file of version 7.3", error) from error
    return _all_there(path, names, content)


def read_cdf(path: Path, name: str) -> np.ndarray:
    """Return a variable of a CDF file.

    Raises:
        InputError: A file that is damaged, cut off or of another kind, or that lacks the variable.
        MissingExtraError: The package cdflib is not installed.
    """
    try:
        import cdflib
    except ImportError as error:
        raise _missing(path, "a CDF file") from error
    try:
        file = cdflib.CDF(path)
        about = file.cdf_info()
        is_there = name in (*about.rVariables, *about.zVariables)
        content = {name: np.asarray(file.varget(name))} if is_there else {}
    except _BROKEN as error:
        raise _not_readable(path, "CDF file", error) from error
    return _all_there(path, (name,), content)[name]


def _missing(path: Path, what: str) -> MissingExtraError:
    return MissingExtraError(
        f"{path}: {what} needs a package that is not installed: pip install 'pose3d[convert]'"
    )


def _not_readable(path: Path, what: str, error: BaseException) -> InputError:
    why = " ".join(str(error).split()) or type(error).__name__
    return InputError(
        f"{path}: not a readable {what}: damaged, cut off or of another kind ({why}); get it anew"
    )


def _all_there(path: Path, names: Sequence[str], content: Mapping[str, Any]) -> dict[str, Any]:
    lacking = [name for name in names if name not in content]
    if lacking:
        raise InputError(f"{path}: lacks {', '.join(lacking)}; damaged, or of another data set?")
    return dict(content)
