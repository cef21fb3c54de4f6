"""One person so far: where they were, how they moved, what they look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64

_STEADY_S = 0.3
"""Speed is that over so long: shorter, and a detector's noise is most of it."""
_GOES_ON_S = 0.6
"""So long somebody unseen is thought to keep the speed they had."""
_LOOKS = 0.1
"""Share of a new look in that which is remembered."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """One person in one picture.

    Attributes:
        frame: Number of the picture.
        time_s: Its time in seconds.
        xy: Keypoints in pixels; NaN where unseen.
        score: Confidence of each in [0, 1].
        box: Left, top, right, bottom in pixels.
        look: Histogram of colours that sums to 1; None where none was taken.
    """

    frame: int
    time_s: float
    xy: Float32[np.ndarray, "joints 2"]
    score: Float32[np.ndarray, " joints"]
    box: Float32[np.ndarray, " 4"]
    look: Float32[np.ndarray, " bins"] | None = None

    @cached_property
    def size_px(self) -> float:
        """How tall or wide the person is, whatever a single joint says that is far off."""
        known = self.xy[~np.isnan(self.xy).any(-1)]
        low, high = np.percentile(known, (10, 90), axis=0) if len(known) else np.zeros((2, 2))
        return float((high - low).max()) / 0.8 + 1e-6

    @property
    def sureness(self) -> float:
        """The mean score."""
        return float(self.score.mean())


@dataclass(eq=False)
class Track:
    """One person so far.

    Attributes:
        seen: In order of time; never empty once made.
        look: What they look like, from pictures in which nobody hid them.
        n_forgotten: Sightings before these, which are gone; they count for the length.
    """

    seen: list[Seen] = field(default_factory=list)
    look: Float64[np.ndarray, " bins"] | None = None
    n_forgotten: int = 0

    def __len__(self) -> int:
        return self.n_forgotten + len(self.seen)

    @property
    def last(self) -> Seen:
        """The latest sighting."""
        return self.seen[-1]

    def extend(self, person: Seen) -> None:
        """Add a sighting, later than all others."""
        self.seen.append(person)
        if person.look is not None:
            new = person.look.astype(np.float64)
            self.look = new if self.look is None else (1 - _LOOKS) * self.look + _LOOKS * new

    def forget(self, before_s: float) -> None:
        """Drop sightings before a time; the last one stays."""
        kept = [seen for seen in self.seen if seen.time_s >= before_s] or self.seen[-1:]
        self.n_forgotten += len(self.seen) - len(kept)
        self.seen = kept

    def shift_px(self, time_s: float) -> Float64[np.ndarray, " 2"]:
        """Return how far the person will have moved since last seen, at constant velocity."""
        ahead_s = min(time_s - self.last.time_s, _GOES_ON_S)
        return velocity(reversed(self.seen)) * ahead_s


def velocity(seen: Iterable[Seen]) -> Float64[np.ndarray, " 2"]:
    """Return the velocity at the first of some sightings, in pixels a second; 0 if none is known.

    Args:
        seen: One person's, towards the past or towards the future.
    """
    order = iter(seen)
    first, far = next(order), None
    for other in order:
        apart_s = abs(other.time_s - first.time_s)
        if apart_s >= _STEADY_S / 2:
            far = other
        if apart_s >= _STEADY_S:
            break
    if far is None:
        return np.zeros(2)
    moved = (far.xy - first.xy) / (far.time_s - first.time_s)
    known = moved[~np.isnan(moved).any(-1)]
    return np.median(known.astype(np.float64), axis=0) if len(known) else np.zeros(2)
