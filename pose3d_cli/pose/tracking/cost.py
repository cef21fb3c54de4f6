"""How unlikely it is that two sightings are of one person: place, size, overlap and look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.optimize import linear_sum_assignment

from pose3d_cli.pose.boxes import iou
from pose3d_cli.pose.tracking.track import Seen, Track

# How far a person may seem to be from where they were expected, in sizes of the person: noise,
# plus sizes a second.
MAX_JUMP = 0.25
_MAX_SPEED = 1.5
_MAX_GROWTH = 1.7  # ratio of sizes before and after a loss
# What else counts, beside the distance that is 1 where it is no longer possible.
_OVERLAP = 0.3
_LOOK = 0.5
_NEW = 0.3
_NEW_FOR = 3
"""A track of fewer sightings may be nobody, so others come first."""
_IMPOSSIBLE = 1e3


def apart(one: Seen, other: Seen, shift_px: Float64[np.ndarray, " 2"] | None = None) -> float:
    """Return the distance of two people's keypoints: 1 is as far as one person may seem to jump.

    Args:
        one: The earlier.
        other: The later.
        shift_px: How far `one` is expected to have moved meanwhile; None for not at all.
    """
    size, other_size = one.size_px, other.size_px
    if max(size, other_size) > _MAX_GROWTH * min(size, other_size):
        return np.inf
    moved = other.xy - one.xy if shift_px is None else other.xy - one.xy - shift_px
    distance = np.hypot(*moved.T)
    distance = distance[~np.isnan(distance)]
    if not len(distance):
        return np.inf
    allowed = MAX_JUMP + _MAX_SPEED * abs(other.time_s - one.time_s)
    return float(_median(distance) / (allowed * max(size, other_size)))


def _median(values: Float[np.ndarray, " values"]) -> np.floating[Any]:
    """Return the median of a few values, ten times as quickly as NumPy's own function."""
    ordered, middle = np.sort(values), len(values) // 2
    if len(values) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def look_apart(
    one: Float[np.ndarray, " bins"] | None, other: Float[np.ndarray, " bins"] | None
) -> float:
    """Return the Hellinger distance of two looks, in [0, 1]; 0 where one is unknown."""
    if one is None or other is None:
        return 0.0
    alike = np.sqrt(one.astype(np.float64) * other).sum()
    return float(np.sqrt(max(1 - alike, 0.0)))


def cost(track: Track, person: Seen) -> float:
    """Return how unlikely a sighting is of a track's person; infinite where it is impossible.

    Somebody may go on at the speed they had, or stop: the nearer of the two counts.

    Args:
        track: Who it may be.
        person: The sighting.
    """
    shift_px = track.shift_px(person.time_s)
    stays, goes_on = apart(track.last, person), apart(track.last, person, shift_px)
    distance = float(min(goes_on, stays + 0.1))
    if distance >= 1:
        return np.inf
    expected = track.last.box + np.tile(shift_px, 2)
    shared = float(iou(expected[None], person.box[None])[0, 0])
    look = look_apart(track.look, person.look)
    is_new = len(track) < _NEW_FOR
    return distance + _OVERLAP * (1 - shared) + _LOOK * look + _NEW * is_new


def assign(costs: Float[np.ndarray, "rows columns"]) -> list[tuple[int, int]]:
    """Return the pairs of least cost together, as many as are possible; none of infinite cost."""
    possible: Bool[np.ndarray, "rows columns"] = np.isfinite(costs)
    rows, columns = linear_sum_assignment(np.where(possible, costs, _IMPOSSIBLE))
    pairs: Sequence[tuple[int, int]] = list(zip(rows.tolist(), columns.tolist(), strict=True))
    return [pair for pair in pairs if possible[pair]]
