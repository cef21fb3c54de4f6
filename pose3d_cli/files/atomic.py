"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pose3d_cli.errors import OutputError

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Longer names could pass the 255 bytes of a file name once the random part is added.
_MAX_STEM = 40


_RANDOM_BYTES = 6
_RANDOM = rf"\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}"
"""What a temporary name has before its suffix."""


@contextmanager
def replacing(path: Path, *, way: str = "-o") -> Iterator[Path]:
    """Give a temporary file beside `path` that takes its place once the block has succeeded.

    Whatever ends the block early, Ctrl-C too, removes the temporary file and leaves `path` as it
    was. The temporary file exists, empty, from the start: a folder that cannot be written is
    found before the work and not after it.

    Args:
        path: The file to write; one that is there is replaced. Its folder must exist.
        way: With what the user chooses another folder, for the error message.

    Yields:
        A hidden name in the same folder with the same suffix.

    Raises:
        OutputError: Read-only or missing folder, full disk, a folder in the way. An OSError of the
            block is taken for one of writing unless it names another file.
    """
    temporary = path.with_name(
        f".{path.stem[:_MAX_STEM]}.{secrets.token_hex(_RANDOM_BYTES)}{path.suffix}"
    )
    try:
        try:
            temporary.touch(exist_ok=False)
            yield temporary
            _flush(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in (str(temporary), str(path)):
            raise  # the block's own trouble with some other file
        raise OutputError(explain(error, path, way=way)) from error


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left beside `path` while they wrote it.

    Raises:
        OSError: The folder cannot be read or written.
    """
    start = re.escape("." + path.stem[:_MAX_STEM])
    _remove(path.parent, f"{start}{_RANDOM}{re.escape(path.suffix)}")


def remove_all_leftovers(folder: Path, start: str) -> None:
    """Remove what killed processes left of any files in a folder that is one writer's own.

    Args:
        folder: Where they wrote.
        start: What the names of the files are, or begin with before an underscore.

    Raises:
        OSError: The folder cannot be read or written.
    """
    _remove(folder, rf"{re.escape('.' + start[:_MAX_STEM])}(_.*)?{_RANDOM}(\.[^.]*)?")


def _remove(folder: Path, pattern: str) -> None:
    leftover = re.compile(pattern, re.S)
    for other in folder.iterdir():
        if leftover.fullmatch(other.name):
            other.unlink(missing_ok=True)


def explain(error: OSError, path: Path, *, way: str = "-o") -> str:
    """Say in one line why `path` cannot be written and what to do about it.

    Args:
        error: What writing it gave.
        path: The file.
        way: With what the user chooses another folder.
    """
    if error.errno in _READ_ONLY:
        return (
            f"{path}: the folder {path.parent} cannot be written to; choose another one with {way}"
        )
    if error.errno in _FULL:
        return f"{path}: the disk is full; free some space or choose another folder with {way}"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{path}: there is no folder {path.parent}; make it or choose another with {way}"
    if error.errno in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
        return f"{path}: a folder of this name is in the way; rename it or choose another output"
    why = error.strerror or str(error) or type(error).__name__
    return f"{path}: cannot be written ({why.lower()}); choose another folder with {way}"


def _flush(path: Path) -> None:
    """Bring the bytes to the disk before the rename, so that a power cut leaves no empty file."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
