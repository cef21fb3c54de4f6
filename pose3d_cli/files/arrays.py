"""Named arrays and a JSON record in one `.npz` file, which never holds Python objects."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.atomic import replacing


@dataclass(frozen=True, eq=False)
class Stack:
    """An array to be written layer by layer, so that it is never whole in memory.

    Attributes:
        shape: Of the whole array; the first axis counts the layers.
        dtype: Of the whole array.
        layers: What lies along the first axis, in order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    layers: Iterable[np.ndarray]


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray | Stack], meta: Mapping[str, object]
) -> None:
    """Write `arrays`, and `meta` as the JSON text `meta`, so that no half-written file is left.

    Raises:
        OutputError: A folder or disk that cannot be written.
        ValueError: A `meta` that JSON cannot hold.
    """
    text = json.dumps(dict(meta), allow_nan=False, ensure_ascii=False)
    with replacing(path) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in {"meta": np.array(text), **arrays}.items():
            _write(archive, f"{name}.npy", values)


def _write(archive: zipfile.ZipFile, name: str, values: np.ndarray | Stack) -> None:
    with archive.open(name, "w", force_zip64=True) as member:
        if not isinstance(values, Stack):
            np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)
            return
        header = {
            "descr": np.lib.format.dtype_to_descr(values.dtype),
            "fortran_order": False,
            "shape": values.shape,
        }
        np.lib.format.write_array_header_1_0(member, header)
        for layer in values.layers:
            member.write(np.ascontiguousarray(layer, values.dtype).tobytes())


def read_arrays(
    path: Path,
    *,
    file_format: str,
    keys: Sequence[str],
    older: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays called `keys` and the JSON record of a file of ours.

    Args:
        path: The file.
        file_format: What the record must name as its `format`, such as `pose3d-result/1`.
        keys: Arrays that must be there.
        older: Formats that are read as well, and the arrays which these lack.

    Raises:
        InputError: A file that is missing, damaged, of another program or of another format.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: a single array; expected {file_format}")
        with loaded as file:
            lacking = {file_format: (), **(older or {})}
            meta = _read_meta(path, file, lacking)
            keys = [key for key in keys if key not in lacking[meta["format"]]]
            missing = [key for key in keys if key not in file]
            if missing:
                raise InputError(f"{path}: {file_format} without {', '.join(missing)}; damaged?")
            return {key: file[key] for key in keys}, meta
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a readable .npz file; damaged or of another kind") from error


def _read_meta(path: Path, file: Any, formats: Collection[str]) -> dict[str, Any]:
    hint = f"expected a file of format {next(iter(formats))}, as pose3d writes"
    if "meta" not in file:
        raise InputError(f"{path}: not written by pose3d (no `meta`); {hint}")
    try:
        meta = json.loads(str(file["meta"][()]))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: `meta` is no JSON; {hint}") from error
    found = meta.get("format") if isinstance(meta, dict) else None
    if found not in formats:
        raise InputError(f"{path}: found format {found!r}; {hint}")
    return dict(meta)
