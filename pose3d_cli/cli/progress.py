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
        self._began: tuple[float, int] | None = None

    def start(self, name: str, total: int | None) -> None:
        """Say that a stage begins."""
        self._name, self._total, self._step = name, total or 0, 0
        self._told_s, self._began = time.monotonic(), None
        typer.echo(f"{name} ({total}) ..." if total else f"{name} ...", err=True)

    def advance(self) -> None:
        """Count a step; say so if the last line is some time ago."""
        self.at(self._step + 1, "")

    def at(self, step: int, note: str) -> None:
        """Set the number of steps; say so if the last line is some time ago."""
        self._step, now_s = step, time.monotonic()
        # A run that goes on begins in the middle, so speed counts from the first step told.
        self._began = self._began or (now_s, step)
        if now_s - self._told_s >= self._every_s or (note and step == self._total):
            self._told_s = now_s
            of = f"/{self._total}" if self._total else ""
            words = [f"{self._name} {step}{of}", note, self._left(now_s)]
            typer.echo(", ".join(word for word in words if word), err=True)

    def _left(self, now_s: float) -> str:
        """Return the time that the rest will take, in words, where it can be known."""
        began_s, first = self._began or (now_s, self._step)
        if self._step <= first or self._step >= self._total:
            return ""
        left_s = (now_s - began_s) / (self._step - first) * (self._total - self._step)
        return time_left(left_s)


class Bar(Display):
    """A bar a stage with time gone and left, for terminals; lines of text go above the bars."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def start(self, name: str, total: int | None) -> None:
        """Draw a new bar below those of the stages before."""
        if self._progress is None:
            self._progress = rich_progress()
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
    return Bar() if has_bars() else Lines()


def has_bars() -> bool:
    """Whether stderr is a terminal that can redraw."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def time_left(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"


def rich_progress(*, transient: bool = False) -> Any:
    """Return bars with time gone and left on stderr.

    A task with a field `left` has that text in place of what its last steps say.

    Args:
        transient: Whether they vanish when they stop.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Left(TimeRemainingColumn):
        def render(self, task: Any) -> Text:
            own = task.fields.get("left")
            return super().render(task) if own is None else Text(own, "progress.remaining")

    return Progress(
        TextColumn("{task.description:>7}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        Left(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=transient,
    )
