"""Runs of frames in which something is so."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool


def runs_of(is_so: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Return the first frame of each run, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_so, [False]])))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]
