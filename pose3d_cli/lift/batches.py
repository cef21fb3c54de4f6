"""Windows of many people through a network together, answers apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from jaxtyping import Float32

Cuts = tuple[Float32[np.ndarray, "_ window joints 2"], Float32[np.ndarray, "_ window joints"]]
"""Windows of 2D coordinates and of scores, as many of each."""
Answers = Float32[np.ndarray, "_ window joints 3"]


def answered(
    parts: Iterable[Cuts], run: Callable[[Cuts], Answers], batch: int
) -> Iterator[Answers]:
    """Yield the answers to the windows of each part, in order.

    Batches are full but for the last, however few windows a part has; parts are taken as they are
    needed, and given back as soon as they are answered.

    Args:
        parts: Windows of one length; each part has some.
        run: Answers windows.
        batch: How many it is given at once.
    """
    open_parts: deque[int] = deque()
    waiting: deque[Cuts] = deque()
    done: deque[Answers] = deque()
    for part in parts:
        open_parts.append(len(part[1]))
        waiting.append(part)
        while _count(waiting) >= batch:
            done.append(run(_take(waiting, batch)))
        yield from _whole(open_parts, done)
    while waiting:
        done.append(run(_take(waiting, batch)))
    yield from _whole(open_parts, done)


def _count(waiting: Iterable[Cuts]) -> int:
    return sum(len(score) for _, score in waiting)


def _take(waiting: deque[Cuts], n: int) -> Cuts:
    """Take the first `n` windows, or all if there are fewer."""
    taken: list[Cuts] = []
    while waiting and n:
        coordinates, score = waiting.popleft()
        taken.append((coordinates[:n], score[:n]))
        if len(score) > n:
            waiting.appendleft((coordinates[n:], score[n:]))
        n -= len(taken[-1][1])
    return np.concatenate([c for c, _ in taken]), np.concatenate([s for _, s in taken])


def _whole(open_parts: deque[int], done: deque[Answers]) -> Iterator[Answers]:
    """Yield what is answered of the parts that are first in line, as long as it is all of one."""
    while open_parts and sum(map(len, done)) >= open_parts[0]:
        answers = np.concatenate(done)
        done.clear()
        n = open_parts.popleft()
        if len(answers) > n:
            done.append(answers[n:])
        yield answers[:n]
