"""How work tells what it does, and what became of each clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from pose3d_cli.errors import ExitCode

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


@runtime_checkable
class Board(Protocol):
    """Whoever shows how a batch goes: how many clips are over, and the stage of those in work."""

    def begin(self, total: int) -> None:
        """Begin with so many clips, those that are done already among them."""
        ...

    def opened(self, clip: Path) -> Reporter:
        """Return who is told of the work on a clip, which begins now."""
        ...

    def closed(self, clip: Path) -> None:
        """End what is shown of a clip."""
        ...

    def counted(self, *, is_worked: bool, is_failed: bool) -> None:
        """Count a clip; one that was not worked on says nothing of how long the others take."""
        ...

    def note(self, text: str) -> None:
        """Say what concerns no clip alone."""
        ...

    def warn(self, text: str) -> None:
        """Say what the user should know and concerns no clip alone."""
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


class SilentBoard(Silent):
    """A board that keeps the warnings of all clips and shows nothing."""

    def begin(self, total: int) -> None:
        """Do nothing."""

    def opened(self, clip: Path) -> Reporter:  # noqa: ARG002 all clips are one to it
        """Return itself."""
        return self

    def closed(self, clip: Path) -> None:
        """Do nothing."""

    def counted(self, *, is_worked: bool, is_failed: bool) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class ClipReport:
    """What lifting one clip gave.

    Attributes:
        clip: The video.
        outputs: The files written, by kind; of a long clip `part_001/npz` and so on.
        people: How many people are in them.
        frames: Frames read.
        seconds: Time each stage took.
        warnings: What the user should know.
        is_kept: Whether an earlier run made it, and this one left it as it is.
        still: A picture of it as JPEG; empty if none was made.
    """

    clip: Path
    outputs: dict[str, Path]
    people: int
    frames: int
    seconds: dict[str, float]
    warnings: list[str]
    is_kept: bool = False
    still: bytes = field(default=b"", repr=False)

    @property
    def status(self) -> str:
        """`done` or `kept`."""
        return "kept" if self.is_kept else "done"

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        kind, path = next(iter(self.outputs.items()))
        return path.parents[kind.count("/")]

    @property
    def keypoints(self) -> Path | None:
        """The file of keypoints; of a long clip the middle one; None if there is none."""
        files = [path for kind, path in self.outputs.items() if Path(kind).name == "keypoints"]
        return files[len(files) // 2] if files else None

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
    """What became of each clip of many; owns the exit code.

    Attributes:
        done: What each clip gave that was worked on, or was done already.
        failed: Why each of the others failed; an error the user can mend, or a bug.
        total: How many clips there were; some may not have been come to.
    """

    done: dict[Path, Outcome] = field(default_factory=dict)
    failed: dict[Path, Exception] = field(default_factory=dict)
    total: int = 1

    @property
    def exit_code(self) -> int:
        """OK if no clip failed; the error's own code if the only clip did."""
        if not self.failed:
            return ExitCode.OK
        if not self.done and len(self.failed) == self.total == 1:
            return exit_code_of(next(iter(self.failed.values())))
        return ExitCode.SOME_CLIPS_FAILED

    @property
    def counts(self) -> dict[str, int]:
        """How many clips there are, done, kept as they were, failed, and not come to."""
        kept = sum(getattr(outcome, "is_kept", False) for outcome in self.done.values())
        n_failed = len(self.failed)
        return {
            "clips": self.total,
            "done": len(self.done) - kept,
            "kept": kept,
            "failed": n_failed,
            "left": self.total - len(self.done) - n_failed,
        }


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code that an error has alone; that of a bug if it is none of ours."""
    return ExitCode(getattr(error, "exit_code", ExitCode.BUG))
