"""Mending tracks when the whole clip is known: people exchanged, in pieces or there twice.

What comes later tells more than the moment: who comes out of a crossing with whose clothes, and
which piece goes on where another broke off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose3d_cli.pose.tracking.cost import MAX_JUMP, apart
from pose3d_cli.pose.tracking.doubles import SAME
from pose3d_cli.pose.tracking.exchange import exchanged
from pose3d_cli.pose.tracking.pieces import FEWEST_LOOKS, cut, joined
from pose3d_cli.pose.tracking.together import Rows, close, overlapping, together
from pose3d_cli.pose.tracking.track import Seen, Track

_MEETING_LASTS_S = 1.0
"""Boxes that part for less than this still meet."""

_SAME = SAME / MAX_JUMP
"""Distance (see `apart`) below which two people in one picture are one."""
_FEWEST = 3
"""Tracks of fewer sightings are nobody's piece."""
_MOSTLY = 0.7
"""Share of a track in which it must be another's double to be left out."""


def tidy(tracks: Sequence[Track]) -> list[Track]:
    """Return tracks mended: see the module.

    Tracks are cut in the middle of each meeting of two people, and the pieces put together anew,
    each as it was unless the looks say otherwise. Only tracks near each other in time are
    compared, so the work grows with their number and not with its square.

    Returns:
        In order of first appearance.
    """
    kept = _without_doubles(tracks)
    middles = _meetings(kept, _give_back(kept))
    flickers = [track for track in kept if len(track) < _FEWEST]
    pieces = [
        piece
        for number, track in enumerate(kept)
        if len(track) >= _FEWEST
        for piece in cut(number, track, middles[number])
    ]
    return sorted(joined(pieces) + flickers, key=lambda track: track.seen[0].frame)


def _without_doubles(tracks: Sequence[Track]) -> list[Track]:
    """Return the tracks without those that mostly show somebody whom a longer one shows."""
    beside: list[list[int]] = [[] for _ in tracks]
    for one, other in overlapping(tracks):
        beside[one].append(other)
        beside[other].append(one)
    rows = [Rows.of(track) for track in tracks]
    kept: set[int] = set()
    for number in sorted(range(len(tracks)), key=lambda one: len(tracks[one]), reverse=True):
        track = tracks[number]
        doubled = [
            sum(
                apart(track.seen[own], tracks[long].seen[others]) < _SAME
                for own, others in rows[number].near(rows[long], SAME)
            )
            for long in beside[number]
            if long in kept
        ]
        if max(doubled, default=0) < _MOSTLY * len(track):
            kept.add(number)
    return [tracks[number] for number in sorted(kept)]


def _give_back(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Exchange sightings of people who were taken for each other; return who meets whom."""
    rows = [Rows.of(track) for track in tracks]
    for a, b in overlapping(tracks):
        if not rows[a].meets(rows[b]):
            continue
        one, other = tracks[a], tracks[b]
        both = together(one, other)
        swapped = {
            pair[0].frame: pair
            for pair, is_swapped in zip(both, exchanged(both, close(both)), strict=True)
            if is_swapped
        }
        one.seen = [swapped[s.frame][1] if s.frame in swapped else s for s in one.seen]
        other.seen = [swapped[s.frame][0] if s.frame in swapped else s for s in other.seen]
        if swapped:
            rows[a], rows[b] = Rows.of(one), Rows.of(other)
    return [(a, b) for a, b in overlapping(tracks) if rows[a].meets(rows[b])]


def _meetings(tracks: Sequence[Track], pairs: Sequence[tuple[int, int]]) -> list[set[float]]:
    """Return for each track the middles of its meetings with others, in seconds."""
    middles: list[set[float]] = [set() for _ in tracks]
    for one, other in pairs:
        for middle_s in _middles(together(tracks[one], tracks[other])):
            middles[one].add(middle_s)
            middles[other].add(middle_s)
    return middles


def _middles(both: Sequence[tuple[Seen, Seen]]) -> list[float]:
    """Return the middles of the meetings of two people, in seconds.

    A meeting lasts until both have been seen clearly again for some pictures.
    """
    meetings: list[tuple[float, float]] = []
    clear = 0
    for (a, b), is_close in zip(both, close(both), strict=True):
        if not is_close:
            clear += a.look is not None and b.look is not None
            continue
        start_s, last_s = meetings[-1] if meetings else (a.time_s, -np.inf)
        if clear < FEWEST_LOOKS and a.time_s - last_s <= _MEETING_LASTS_S:
            meetings[-1] = (start_s, a.time_s)
        else:
            meetings.append((a.time_s, a.time_s))
        clear = 0
    return [(start_s + end_s) / 2 for start_s, end_s in meetings]
