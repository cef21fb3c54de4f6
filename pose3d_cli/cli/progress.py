"""Progress on stderr: a bar on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import typer

_LINE_EVERY_S = 10.0


class Display:
    """Shows how far the stage at hand is; this one shows nothing."""

    def start(self, name: str, total: int | None) -> None:
        """Begin a stage; the one before is over."""

    def advance(self) -> None:
        """Count a step."""

    def at(self, step: int, note: str) -> None:
        """Set the number of steps done, with something to say about it."""

    def stop(self) -> None:
        """Take the display away."""


class Lines(Display):
    """A line when a stage begins and one every few seconds, for logs and pipes.

    Args:
        every_s: Seconds between lines of one stage.
    """

    def __init__(self, every_s: float = _LINE_EVERY_S) -> None:
        self._every_s = every_s
        self._name, self._total, self._step, self._told_s = "", 0, 0, 0.0

    def start(self, name: str, total: int | None) -> None:
        """Say that a stage begins."""
        self._name, self._total, self._step = name, total or 0, 0
        self._told_s = time.monotonic()
        typer.echo(f"{name} ({total}) ..." if total else f"{name} ...", err=True)

    def advance(self) -> None:
        """Count a step; say so if the last line is some time ago."""
        self.at(self._step + 1, "")

    def at(self, step: int, note: str) -> None:
        """Set the number of steps; say so if the last line is some time ago."""
        self._step = step
        if time.monotonic() - self._told_s >= self._every_s or (note and step == self._total):
            self._told_s = time.monotonic()
            of = f"/{self._total}" if self._total else ""
            typer.echo(f"{self._name} {step}{of}  {note}".rstrip(), err=True)


class Bar(Display):
    """A bar a stage with time gone and left, for terminals; lines of text go above the bars."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def start(self, name: str, total: int | None) -> None:
        """Draw a new bar below those of the stages before."""
        if self._progress is None:
            self._progress = _rich_progress()
            self._progress.start()
        self._finish()
        self._task = self._progress.add_task(name, total=total, note="")

    def advance(self) -> None:
        """Move the bar by a step."""
        self._progress.advance(self._task)

    def at(self, step: int, note: str) -> None:
        """Move the bar to a step and say something beside it."""
        self._progress.update(self._task, completed=step, note=note)

    def stop(self) -> None:
        """Leave the bars as they are."""
        if self._progress is not None:
            self._finish()
            self._progress.stop()
            self._progress = self._task = None

    def _finish(self) -> None:
        """Give a stage whose length was unknown, or said wrongly, the length it had."""
        if self._task is not None:
            done = self._progress.tasks[self._task]
            if done.total is None or done.completed > done.total:
                self._progress.update(self._task, total=done.completed)


def make_display(*, quiet: bool) -> Display:
    """Return the display that fits where stderr goes."""
    if quiet:
        return Display()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Bar()
    return Lines()


def _rich_progress() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description:>7}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
