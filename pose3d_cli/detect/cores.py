"""How many cores and threads this process may use."""

from __future__ import annotations

import os


def cores() -> int:
    """Return the number of cores given to this process: a scheduler's share, not the machine."""
    # Not on every system; where it is missing a process may use all cores.
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return given or 1


def threads_allowed() -> int:
    """Return how many threads one piece of work may use: all cores, or what OpenMP is told."""
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return max(1, min(cores(), int(told) if told.isdecimal() else cores()))
