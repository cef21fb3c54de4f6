"""The `Board` of the command line: what a user sees of many clips, or of a single one."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.cli.progress_many import ManyDisplay, Slot, make_many_display
from pose3d_cli.cli.screen import Screen
from pose3d_cli.files.plain_name import one_line
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.stop import stop_if_told


class ScreenBoard:
    """Shows how a batch goes. A single clip is shown as ever: the screen itself is its reporter.

    Args:
        screen: Where to; what is said alike of many clips is said once.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._said: set[str] = set()
        self._display = ManyDisplay()
        self._slots: dict[Path, Slot] = {}
        self._is_single = True

    def begin(self, total: int) -> None:
        """Begin with so many clips."""
        self._is_single = total == 1
        if not self._is_single:
            self._display = make_many_display(quiet=self.screen.settings.quiet)
            self.screen.use(self._display)
        self._display.begin(total)

    def opened(self, clip: Path) -> Reporter:
        """Return who is told of the work on a clip."""
        if self._is_single:
            return self.screen
        slot = self._slots[clip] = self._display.opened(one_line(clip.name))
        return _ClipReporter(self, clip, slot, self._display)

    def closed(self, clip: Path) -> None:
        """End what is shown of a clip."""
        if clip in self._slots:
            self._display.closed(self._slots.pop(clip))

    def counted(self, *, is_worked: bool, is_failed: bool) -> None:
        """Count a clip that is over."""
        self._display.counted(is_worked=is_worked, is_failed=is_failed)

    def note(self, text: str) -> None:
        """Say what concerns no clip alone, once."""
        if text not in self._said:
            self._said.add(text)
            self._display.stop()
            self.screen.note(one_line(text))

    def warn(self, text: str) -> None:
        """Say what the user should know, once."""
        if text not in self._said:
            self._said.add(text)
            self._display.stop()
            self.screen.warn(one_line(text))


class _ClipReporter:
    """Tells of one clip among many."""

    def __init__(self, board: ScreenBoard, clip: Path, slot: Slot, display: ManyDisplay) -> None:
        self._board, self._clip, self._slot, self._display = board, clip, slot, display

    def stage(self, name: str, total: int | None) -> None:
        stop_if_told()
        self._slot.stage, self._slot.total, self._slot.step = name, total, 0
        self._display.changed(self._slot)

    def advance(self) -> None:
        stop_if_told()
        self._slot.step += 1
        self._display.changed(self._slot)

    def warn(self, text: str) -> None:
        # What the settings bring about is the same for all clips, and named by none.
        is_of_all = text.startswith("camera: ") or str(self._clip) in text
        self._board.warn(text if is_of_all else f"{self._clip}: {text}")

    def note(self, text: str) -> None:
        self._board.note(text)
