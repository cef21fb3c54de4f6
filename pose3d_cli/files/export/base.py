"""What an exporter is: something that writes a result for another program."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.files.export.names import PRESETS
from pose3d_cli.files.results import ClipResult


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What may be chosen; a format takes no notice of what it has no use for.

    Attributes:
        preset: Names and units of a BVH, one of `names.PRESETS`.
        fill: What stands where a person is out of sight, in formats that need a pose in each
            frame: `lines` goes evenly from the last pose to the next, `hold` keeps the last.
        fps: Rate of formats that have but one, in frames a second; 0: the clip's own.
        people: Whom to write; none: everybody.
        clip: The video, for formats that refer to it; None if nobody knows which.
    """

    preset: str = "blender"
    fill: Literal["lines", "hold"] = "lines"
    fps: float = 0.0
    people: tuple[int, ...] = ()
    clip: Path | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise UnknownNameError(f"no preset {self.preset!r}{nearest(self.preset, [*PRESETS])}")
        if self.fill not in ("lines", "hold"):
            raise ValueError(f"fill ({self.fill}) must be lines or hold")
        if not (math.isfinite(self.fps) and 0 <= self.fps <= 1000):
            raise ValueError(f"fps ({self.fps}) must be between 0 and 1000")


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an exporter wrote.

    Attributes:
        files: All of them; none if there was nobody to write.
        notes: What the user should know: what was filled, resampled or left out.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@runtime_checkable
class Exporter(Protocol):
    """Writes results in one format.

    Attributes:
        suffix: Of its files, with the dot.
        module: What it imports that not everybody has; "" for nothing.
        extra: The extra of pose3d that brings `module`.
        is_personal: Whether each person gets a file of their own, as `person_file` names it.
    """

    suffix: str
    module: str
    extra: str
    is_personal: bool

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write `result`, each file whole or not at all.

        Args:
            result: A clip.
            stem: Path of the files but for their ends; its folder must exist.
            options: What may be chosen.

        Raises:
            OutputError: A folder or disk that cannot be written.
        """
        ...


def with_end(stem: Path, end: str) -> Path:
    """Return a path with `end` after its name, dots in the name or not."""
    return stem.with_name(stem.name + end)


def person_file(stem: Path, person: int, suffix: str) -> Path:
    """Return where a person's own file goes: `CLIP_person0.bvh`."""
    return with_end(stem, f"_person{person}{suffix}")


def chosen(result: ClipResult, options: ExportOptions) -> ClipResult:
    """Return a result with none but the people who were chosen.

    Raises:
        UnknownNameError: A number that nobody has.
    """
    if not options.people:
        return result
    known = [person.person for person in result.people]
    for number in options.people:
        if number not in known:
            there = ", ".join(map(str, known)) or "nobody"
            raise UnknownNameError(f"no person {number}; there: {there}")
    kept = [person for person in result.people if person.person in options.people]
    return replace(result, people=kept)
