"""Files for other programs among the results of a clip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol, runtime_checkable

from pose3d_cli.files.export import shelf
from pose3d_cli.files.export.base import Exporter, ExportOptions
from pose3d_cli.files.export.shelf import EXPORTERS
from pose3d_cli.files.results import ClipResult
from pose3d_cli.pipeline.page_export import Html

USUAL = ("csv",)
"""What is written with every result anyway."""

# Exporters know files, and none of them pictures: the page is put on their shelf from here.
EXPORTERS.add("html", Html)


@runtime_checkable
class Notes(Protocol):
    """Whom the user is told by."""

    def note(self, text: str) -> None:
        """Say what was done or chosen."""
        ...


def exporters_of(names: str) -> dict[str, Exporter]:
    """Return the exporters of a list such as `bvh,html`, by name, the page among them.

    Raises:
        UnknownNameError: A name that no exporter has.
        MissingExtraError: One that needs a package which is not here.
        SettingsError: A list without a name.
    """
    return shelf.exporters_of(names)


def write_exports(
    names: str, result: ClipResult, stem: Path, notes: Notes, clip: Path | None = None
) -> dict[str, Path]:
    """Write the exports of a lifted clip and return them by kind; those of earlier runs go.

    Args:
        names: Of the exporters, with commas between; empty: none.
        result: The clip.
        stem: Path of its files but for their ends.
        notes: Is told what was filled or left out.
        clip: The video, for formats that refer to it.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    written: dict[str, Path] = {}
    told: list[str] = []
    for name, exporter in exporters_of(names).items() if names else ():
        if name in USUAL:
            continue
        exported = exporter.write(result, stem, ExportOptions(clip=clip))
        told += exported.notes
        many = len(exported.files) > 1
        written |= {
            f"{name}_{place}" if many else name: path for place, path in enumerate(exported.files)
        }
        _remove_others(exporter, stem, set(exported.files))
    for text in dict.fromkeys(told):
        notes.note(text)
    return written


def _remove_others(exporter: Exporter, stem: Path, kept: set[Path]) -> None:
    """Remove files of people whom an earlier run found and this one did not."""
    if not exporter.is_personal:
        return
    name, suffix = re.escape(stem.name), re.escape(exporter.suffix)
    ours = re.compile(rf"{name}_person\d+(_part\d+)?{suffix}", re.S)
    for path in stem.parent.iterdir():
        if ours.fullmatch(path.name) and path not in kept:
            path.unlink(missing_ok=True)
