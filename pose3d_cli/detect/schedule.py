"""When a video is searched for people: all of it now and then, closely more seldom."""

from __future__ import annotations

from dataclasses import dataclass

from pose3d_cli.detect.base import Search

_EVERY_S = 1 / 3
_THOROUGH_EVERY_S = 1.0


@dataclass
class Schedule:
    """Says of each picture how it is searched; in between, people are only followed.

    Attributes:
        every: Pictures from one search to the next.
        thorough_every: The same for searches that find small people too.
    """

    every: int
    thorough_every: int
    _wait: int = 0
    _wait_thorough: int = 0

    @classmethod
    def of(cls, fps: float, every: int | None = None) -> Schedule:
        """Return the usual one.

        Args:
            fps: Pictures a second.
            every: Pictures from one search to the next; None for three searches a second.
        """
        every = every or max(1, round(fps * _EVERY_S))
        return cls(every=every, thorough_every=round(fps * _THOROUGH_EVERY_S))

    def due(self) -> Search:
        """Return how the next picture is to be searched."""
        if self._wait > 0:
            return Search.NONE
        return Search.USUAL if self._wait_thorough > 0 else Search.THOROUGH

    def passed(self, search: Search, *, somebody_lost: bool = False) -> None:
        """Count a picture.

        Args:
            search: How it was searched.
            somebody_lost: The next one is searched, then.
        """
        if search:
            self._wait = self.every
        if search is Search.THOROUGH:
            self._wait_thorough = self.thorough_every
        if somebody_lost:
            self._wait = 1
        self._wait -= 1
        self._wait_thorough -= 1
