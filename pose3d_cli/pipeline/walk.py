"""Folders searched for videos: each folder once, never results of ours, nothing that hangs."""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.provenance import holds_results

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp"}
    | {".mts", ".m2ts", ".ts"}
)

Found = tuple[Path, str]
"""A path and why it is no clip to work on; nothing where it may be one."""


def walk(
    folder: Path, *, recursive: bool, enter: Callable[[Path], bool] = lambda _folder: True
) -> list[Found]:
    """Return the videos in a folder, by name, and what looks like one and cannot be read.

    Hidden files and folders, and folders of our own results, are left out. A folder that links
    lead to again is searched once, under its own name if it has one here.

    Args:
        folder: Searched.
        recursive: Whether folders below it are searched too.
        enter: Whether one of those is worth searching.
    """
    found: list[Found] = []
    done: set[str] = set()
    waiting, links = deque([folder]), deque[Path]()
    while waiting or links:
        here = waiting.popleft() if waiting else links.popleft()
        real = os.path.realpath(here)
        if real in done:
            continue
        done.add(real)
        try:
            entries = sorted(entry for entry in here.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            found.append((here, f"{here}: the folder cannot be read ({_why(error)})"))
            continue
        for entry in entries:
            if not is_folder(entry):
                found += [(entry, trouble_of(entry))] if _is_video_name(entry) else []
            elif recursive and enter(entry) and _is_to_search(entry):
                (links if entry.is_symlink() else waiting).append(entry)
                found += _no_video(entry)
    return sorted(found, key=lambda one: one[0].parts)


def trouble_of(path: Path) -> str:
    """Return why a path is no file that can be read, or nothing."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"{path}: {_why(error, is_link=path.is_symlink())}"
    if stat.S_ISDIR(mode):
        return f"{path}: is a folder, not a video"
    if not stat.S_ISREG(mode):  # to open a pipe waits for somebody to write to it
        return f"{path}: is a pipe or a device, not a video file"
    return "" if os.access(path, os.R_OK) else f"{path}: may not be read (permission denied)"


def matching(pattern: Path, *, recursive: bool) -> tuple[Path, list[Found]]:
    """Return the folder in which a pattern begins, and what it names as `walk` does.

    `*`, `?` and `[...]` stand for parts of a name, `**` for any number of folders. A folder that
    the pattern names is searched.

    Raises:
        InputError: There is no such folder.
    """
    parts = pattern.parts
    fixed = next(i for i, part in enumerate(parts) if is_pattern(part))
    root, wanted = Path(*parts[:fixed]), parts[fixed:]
    if not is_folder(root):
        raise InputError(f"{pattern}: there is no folder {root}; check the name")
    found = walk(
        root,
        recursive=True,
        enter=lambda path: _may_lead_on(path.relative_to(root).parts, wanted, recursive=recursive),
    )
    return root, [
        (path, trouble)
        for path, trouble in found
        if _matches(path.relative_to(root).parts, wanted, recursive=recursive)
    ]


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, as far as one may know."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_pattern(text: str) -> bool:
    """Whether a name has signs in it that stand for others."""
    return any(sign in text for sign in "*?[")


def _matches(parts: tuple[str, ...], wanted: tuple[str, ...], *, recursive: bool) -> bool:
    """Whether a path, or a folder above it, is what a pattern wants."""
    if not wanted:
        return not parts or recursive
    if wanted[0] == "**":
        tails = range(len(parts) + 1)
        return any(_matches(parts[i:], wanted[1:], recursive=recursive) for i in tails)
    return (
        bool(parts)
        and fnmatchcase(parts[0], wanted[0])
        and _matches(parts[1:], wanted[1:], recursive=recursive)
    )


def _may_lead_on(parts: tuple[str, ...], wanted: tuple[str, ...], *, recursive: bool) -> bool:
    """Whether what a pattern wants may lie in a folder."""
    if not wanted:
        return recursive
    if not parts or wanted[0] == "**":
        return True
    return fnmatchcase(parts[0], wanted[0]) and _may_lead_on(
        parts[1:], wanted[1:], recursive=recursive
    )


def _is_video_name(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _is_to_search(folder: Path) -> bool:
    """Whether a folder is neither of our results nor a link to one that it lies in."""
    if holds_results(folder):
        return False
    above = os.path.realpath(folder.parent)
    return not (folder.is_symlink() and Path(above).is_relative_to(os.path.realpath(folder)))


def _no_video(folder: Path) -> Iterator[Found]:
    """Yield a folder that is called as a video is, and is empty."""
    if _is_video_name(folder) and os.access(folder, os.R_OK) and not any(folder.iterdir()):
        yield folder, trouble_of(folder)


def _why(error: OSError, *, is_link: bool = False) -> str:
    if is_link and error.errno == errno.ELOOP:
        return "is a link that leads back to itself; remove it or mend it"
    if is_link and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "is a link that leads nowhere; remove it or mend it"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "there is no such file or folder; check the name"
    return (error.strerror or type(error).__name__).lower()
