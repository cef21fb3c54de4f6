"""Random numbers that depend on the seed, the step and the part of its batch, and on nothing else.

A run that is resumed, or shared out among processes, so draws what it would have drawn anyhow.
"""

from __future__ import annotations

import hashlib

import numpy as np


def seed_of(seed: int, step: int, part: int) -> int:
    """Return where the random numbers of a part of a step's batch start, below 2**63."""
    key = np.random.SeedSequence([seed, step, part])
    return int(key.generate_state(1, np.uint64)[0] >> np.uint64(1))


def lot(name: str) -> bytes:
    """Return where a name stands in an order by chance that is the same in every run."""
    return hashlib.sha256(name.encode()).digest()
