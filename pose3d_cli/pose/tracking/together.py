"""Tracks that are there at the same time: which they are, and where two of them meet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from pose3d_cli.pose.boxes import iou_in_pairs
from pose3d_cli.pose.tracking.track import Seen, Track

_MEETING = 0.15
"""IoU from which two people may be taken for each other."""


def overlapping(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Return the pairs of tracks, by number, of which neither ends before the other begins.

    Returns:
        The lesser number first, in rising order.
    """
    pairs: list[tuple[int, int]] = []
    there: list[int] = []
    for number in sorted(range(len(tracks)), key=lambda one: tracks[one].seen[0].frame):
        first = tracks[number].seen[0].frame
        there = [other for other in there if tracks[other].last.frame >= first]
        pairs += [(min(number, other), max(number, other)) for other in there]
        there.append(number)
    return sorted(pairs)


def together(one: Track, other: Track) -> list[tuple[Seen, Seen]]:
    """Return the sightings of two people in the pictures that show both."""
    first = max(one.seen[0].frame, other.seen[0].frame)
    last = min(one.last.frame, other.last.frame)
    there = {seen.frame: seen for seen in _between(other.seen, first, last)}
    return [
        (seen, there[seen.frame]) for seen in _between(one.seen, first, last) if seen.frame in there
    ]


@dataclass(frozen=True, eq=False)
class Rows:
    """A track as arrays, in which two are compared many times as quickly as by sightings.

    Attributes:
        frames: Number of the picture of each sighting, rising.
        box: Left, top, right, bottom in pixels.
        xy: Keypoints in pixels; NaN where unseen.
    """

    frames: Int64[np.ndarray, " rows"]
    box: Float32[np.ndarray, "rows 4"]
    xy: Float32[np.ndarray, "rows joints 2"]

    @classmethod
    def of(cls, track: Track) -> Rows:
        """Return the arrays of a track."""
        return cls(
            np.array([seen.frame for seen in track.seen], np.int64),
            np.stack([seen.box for seen in track.seen]),
            np.stack([seen.xy for seen in track.seen]),
        )

    def meets(self, other: Rows) -> bool:
        """Whether there is a picture in which the two may be taken for each other."""
        own, others = self._shared(other)
        return bool((iou_in_pairs(self.box[own], other.box[others]) >= _MEETING).any())

    def near(self, other: Rows, share: float) -> list[tuple[int, int]]:
        """Return the rows of pictures in which a closer look at the two is worth while.

        In the others the median distance of their keypoints is surely above the share of the
        larger's size.
        """
        own, others = self._shared(other)
        one, two = self.xy[own], other.xy[others]
        distance = np.sort(np.hypot(*np.moveaxis(one - two, -1, 0)), axis=-1)  # NaN comes last
        middle = np.maximum((~np.isnan(distance)).sum(-1) - 1, 0) // 2
        lower_median = np.take_along_axis(distance, middle[:, None], -1)[:, 0]
        # A size is the middle four fifths of the keypoints' extent, made up to the whole.
        size = 1.3 * np.maximum(_extent(one), _extent(two)) + 1e-3
        is_near = lower_median <= share * size
        return list(zip(own[is_near].tolist(), others[is_near].tolist(), strict=True))

    def _shared(
        self, other: Rows
    ) -> tuple[Int64[np.ndarray, " shared"], Int64[np.ndarray, " shared"]]:
        """Return the rows of each in the pictures that show both."""
        _, own, others = np.intersect1d(
            self.frames, other.frames, assume_unique=True, return_indices=True
        )
        return own, others


def close(both: Sequence[tuple[Seen, Seen]]) -> list[bool]:
    """Return in which of the pictures that show two people they may be taken for each other."""
    if not both:
        return []
    one, other = (np.stack([pair[which].box for pair in both]) for which in (0, 1))
    return (iou_in_pairs(one, other) >= _MEETING).tolist()


def _extent(xy: Float[np.ndarray, "both joints 2"]) -> Float[np.ndarray, " both"]:
    low = np.where(np.isnan(xy), np.inf, xy).min(1)
    high = np.where(np.isnan(xy), -np.inf, xy).max(1)
    return (high - low).max(-1)


def _between(seen: Sequence[Seen], first: int, last: int) -> Sequence[Seen]:
    start = bisect_left(seen, first, key=_frame)
    return seen[start : bisect_right(seen, last, lo=start, key=_frame)]


def _frame(seen: Seen) -> int:
    return seen.frame
