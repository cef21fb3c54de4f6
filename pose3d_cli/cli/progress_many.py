"""Progress of many clips at two levels: how many are over, and the stage of each in work."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import typer

from pose3d_cli.cli.progress import has_bars, rich_progress, time_left

_LINE_EVERY_S = 10.0


@dataclass
class Slot:
    """A clip in work.

    Attributes:
        name: Of the clip, as shown.
        stage: At hand.
        total: Steps of the stage; None if nobody knows.
        step: Steps done.
        bar: What a display on a terminal keeps of it.
    """

    name: str
    stage: str = ""
    total: int | None = None
    step: int = 0
    bar: Any = None


class ManyDisplay:
    """Counts clips, and shows nothing.

    Attributes:
        total: How many clips there are.
        over: How many of them are over.
        failed: How many of those failed.
        slots: The clips in work.
    """

    def __init__(self) -> None:
        self.total = self.over = self.failed = self._worked = 0
        self.slots: list[Slot] = []
        self._began_s = time.monotonic()

    def begin(self, total: int) -> None:
        """Begin with so many clips."""
        self.total, self._began_s = total, time.monotonic()

    def opened(self, name: str) -> Slot:
        """Begin to show a clip."""
        if not self._worked and not self.slots:
            self._began_s = time.monotonic()  # those that were done already took no time
        self.slots.append(slot := Slot(name=name))
        return slot

    def changed(self, slot: Slot) -> None:
        """Show where a clip in work has got to."""

    def closed(self, slot: Slot) -> None:
        """Take a clip away."""
        if slot in self.slots:
            self.slots.remove(slot)

    def counted(self, *, is_worked: bool, is_failed: bool) -> None:
        """Count a clip that is over."""
        self.over += 1
        self.failed += is_failed
        self._worked += is_worked

    def stop(self) -> None:
        """Make room for what is printed; what changes next brings the display back."""

    def failures(self) -> str:
        """Say how many failed; nothing if none did."""
        return f"{self.failed} failed" if self.failed else ""

    def left_s(self) -> float | None:
        """Return the seconds that the clips left will take, going by those worked on so far."""
        if not self._worked or self.over >= self.total:
            return None
        return (time.monotonic() - self._began_s) / self._worked * (self.total - self.over)


class ManyLines(ManyDisplay):
    """A line on all clips every few seconds, for logs and pipes.

    Args:
        every_s: Seconds between lines.
    """

    def __init__(self, every_s: float = _LINE_EVERY_S) -> None:
        super().__init__()
        self._every_s, self._told_s = every_s, time.monotonic()

    def begin(self, total: int) -> None:
        """Say how many there are."""
        super().begin(total)
        typer.echo(f"{total} clips ...", err=True)

    def changed(self, slot: Slot) -> None:
        """Say how all are if the last line is some time ago."""
        super().changed(slot)
        if time.monotonic() - self._told_s >= self._every_s:
            self._told_s = time.monotonic()
            typer.echo(self._line(), err=True)

    def _line(self) -> str:
        left_s = self.left_s()
        words = [f"clips {self.over}/{self.total}", self.failures()]
        words.append("" if left_s is None else time_left(left_s))
        works = [
            f"{s.name} {s.stage} {s.step}{f'/{s.total}' if s.total else ''}" for s in self.slots
        ]
        return "; ".join([", ".join(word for word in words if word), *works])


class ManyBars(ManyDisplay):
    """A bar for all clips, and one for the stage of each in work, for terminals."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: Any = None
        self._all: Any = None

    def changed(self, slot: Slot) -> None:
        """Draw the bar of a clip anew."""
        super().changed(slot)
        bars = self._shown()
        if slot.bar is None:
            slot.bar = bars.add_task(slot.stage, total=slot.total, note=slot.name)
        if bars.tasks[bars.task_ids.index(slot.bar)].description != slot.stage:
            bars.reset(slot.bar, total=slot.total, description=slot.stage)
        bars.update(slot.bar, completed=slot.step)

    def closed(self, slot: Slot) -> None:
        """Take the bar of a clip away."""
        super().closed(slot)
        if slot.bar is not None and self._bars is not None:
            self._bars.remove_task(slot.bar)

    def counted(self, *, is_worked: bool, is_failed: bool) -> None:
        """Move the bar of all clips."""
        super().counted(is_worked=is_worked, is_failed=is_failed)
        if self._bars is not None:
            self._bars.update(self._all, completed=self.over, **self._words())

    def stop(self) -> None:
        """Take the bars away until something moves."""
        if self._bars is not None:
            self._bars.stop()

    def _words(self) -> dict[str, str]:
        left_s = self.left_s()
        left = "-:--:--" if left_s is None else str(timedelta(seconds=round(left_s)))
        return {"note": self.failures(), "left": left}

    def _shown(self) -> Any:
        """Return the bars, on the screen."""
        if self._bars is None:
            self._bars = rich_progress(transient=True)
            shown = {"total": self.total, "completed": self.over}
            self._all = self._bars.add_task("clips", **shown, **self._words())
        self._bars.start()
        return self._bars


def make_many_display(*, quiet: bool) -> ManyDisplay:
    """Return the display that fits where stderr goes."""
    if quiet:
        return ManyDisplay()
    return ManyBars() if has_bars() else ManyLines()
