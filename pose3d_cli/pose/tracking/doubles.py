"""Two sightings of one person in one picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

SAME = 0.1
"""Median distance of keypoints below which two people are one, in sides of the larger box."""


def distinct(
    xy: Float[np.ndarray, "persons joints 2"], box: Float[np.ndarray, "persons 4"]
) -> Bool[np.ndarray, " persons"]:
    """Return who is nobody earlier in the row once more: two boxes may slide onto one person."""
    size = (box[:, 2:] - box[:, :2]).max(-1, initial=0)
    kept = np.ones(len(xy), bool)
    for row in range(len(xy)):
        for earlier in np.flatnonzero(kept[:row]):
            distance = _distance(xy[row], xy[earlier])
            kept[row] &= not distance < SAME * max(size[row], size[earlier])
    return kept


def _distance(one: Float[np.ndarray, "joints 2"], other: Float[np.ndarray, "joints 2"]) -> float:
    both = ~np.isnan(one + other).any(-1)
    return float(np.median(np.hypot(*(one - other)[both].T))) if both.any() else np.inf
