"""People of one picture after another to tracks, as the pictures come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import numpy as np

from pose3d_cli.pose.boxes import iou
from pose3d_cli.pose.tracking.cost import assign, cost
from pose3d_cli.pose.tracking.track import Seen, Track

_SURE = 0.5
"""Mean score from which somebody is matched before all that are less sure (ByteTrack's order)."""
_HIDDEN = 0.1
"""IoU with somebody else from which the look of a person is not remembered."""


@dataclass(eq=False)
class Tracker:
    """Everybody so far, but for those forgotten.

    Attributes:
        tracks: In order of first appearance.
    """

    tracks: list[Track] = field(default_factory=list)
    # Each with its number, in order of the last sighting: whoever looks for the recent ones need
    # not pass by all there ever were.
    _latest: dict[Track, int] = field(default_factory=dict)
    _n_made: int = 0

    def near(self, time_s: float, reach_s: float) -> list[Track]:
        """Return tracks seen at most `reach_s` before, the longest first."""
        recent = takewhile(lambda t: time_s - t.last.time_s <= reach_s, reversed(self._latest))
        return sorted(recent, key=lambda track: (-len(track), self._latest[track]))

    def within(self, first: int, last: int) -> list[Track]:
        """Return who was seen in some pictures, as tracks of the sightings in these alone."""
        tracks = [Track([s for s in t.seen if first <= s.frame <= last]) for t in self.tracks]
        return [track for track in tracks if track.seen]

    def forget(self, before_s: float) -> None:
        """Drop sightings before a time, and whoever was not seen since."""
        self.tracks = [track for track in self.tracks if track.last.time_s >= before_s]
        kept = set(self.tracks)
        self._latest = {track: n for track, n in self._latest.items() if track in kept}
        for track in self.tracks:
            track.forget(before_s)

    def step(self, people: Sequence[Seen], free: Sequence[Track]) -> list[Track]:
        """Give each person of a picture to a track, an old one or a new one.

        Args:
            people: Who is in the picture.
            free: Tracks that may go on.

        Returns:
            The track of each person.
        """
        left, open_ones = list(range(len(people))), list(free)
        people = _without_hidden_looks(people)
        given: dict[int, Track] = {}
        for sure in (True, False):
            rows = [row for row in left if (people[row].sureness >= _SURE) == sure]
            costs = [[cost(track, people[row]) for track in open_ones] for row in rows]
            pairs = assign(np.array(costs).reshape(len(rows), len(open_ones)))
            for at, column in pairs:
                given[rows[at]] = open_ones[column]
            taken = {column for _, column in pairs}
            left = [row for row in left if row not in given]
            open_ones = [track for at, track in enumerate(open_ones) if at not in taken]
        for row in left:
            given[row] = Track()
            self.tracks.append(given[row])
        for row, track in given.items():
            track.extend(people[row])
            self._note_latest(track)
        return [given[row] for row in range(len(people))]

    def _note_latest(self, track: Track) -> None:
        number = self._latest.pop(track, self._n_made)
        self._n_made += number == self._n_made
        self._latest[track] = number


def _without_hidden_looks(people: Sequence[Seen]) -> list[Seen]:
    """Return the people; who overlaps another has no look, which may be the other's."""
    if len(people) < 2:
        return list(people)
    box = np.stack([person.box for person in people])
    shared = iou(box, box) - np.eye(len(box))
    return [
        replace(person, look=None) if shared[row].max() > _HIDDEN else person
        for row, person in enumerate(people)
    ]
