"""How many processes work on clips, and with how many threads each."""

from __future__ import annotations

import os
import shutil
from typing import Literal

from pose3d_cli.detect.cores import cores, threads_allowed

BYTES_A_WORKER = 2 * 2**30
"""What a process takes with its libraries, models and frames: 0.9 GB measured, with a margin."""

_MOST_AUTO = 16
_MOST_ON_GPU = 4


def how_many(
    jobs: int | Literal["auto"], n_tasks: int, *, device: str = "auto"
) -> tuple[int, int | None]:
    """Return the number of processes, and of threads of each (None: as many as its libraries like).

    Decoding, following and drawing use one core whatever the machine has, so `auto` is a process a
    core, if memory allows; on a GPU, where lifting is quick and memory dear, it is four at most.

    Args:
        jobs: As asked for.
        n_tasks: Clips to work on; no process is without one.
        device: The setting of that name.
    """
    wanted = max(1, _as_many_as_pay(device) if jobs == "auto" else jobs)
    # By the number asked for, however few clips are left: the last bits of a network's answers
    # hang on its threads, and a run that is gone on with must give what a quiet one does.
    threads = None if wanted == 1 else max(1, min(cores() // wanted, threads_allowed()))
    return max(1, min(wanted, n_tasks)), threads


def _as_many_as_pay(device: str) -> int:
    has_gpu = device != "cpu" and (device != "auto" or shutil.which("nvidia-smi") is not None)
    return min(cores(), _memory() // BYTES_A_WORKER, _MOST_ON_GPU if has_gpu else _MOST_AUTO)


def _memory() -> int:
    """Return the bytes of memory of this machine, or of many processes where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _MOST_AUTO * BYTES_A_WORKER
