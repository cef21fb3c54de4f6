"""What made a result: program, weights, settings, input; a JSON file beside each output."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pose3d_cli import __version__
from pose3d_cli.errors import InputError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.pipeline.settings import LiftSettings

RUN_FILE = "run.json"
"""Written last: it tells a finished clip."""

_SAMPLED_BYTES = 1 << 20
_PART = re.compile(r"part_\d{3,}")


def fingerprint(path: Path) -> str:
    """Return a digest of a file's size, first and last megabyte: cheap for any length of video."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLED_BYTES))
        file.seek(max(size - _SAMPLED_BYTES, 0))
        digest.update(file.read(_SAMPLED_BYTES))
    return digest.hexdigest()


def fingerprint_of(clip: Path) -> str:
    """Return the fingerprint of a clip that is to be read.

    Raises:
        InputError: It cannot be.
    """
    try:
        return fingerprint(clip)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise InputError(f"{clip}: cannot be read ({why})") from error


def digest(values: Mapping[str, Any]) -> str:
    """Return a digest of plain values, the same for equal ones in any order."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def holds_results(folder: Path) -> bool:
    """Whether a folder is one of our results, finished or not, and no folder of clips.

    A run that was killed leaves no `run.json`, but the keypoints are written before all else, or
    the folder of the first part of a long clip.
    """
    try:
        is_called_so = folder.name.endswith("_pose3d")
        has_run = (folder / RUN_FILE).exists()
        return has_run or (
            is_called_so and (any(folder.glob("*_keypoints.npz")) or bool(part_folders(folder)))
        )
    except OSError:  # one may not look
        return False


def files_of_run(folder: Path) -> list[Path]:
    """Return the files that a folder's `run.json` lists; none if there is none that can be read."""
    try:
        names = list(json.loads((folder / RUN_FILE).read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    # Only what lies in the folder: whoever wrote the record, nothing else is touched.
    return [
        folder / name
        for name in names
        if isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts
    ]


def part_folder(folder: Path, number: int) -> Path:
    """Return the folder of a part, counted from 1, of a long clip's results."""
    return folder / f"part_{number:03d}"


def is_part_folder(folder: Path) -> bool:
    """Whether a folder is called like those of parts."""
    return bool(_PART.fullmatch(folder.name))


def part_folders(folder: Path) -> list[Path]:
    """Return the folders of parts that there are in a folder of results, in order."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if is_part_folder(path) and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("part_")))


def write_run(
    path: Path,
    clip: Path,
    settings: LiftSettings,
    facts: dict[str, Any],
    *,
    clip_fingerprint: str,
    made_with: Mapping[str, Any],
    files: Iterable[Path],
) -> None:
    """Write `run.json`: what ran on what, how long it took and what it warned of.

    Args:
        path: The file.
        clip: What was lifted.
        settings: As given.
        facts: What else to keep.
        clip_fingerprint: Of what was lifted, taken before: it may have been replaced since.
        made_with: The settings that change a result, by content where they name files.
        files: All files of the result, which must be there, beside `path` or in folders below.
    """
    record = {
        "format": "pose3d-run/1",
        "program_version": __version__,
        "input": {"path": str(clip), "fingerprint": clip_fingerprint},
        "settings": asdict(settings),
        "settings_sha256": digest(made_with),
        "made_with": dict(made_with),
        "files": {file.relative_to(path.parent).as_posix(): file.stat().st_size for file in files},
        **facts,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
