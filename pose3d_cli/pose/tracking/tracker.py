"""People of one picture after another to tracks, as the pictures come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
    """Everybody so far.

    Attributes:
        tracks: In order of first appearance.
    """

    tracks: list[Track] = field(default_factory=list)

    def near(self, time_s: float, reach_s: float) -> list[Track]:
        """Return tracks seen at most `reach_s` before, the longest first."""
        recent = [track for track in self.tracks if time_s - track.last.time_s <= reach_s]
        return sorted(recent, key=lambda track: -len(track))

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
        return [given[row] for row in range(len(people))]


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
