"""Which clips are meant: by files, folders, patterns, and lists of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.provenance import holds_results
from pose3d_cli.pipeline.walk import (
    VIDEO_SUFFIXES,
    Found,
    is_folder,
    is_pattern,
    matching,
    trouble_of,
    walk,
)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A video to work on.

    Attributes:
        path: The file.
        below: The folder it lies in, seen from the input that named it.
        trouble: Why it cannot be worked on, where that is known already.
    """

    path: Path
    below: Path = Path()
    trouble: str = ""


def find_clips(inputs: Sequence[Path], *, listing: str = "", recursive: bool = True) -> list[Clip]:
    """Return the clips that are meant, each once, in the order given and by name within a folder.

    Hidden files, and what we drew ourselves, are no clips. An input that is missing or names
    nothing is a clip in trouble, unless it is the only one.

    Args:
        inputs: Files, folders, and patterns such as `clips/**/*.mp4`.
        listing: File of further inputs, one a line, relative to its folder; `-` is stdin.
        recursive: Whether folders below a folder are searched too.

    Raises:
        InputError: The only input does not exist or names no clip; a list that cannot be read.
    """
    is_alone = len(inputs) == 1 and not listing
    named = [(path, Path()) for path in inputs] + (_listed(listing) if listing else [])
    clips: dict[Path, Clip] = {}
    for path, below in named:
        try:
            for clip in _clips_of(path, below, recursive=recursive, is_alone=is_alone):
                clips.setdefault(clip.path.absolute(), clip)
        except InputError as error:
            if is_alone:
                raise
            clips.setdefault(path.absolute(), Clip(path=path, below=below, trouble=str(error)))
    if not clips:
        raise InputError(f"{listing or 'the inputs'}: no clip is named; nothing to do")
    return list(clips.values())


def readable(clips: Sequence[Clip]) -> list[Path]:
    """Return the files of clips, for work that has no use for some of them alone.

    Raises:
        InputError: One of them is in trouble.
    """
    for clip in clips:
        if clip.trouble:
            raise InputError(clip.trouble)
    return [clip.path for clip in clips]


def _clips_of(path: Path, below: Path, *, recursive: bool, is_alone: bool) -> Iterator[Clip]:
    """Yield the clips that one input names."""
    root = path
    if is_folder(path):
        if holds_results(path):
            if is_alone:
                raise InputError(
                    f"{path}: holds results of pose3d, not clips; give the clips' folder"
                )
            return
        found = walk(path, recursive=recursive)
    elif is_pattern(str(path)) and not os.path.lexists(path):
        root, found = matching(path, recursive=recursive)
    else:
        yield _file(path, below)
        return
    if not found:
        raise InputError(_nothing(path, recursive=recursive))
    for video, trouble in found:
        yield _inside(root, below, (video, trouble))


def _file(path: Path, below: Path) -> Clip:
    trouble = trouble_of(path)
    if trouble:
        raise InputError(trouble)
    return Clip(path=path, below=below)


def _inside(root: Path, below: Path, found: Found) -> Clip:
    video, trouble = found
    return Clip(path=video, below=below / video.relative_to(root).parent, trouble=trouble)


def _nothing(path: Path, *, recursive: bool) -> str:
    known = " ".join(sorted(VIDEO_SUFFIXES))
    if not is_folder(path):
        return f"{path}: no videos of such names (looked for {known})"
    where = "in this folder or below it" if recursive else "in this folder"
    return f"{path}: no videos {where} (looked for {known})"


def _listed(listing: str) -> list[tuple[Path, Path]]:
    """Return the inputs of a list, each with its folder as seen from that of the list."""
    folder = Path() if listing == "-" else Path(listing).parent
    try:
        # Bytes, since names of files need not be valid text.
        data = sys.stdin.buffer.read() if listing == "-" else Path(listing).read_bytes()
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise InputError(f"--list {listing}: cannot be read ({why})") from error
    lines = [os.fsdecode(line) for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()]
    paths = [Path(line.strip()) for line in lines if line.strip() and line.strip()[0] != "#"]
    return [(folder / path, _seen_from_list(folder, path)) for path in paths]


def _seen_from_list(folder: Path, path: Path) -> Path:
    """Return the folder of what a line names as seen from the list; itself if it is one."""
    if path.is_absolute() or ".." in path.parts:
        return Path()
    if is_pattern(str(path)):
        return Path(*takewhile(lambda part: not is_pattern(part), path.parts))
    return path if is_folder(folder / path) else path.parent
