"""Memory that a training step frees and the next one asks for again."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt, from malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20  # glibc accepts no more on 64-bit machines
_KEPT = 2**31 - 1


def keep_freed_memory() -> None:
    """Make glibc keep freed memory, where it would give it back to the system.

    A step on the CPU allocates the same hundreds of megabytes again and again; returning them
    makes the kernel clear every page anew. Elsewhere than on glibc this does nothing.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_TRIM_THRESHOLD, _KEPT)
