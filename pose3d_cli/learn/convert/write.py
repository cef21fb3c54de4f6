"""Writing a conversion's files: all of them or none, and twice the same from the same."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import explain, replacing


@contextmanager
def staged(output: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a hidden folder whose files go to `output` once the block has succeeded.

    So the files can be checked under their own names before they take the place of older ones.

    Args:
        output: Where the files go; must exist.
        names: Names of the files, each of which the block must write.

    Raises:
        OutputError: Read-only folder, full disk.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".convert-", dir=output) as folder:
            yield Path(folder)
            for name in names:
                with replacing(output / name) as temporary:
                    Path(folder, name).replace(temporary)
    except OSError as error:
        raise OutputError(explain(error, output / names[0])) from error


def write_object_npz(path: Path, objects: Mapping[str, Any]) -> None:
    """Write an npz of object arrays without axes, as `np.savez_compressed` does of dictionaries.

    Unlike there, nothing tells when it was written: the same objects give the same bytes.

    Raises:
        OSError: The file cannot be written.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in objects.items():
            held = np.empty((), object)
            held[()] = value
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, held, allow_pickle=True)
