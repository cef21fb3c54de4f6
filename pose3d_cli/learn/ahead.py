"""Batches drawn while the one before is learnt from, and how long was waited for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Drawn = TypeVar("Drawn")


class Ahead(Generic[Drawn]):
    """Draws in the order in which a run asks.

    Args:
        draw: Makes the batch of a step (from 0) and a part of it; depends on nothing else.
        parts: Parts of each step that this process learns from, one after another.
        apart: Draw the next one in a thread of its own. Pays where the network is not on the CPU:
            there both would fight for the same cores.

    Attributes:
        waited_s: Seconds that were waited for batches so far.
    """

    def __init__(self, draw: Callable[[int, int], Drawn], *, parts: int, apart: bool) -> None:
        self._draw, self._parts = draw, parts
        self._pool = ThreadPoolExecutor(1) if apart else None
        self._key: tuple[int, int] | None = None
        self._coming: Future[Drawn] | None = None
        self.waited_s = 0.0

    def get(self, step: int, part: int) -> Drawn:
        """Return the batch of a step's part."""
        started = time.perf_counter()
        try:
            return self._get(step, part)
        finally:
            self.waited_s += time.perf_counter() - started

    def _get(self, step: int, part: int) -> Drawn:
        if self._pool is None:
            return self._draw(step, part)
        if self._coming is None or self._key != (step, part):
            self._coming = self._pool.submit(self._draw, step, part)
        batch = self._coming.result()
        is_last = (part + 1) % self._parts == 0
        self._key = (step + 1, part + 1 - self._parts) if is_last else (step, part + 1)
        self._coming = self._pool.submit(self._draw, *self._key)
        return batch
