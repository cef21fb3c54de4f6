"""Pieces of tracks put together: which goes on where another broke off."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import numpy as np
from jaxtyping import Float64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pose3d_cli.pose.tracking.cost import apart, assign, look_apart
from pose3d_cli.pose.tracking.track import Seen, Track, velocity

_JOIN_S = 1.0
"""Longest gap over which two pieces are one person."""
_JOIN_ALIKE_S = 2.0
_ALIKE = 0.4
"""The same where the looks are known, and no farther apart than this (Hellinger distance)."""
_OVERLAP_S = 0.2
"""So long one person may be two pieces at once."""
_LOOK = 1.5
"""Share of a look in the cost of joining, beside the distance that is 1 where it is impossible."""
_BESIDE_S = 1.0
"""So long before and after a gap looks are compared."""

FEWEST_LOOKS = 3
"""Fewer do not tell what somebody looks like."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a track that is one person for sure.

    Attributes:
        seen: In order of time.
        track: Number of the track it is from.
        part: Number of the piece in that track.
    """

    seen: list[Seen]
    track: int
    part: int

    @cached_property
    def first_look(self) -> Float64[np.ndarray, " bins"] | None:
        """The mean look in its first second; None for too few."""
        return _look(self.seen)

    @cached_property
    def last_look(self) -> Float64[np.ndarray, " bins"] | None:
        """The mean look in its last second; None for too few."""
        return _look(self.seen[::-1])

    @cached_property
    def first_velocity(self) -> Float64[np.ndarray, " 2"]:
        """Pixels a second at its beginning."""
        return velocity(self.seen)

    @cached_property
    def last_velocity(self) -> Float64[np.ndarray, " 2"]:
        """Pixels a second at its end."""
        return velocity(self.seen[::-1])


def cut(number: int, track: Track, times_s: Collection[float]) -> list[Piece]:
    """Return a track as the pieces between some times.

    Args:
        number: Of the track.
        track: Anybody.
        times_s: In seconds, in any order.
    """
    place = np.searchsorted(sorted(times_s), [seen.time_s for seen in track.seen])
    parts = np.split(np.arange(len(track)), np.flatnonzero(np.diff(place)) + 1)
    return [
        Piece([track.seen[row] for row in rows], number, part) for part, rows in enumerate(parts)
    ]


def joined(pieces: Sequence[Piece]) -> list[Track]:
    """Return the pieces of each person as a track; each goes on in one other at most."""
    goes_on = _assign_apart(_possible(pieces))
    tracks = []
    for start in sorted(set(range(len(pieces))) - set(goes_on.values())):
        seen, at = list(pieces[start].seen), start
        while at in goes_on:
            at = goes_on[at]
            seen += [later for later in pieces[at].seen if later.frame > seen[-1].frame]
        tracks.append(Track(seen))
    return tracks


def _possible(pieces: Sequence[Piece]) -> dict[tuple[int, int], float]:
    """Return the cost of each joining that is possible: a piece, and that which goes on from it."""
    order = sorted(range(len(pieces)), key=lambda number: pieces[number].seen[0].time_s)
    begins_s = [pieces[number].seen[0].time_s for number in order]
    after = {(piece.track, piece.part): number for number, piece in enumerate(pieces)}
    costs = {}
    for number, one in enumerate(pieces):
        end_s = one.seen[-1].time_s
        # With a hair's breadth: the gap itself is looked at below, rounded as it may be.
        start = bisect_left(begins_s, end_s - 2 * _OVERLAP_S)
        others = set(order[start : bisect_right(begins_s, end_s + 2 * _JOIN_ALIKE_S)])
        for other in others | {after.get((one.track, one.part + 1), number)}:
            cost = _cost_of_joining(one, pieces[other])
            if cost < np.inf:
                costs[number, other] = cost
    return costs


def _assign_apart(costs: dict[tuple[int, int], float]) -> dict[int, int]:
    """Return the pairs of least cost together, as many as are possible.

    Chosen in each group of pieces that hang together by itself: a day's pieces in one matrix would
    take more memory and time than all else.
    """
    if not costs:
        return {}
    rows, columns = (np.array([pair[side] for pair in costs]) for side in (0, 1))
    n = int(max(rows.max(), columns.max())) + 1
    graph = coo_array((np.ones(len(rows)), (rows, columns + n)), shape=(2 * n, 2 * n))
    _, group = connected_components(graph, directed=False)
    pairs: dict[int, list[tuple[int, int]]] = {}
    for pair in costs:
        pairs.setdefault(int(group[pair[0]]), []).append(pair)
    found: dict[int, int] = {}
    for own in pairs.values():
        before, after = (sorted({pair[side] for pair in own}) for side in (0, 1))
        dense = np.array([[costs.get((a, b), np.inf) for b in after] for a in before])
        found |= {before[row]: after[column] for row, column in assign(dense)}
    return found


def _look(seen: Sequence[Seen]) -> Float64[np.ndarray, " bins"] | None:
    """Return the mean look in the second that begins a row of sightings; None for too few."""
    first_s = seen[0].time_s
    near = takewhile(lambda s: abs(s.time_s - first_s) <= _BESIDE_S, seen)
    looks = [s.look for s in near if s.look is not None]
    if len(looks) < FEWEST_LOOKS:
        return None
    return np.asarray(np.mean(looks, axis=0), np.float64)


def _cost_of_joining(one: Piece, other: Piece) -> float:
    """Return how unlikely it is that `other` is `one` again; infinite where it is impossible."""
    last, first = one.seen[-1], other.seen[0]
    gap_s = first.time_s - last.time_s
    is_next = one.track == other.track and one.part + 1 == other.part
    begins_later = first.time_s > one.seen[0].time_s  # or short pieces might go round in a ring
    if not begins_later or gap_s <= -_OVERLAP_S or not (is_next or gap_s <= _JOIN_ALIKE_S):
        return np.inf
    before, after = one.last_look, other.first_look
    look = look_apart(before, after)
    known = before is not None and after is not None
    if not is_next and gap_s > _JOIN_S and not (known and look < _ALIKE):
        return np.inf
    distance = 0.0 if is_next else _distance(one, other, gap_s)
    return distance + _LOOK * look if distance < 1 else np.inf


def _distance(one: Piece, other: Piece, gap_s: float) -> float:
    """Return how far apart the ends are, at rest or at the speed before or after the gap."""
    shifts = (None, one.last_velocity * gap_s, other.first_velocity * gap_s)
    return min(apart(one.seen[-1], other.seen[0], shift) for shift in shifts)
