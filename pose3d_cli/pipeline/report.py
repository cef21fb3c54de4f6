"""How work tells what it does, and what became of each clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pose3d_cli.errors import ExitCode, Pose3DError

Outcome = TypeVar("Outcome")


@runtime_checkable
class Reporter(Protocol):
    """Whoever shows progress: a bar on a terminal, lines in a log, nothing in a test."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps (None: nobody knows)."""
        ...

    def advance(self) -> None:
        """Count one step of the stage."""
        ...

    def warn(self, text: str) -> None:
        """Say what the user should know."""
        ...

    def note(self, text: str) -> None:
        """Say what was done or chosen."""
        ...


class Silent:
    """A reporter that keeps the warnings and shows nothing."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def stage(self, name: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Keep the warning."""
        self.warnings.append(text)

    def note(self, text: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class ClipReport:
    """What lifting one clip gave.

    Attributes:
        clip: The video.
        outputs: The files written.
        people: How many people are in them.
        frames: Frames read.
        seconds: Time each stage took.
        warnings: What the user should know.
    """

    clip: Path
    outputs: dict[str, Path]
    people: int
    frames: int
    seconds: dict[str, float]
    warnings: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "clip": str(self.clip),
            "outputs": {kind: str(path) for kind, path in self.outputs.items()},
            "people": self.people,
            "frames": self.frames,
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
            "warnings": self.warnings,
        }


@dataclass(kw_only=True)
class BatchReport(Generic[Outcome]):
    """What became of each clip of many; owns the exit code."""

    done: dict[Path, Outcome] = field(default_factory=dict)
    failed: dict[Path, Pose3DError] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """OK if no clip failed; the error's own code if the only clip did."""
        if not self.failed:
            return ExitCode.OK
        if not self.done and len(self.failed) == 1:
            return next(iter(self.failed.values())).exit_code
        return ExitCode.SOME_CLIPS_FAILED
