"""Mending tracks when the whole clip is known: people exchanged, in pieces or there twice.

What comes later tells more than the moment: who comes out of a crossing with whose clothes, and
which piece goes on where another broke off.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.boxes import iou
from pose3d_cli.pose.tracking.cost import MAX_JUMP, apart, assign, look_apart
from pose3d_cli.pose.tracking.doubles import SAME
from pose3d_cli.pose.tracking.exchange import exchanged
from pose3d_cli.pose.tracking.track import Seen, Track, velocity

_MEETING = 0.15
"""IoU from which two people may be taken for each other."""
_MEETING_LASTS_S = 1.0
"""Boxes that part for less than this still meet."""

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
_FEWEST_LOOKS = 3

_SAME = SAME / MAX_JUMP
"""Distance (see `apart`) below which two people in one picture are one."""
_FEWEST = 3
"""Tracks of fewer sightings are nobody's piece."""
_MOSTLY = 0.7
"""Share of a track in which it must be another's double to be left out."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of a track that is one person for sure.

    Attributes:
        seen: In order of time.
        track: Number of the track it is from.
        part: Number of the piece in that track.
    """

    seen: list[Seen]
    track: int
    part: int


def tidy(tracks: Sequence[Track]) -> list[Track]:
    """Return tracks mended: see the module.

    Tracks are cut in the middle of each meeting of two people, and the pieces put together anew,
    each as it was unless the looks say otherwise.

    Returns:
        In order of first appearance.
    """
    kept = _without_doubles(tracks)
    _give_back(kept)
    middles = _meetings(kept)
    flickers = [track for track in kept if len(track) < _FEWEST]
    pieces = [
        piece
        for number, track in enumerate(kept)
        if len(track) >= _FEWEST
        for piece in _cut(number, track, middles[number])
    ]
    return sorted(_joined(pieces) + flickers, key=lambda track: track.seen[0].frame)


def _together(one: Track, other: Track) -> list[tuple[Seen, Seen]]:
    """Return the sightings of two people in the pictures that show both."""
    if one.seen[0].frame > other.last.frame or other.seen[0].frame > one.last.frame:
        return []
    there = {seen.frame: seen for seen in other.seen}
    return [(seen, there[seen.frame]) for seen in one.seen if seen.frame in there]


def _without_doubles(tracks: Sequence[Track]) -> list[Track]:
    """Return the tracks without those that mostly show somebody whom a longer one shows."""
    kept: list[Track] = []
    for track in sorted(tracks, key=len, reverse=True):
        doubled = [sum(apart(*two) < _SAME for two in _together(track, long)) for long in kept]
        if max(doubled, default=0) < _MOSTLY * len(track):
            kept.append(track)
    return [track for track in tracks if track in kept]


def _give_back(tracks: Sequence[Track]) -> None:
    """Exchange sightings of people who were taken for each other."""
    for one, other in combinations(tracks, 2):
        both = _together(one, other)
        close = _close(both)
        if not any(close):
            continue
        swapped = {
            pair[0].frame: pair
            for pair, is_swapped in zip(both, exchanged(both, close), strict=True)
            if is_swapped
        }
        one.seen = [swapped[s.frame][1] if s.frame in swapped else s for s in one.seen]
        other.seen = [swapped[s.frame][0] if s.frame in swapped else s for s in other.seen]


def _close(both: Sequence[tuple[Seen, Seen]]) -> list[bool]:
    return [float(iou(a.box[None], b.box[None])[0, 0]) >= _MEETING for a, b in both]


def _meetings(tracks: Sequence[Track]) -> list[set[float]]:
    """Return for each track the middles of its meetings with others, in seconds."""
    middles: list[set[float]] = [set() for _ in tracks]
    for one, other in combinations(range(len(tracks)), 2):
        for middle_s in _middles(_together(tracks[one], tracks[other])):
            middles[one].add(middle_s)
            middles[other].add(middle_s)
    return middles


def _middles(both: Sequence[tuple[Seen, Seen]]) -> list[float]:
    """Return the middles of the meetings of two people, in seconds.

    A meeting lasts until both have been seen clearly again for some pictures.
    """
    meetings: list[tuple[float, float]] = []
    clear = 0
    for (a, b), is_close in zip(both, _close(both), strict=True):
        if not is_close:
            clear += a.look is not None and b.look is not None
            continue
        start_s, last_s = meetings[-1] if meetings else (a.time_s, -np.inf)
        if clear < _FEWEST_LOOKS and a.time_s - last_s <= _MEETING_LASTS_S:
            meetings[-1] = (start_s, a.time_s)
        else:
            meetings.append((a.time_s, a.time_s))
        clear = 0
    return [(start_s + end_s) / 2 for start_s, end_s in meetings]


def _cut(number: int, track: Track, times_s: Collection[float]) -> list[_Piece]:
    place = np.searchsorted(sorted(times_s), [seen.time_s for seen in track.seen])
    parts = np.split(np.arange(len(track)), np.flatnonzero(np.diff(place)) + 1)
    return [
        _Piece([track.seen[row] for row in rows], number, part) for part, rows in enumerate(parts)
    ]


def _looks(seen: Sequence[Seen]) -> Float64[np.ndarray, " bins"] | None:
    """Return the mean look in the second that begins a row of sightings; None for too few."""
    first_s = seen[0].time_s
    near = takewhile(lambda s: abs(s.time_s - first_s) <= _BESIDE_S, seen)
    looks = [s.look for s in near if s.look is not None]
    if len(looks) < _FEWEST_LOOKS:
        return None
    return np.asarray(np.mean(looks, axis=0), np.float64)


def _joined(pieces: list[_Piece]) -> list[Track]:
    """Return the pieces of each person as a track; each goes on in one other at most."""
    costs = np.full((len(pieces), len(pieces)), np.inf)
    for a, one in enumerate(pieces):
        for b, other in enumerate(pieces):
            costs[a, b] = _cost_of_joining(one, other)
    goes_on = dict(assign(costs))
    joined = []
    for start in sorted(set(range(len(pieces))) - set(goes_on.values())):
        seen, at = list(pieces[start].seen), start
        while at in goes_on:
            at = goes_on[at]
            seen += [later for later in pieces[at].seen if later.frame > seen[-1].frame]
        joined.append(Track(seen))
    return joined


def _cost_of_joining(one: _Piece, other: _Piece) -> float:
    """Return how unlikely it is that `other` is `one` again; infinite where it is impossible."""
    last, first = one.seen[-1], other.seen[0]
    gap_s = first.time_s - last.time_s
    is_next = one.track == other.track and one.part + 1 == other.part
    begins_later = first.time_s > one.seen[0].time_s  # or short pieces might go round in a ring
    if not begins_later or gap_s <= -_OVERLAP_S or not (is_next or gap_s <= _JOIN_ALIKE_S):
        return np.inf
    distance = 0.0 if is_next else _distance(one, other, gap_s)
    if distance >= 1:
        return np.inf
    before, after = _looks(one.seen[::-1]), _looks(other.seen)
    look = look_apart(before, after)
    known = before is not None and after is not None
    if not is_next and gap_s > _JOIN_S and not (known and look < _ALIKE):
        return np.inf
    return distance + _LOOK * look


def _distance(one: _Piece, other: _Piece, gap_s: float) -> float:
    """Return how far apart the ends are, at rest or at the speed before or after the gap."""
    shifts = (None, velocity(one.seen[::-1]) * gap_s, velocity(other.seen) * gap_s)
    return min(apart(one.seen[-1], other.seen[0], shift) for shift in shifts)
