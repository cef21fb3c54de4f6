"""A reporter that also keeps what goes into the record of a run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pose3d_cli.pipeline.report import Reporter

Item = TypeVar("Item")


class Watch:
    """Passes everything on to a reporter, and keeps times and warnings.

    Attributes:
        seconds: Time of each stage so far, all parts of a clip together.
        warnings: Each once, in order.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage."""
        self.reporter.stage(name, total)

    def advance(self) -> None:
        """Count one step of the stage."""
        self.reporter.advance()

    def note(self, text: str) -> None:
        """Say what was done or chosen."""
        self.reporter.note(text)

    def warn(self, text: str) -> None:
        """Say what the user should know, once."""
        if text not in self.warnings:
            self.warnings.append(text)
            self.reporter.warn(text)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Keep how long the block takes."""
        started = time.monotonic()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started

    def timed_each(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yield what is made one after another; keep how long the making takes."""
        waiting = iter(items)
        while True:
            with self.timed(stage):
                item = next(waiting, None)
            if item is None:
                return
            yield item
