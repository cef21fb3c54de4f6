"""Who is who from one part of a clip to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose3d_cli.pose.spans import Span
from pose3d_cli.pose.tracking.track import Seen, Track


@dataclass(eq=False)
class Handover:
    """Numbers people over all parts, in order of first appearance.

    Neighbouring parts share the sightings of their margins. Whoever has most of a person's shared
    sightings in the next part is that person there.
    """

    _shared: dict[Seen, int] = field(default_factory=dict)
    _n_people: int = 0

    def number(
        self, tracks: Sequence[Track], span: Span, is_person: Callable[[Track], bool]
    ) -> dict[int, Track]:
        """Return the people of a part by their numbers.

        Args:
            tracks: Tidied, in order of first appearance, of the part and its margins.
            span: The part.
            is_person: Whether a track is one; not asked of people of the part before.

        Returns:
            Those who are in the part's own pictures, in order of first appearance.
        """
        first, last = span.own_frames[0], span.own_frames[-1]
        known = self._known(tracks)
        people: dict[int, Track] = {}
        for at, track in enumerate(tracks):
            is_there = any(first <= seen.frame <= last for seen in track.seen)
            if is_there and (at in known or is_person(track)):
                people[known.get(at, self._n_people)] = track
                self._n_people += at not in known
        self._shared = {
            seen: person
            for person, track in people.items()
            for seen in track.seen
            if seen.time_s >= span.shared_from_s
        }
        return people

    def _known(self, tracks: Sequence[Track]) -> dict[int, int]:
        """Return the person of the part before that each track is, by its place."""
        shares = [
            Counter(self._shared[seen] for seen in track.seen if seen in self._shared)
            for track in tracks
        ]
        numbers = sorted(set().union(*shares))
        counts = np.array([[share[number] for number in numbers] for share in shares])
        rows, columns = linear_sum_assignment(
            counts.reshape(len(tracks), len(numbers)), maximize=True
        )
        return {
            int(row): numbers[column]
            for row, column in zip(rows, columns, strict=True)
            if counts[row, column]
        }
