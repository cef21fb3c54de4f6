"""A clip's time cut into parts as its pictures come, each seen with a margin on both sides.

How long a clip is nobody knows before its end: headers err, and a stream has none. So a part is
over only once enough has come after it; what is too short to be a part of its own is the end of
the part before.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

MARGIN_S = 3.0
"""Least margin: people are lost for two seconds at most, and unsure ones are there for two."""
_MARGIN_FRAMES = 10
"""The same for videos of few pictures a second."""
_SHORTEST = 0.5
"""Share of a part of which less is no part of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Span:
    """The pictures of a part, between those of its neighbours that are looked at too.

    Attributes:
        number: Of the part, from 1.
        is_last: Whether the clip ends with it.
        frames: Numbers of all pictures, margins too, rising.
        time_s: Their times in seconds.
        own: Which of them are the part's own.
        shared_from_s: From when on its pictures are seen by the next part too.
    """

    number: int
    is_last: bool
    frames: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    own: slice
    shared_from_s: float = math.inf

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole clip."""
        return self.is_last and self.number == 1

    @property
    def own_frames(self) -> Int64[np.ndarray, " own"]:
        """Numbers of the part's own pictures."""
        return self.frames[self.own]

    def is_own(self, frames: Int64[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
        """Return which of some rows, by the number of their picture, are the part's own."""
        return (frames >= self.own_frames[0]) & (frames <= self.own_frames[-1])

    @property
    def own_time_s(self) -> Float64[np.ndarray, " own"]:
        """Their times in seconds."""
        return self.time_s[self.own]


@dataclass(kw_only=True)
class Parting:
    """Cuts the pictures of a clip into parts of equal time, from the first picture on.

    Attributes:
        part_s: Seconds of a part; infinite for one that never ends.
        margin_s: Seconds of the neighbours that are looked at too, at least.
    """

    part_s: float = math.inf
    margin_s: float = MARGIN_S
    _frames: list[int] = field(default_factory=list)
    _time_s: list[float] = field(default_factory=list)
    _n_before: int = 0
    _number: int = 1
    _end_s: float = math.nan

    def spans(self, pictures: Iterable[tuple[int, float]]) -> Iterator[Span]:
        """Yield the parts of a clip, each as soon as it is over; none if there is no picture.

        Args:
            pictures: Number and time in seconds of each, in order.
        """
        for frame, time_s in pictures:
            if not self._time_s:
                self._end_s = time_s + self.part_s
            self._frames.append(frame)
            self._time_s.append(time_s)
            margin_s = max(self.margin_s, _MARGIN_FRAMES * self._step_s())
            if time_s >= self._end_s + max(_SHORTEST * self.part_s, margin_s):
                yield self._cut(margin_s)
        if self._time_s:
            yield self._span(len(self._time_s), len(self._time_s), is_last=True)

    def _step_s(self) -> float:
        return (self._time_s[-1] - self._time_s[0]) / max(len(self._time_s) - 1, 1)

    def _cut(self, margin_s: float) -> Span:
        """Return the part up to its end, and keep what the next one needs."""
        start, stop, seen = (
            bisect_left(self._time_s, self._end_s + shift_s) for shift_s in (-margin_s, 0, margin_s)
        )
        span = self._span(stop, seen, shared_from_s=self._end_s - margin_s)
        self._number += 1
        # A pause in a clip may last for parts.
        passed = (self._time_s[stop] - self._end_s) // self.part_s
        self._end_s += (passed + 1) * self.part_s
        self._frames, self._time_s = self._frames[start:], self._time_s[start:]
        self._n_before = stop - start
        return span

    def _span(
        self, stop: int, seen: int, *, is_last: bool = False, shared_from_s: float = math.inf
    ) -> Span:
        return Span(
            number=self._number,
            is_last=is_last,
            frames=np.array(self._frames[:seen], np.int64),
            time_s=np.array(self._time_s[:seen], np.float64),
            own=slice(self._n_before, stop),
            shared_from_s=shared_from_s,
        )
