"""Read pickles and object arrays of the field's data files, admitting arrays and containers only.

A pickle is a program: one that is loaded unrestricted may do anything. These files need no more
than numpy arrays in dictionaries, lists and tuples, so nothing else is let in.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.pickled_arrays import ADMITTED, RefusedError

_DAMAGED = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)
# What a damaged pickle makes its reader stumble over.
_BROKEN_PICKLE = (
    ArithmeticError, AttributeError, BufferError, ImportError, LookupError, MemoryError,
    RuntimeError, TypeError,
)  # fmt: skip

_ZIP = b"PK\x03\x04"


class _Restricted(pickle.Unpickler):
    """Admits numpy arrays and builtin containers, and says what it refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle asks for by name, if it is on the list."""
        wanted = f"{module}.{name}"
        if wanted not in ADMITTED:
            raise RefusedError(f"it wants `{wanted}`")
        return ADMITTED[wanted]


def read_pickle(path: Path) -> Any:
    """Return what a pickle holds: arrays, numbers and words in dictionaries, lists and tuples.

    Text of Python 2 comes back as text (latin1), as numpy's arrays in it need. A zip archive of one
    pickle is read as that pickle.

    Raises:
        InputError: A file that is missing, no pickle, damaged, or that holds anything else.
    """
    try:
        with path.open("rb") as file:
            if file.peek(len(_ZIP))[: len(_ZIP)] == _ZIP:
                return _zipped_pickle(path)
            return _unpickled(path, file)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _zipped_pickle(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".pkl")]
            if len(names) != 1:
                raise InputError(f"{path}: a zip archive of {len(names)} pickles; expected one")
            with archive.open(names[0]) as file:
                return _unpickled(path, file)
    except (zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: encrypted, or packed anew
        raise InputError(f"{path}: a zip archive that cannot be read: {error}") from error


def read_object_npz(path: Path) -> dict[str, Any]:
    """Return the arrays of an npz by name; an array of one Python object as that object.

    Raises:
        InputError: A file that is missing, no npz, damaged, or that holds more than arrays, numbers
            and words in builtin containers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if not names:
                raise InputError(f"{path}: a zip archive without arrays; expected an .npz file")
            return {name.removesuffix(".npy"): _member(path, archive, name) for name in names}
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (*_DAMAGED, RuntimeError) as error:  # RuntimeError: encrypted, or packed anew
        raise InputError(f"{path}: not a readable .npz file; damaged or of another kind") from error


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise InputError(f"{path}: {name} is written in npy version {version}, not known here")
        shape, _, dtype = read_header(file)
        if not dtype.hasobject:
            with archive.open(name) as again:
                return np.lib.format.read_array(again, allow_pickle=False)
        value = _unpickled(path, file)
        if not isinstance(value, np.ndarray):
            raise InputError(f"{path}: {name} holds no array; damaged?")
        return value.item() if shape == () else value.view(np.ndarray)


def _unpickled(path: Path, file: IO[bytes] | io.BufferedIOBase) -> Any:
    data = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
    try:
        return _Restricted(data, encoding="latin1").load()
    except RefusedError as error:
        raise InputError(
            f"{path}: refused to unpickle: {error}. Only numpy arrays and builtin containers are "
            "let in; if you trust the file, save it anew with nothing else in it"
        ) from error
    except (*_DAMAGED, *_BROKEN_PICKLE, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: a pickle that is damaged or cut off") from error
