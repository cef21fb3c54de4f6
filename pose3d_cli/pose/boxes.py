"""Boxes that share ground (IoU), and points outside the picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int64


def iou(
    one: Float[np.ndarray, "n 4"], other: Float[np.ndarray, "m 4"]
) -> Float64[np.ndarray, "n m"]:
    """Return how much each of some boxes (left, top, right, bottom) shares with each of others."""
    return _shared(one[:, None], other[None])


def iou_in_pairs(
    one: Float[np.ndarray, "n 4"], other: Float[np.ndarray, "n 4"]
) -> Float64[np.ndarray, " n"]:
    """Return how much each of some boxes shares with that in the same row of the others."""
    return _shared(one, other)


def _shared(
    one: Float[np.ndarray, "*#n 4"], other: Float[np.ndarray, "*#n 4"]
) -> Float64[np.ndarray, "*n"]:
    one, other = one.astype(np.float64), other.astype(np.float64)
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area, other_area = ((box[..., 2:] - box[..., :2]).prod(-1) for box in (one, other))
    return np.asarray(shared / np.maximum(area + other_area - shared, 1e-9))


def keep_best(
    box: Float[np.ndarray, "boxes 4"], score: Float[np.ndarray, " boxes"], max_overlap: float
) -> Int64[np.ndarray, " kept"]:
    """Return the rows, the surest first, that overlap no surer one by more than `max_overlap`."""
    shared = iou(box, box)
    kept: list[int] = []
    for row in np.argsort(-score, kind="stable"):
        if np.all(shared[row, kept] <= max_overlap):
            kept.append(int(row))
    return np.array(kept, dtype=np.int64)


def closeness(
    xy: Float[np.ndarray, "*points 2"],
    width: int,
    height: int,
    reach_px: Float[np.ndarray, "*#points"] | float,
) -> Float[np.ndarray, "*points"]:
    """Return 1 inside the picture, falling to 0 at `reach_px` outside it."""
    outside = np.maximum(np.maximum(-xy, xy - [width - 1, height - 1]), 0).max(-1)
    return np.clip(1 - outside / reach_px, 0, 1)


def around(xy: Float[np.ndarray, "*batch joints 2"]) -> Float[np.ndarray, "*batch 4"]:
    """Return the boxes round points; NaN where all points are."""
    return np.concatenate([np.nanmin(xy, axis=-2), np.nanmax(xy, axis=-2)], axis=-1)
