"""The detector asked about picture after picture, and the tracker who is who in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pose3d_cli.detect.base import Detector, People2D
from pose3d_cli.detect.look import look
from pose3d_cli.detect.schedule import Schedule
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.tracking.doubles import distinct
from pose3d_cli.pose.tracking.track import Seen, Track
from pose3d_cli.pose.tracking.tracker import Tracker

_FORGET_S = 1.0  # a person lost for longer comes back as somebody else
_FOLLOW_LOST_S = 0.3  # so long the detector still looks where a lost person was
# The same in pictures, for videos with few a second.
_FORGET_FRAMES = 2.5
_FOLLOW_LOST_FRAMES = 1.5


@dataclass
class Pace:
    """The time between pictures: nominal, or longer where it has been so twice in a row.

    A header may promise 30 pictures a second of a file that has one every three seconds.
    """

    nominal_s: float
    last_s: float | None = None
    last_gap_s: float = np.inf

    def step(self, time_s: float) -> float:
        """Return the time from picture to picture at a new one."""
        if self.last_s is None:
            self.last_s = time_s
            return self.nominal_s
        before_s, self.last_gap_s = self.last_gap_s, time_s - self.last_s
        self.last_s = time_s
        return max(self.nominal_s, min(before_s, self.last_gap_s))


@dataclass(eq=False)
class Follower:
    """Asks a detector about one picture after another, and the tracker who is who.

    Attributes:
        detector: Finds the people of one picture.
        schedule: When and how the whole picture is searched.
        pace: Time between pictures.
        tracker: Who was seen so far.
        last: What was last seen of those who are followed.
        n_before: How many people the picture before showed.
    """

    detector: Detector
    schedule: Schedule
    pace: Pace
    tracker: Tracker = field(default_factory=Tracker)
    last: dict[Track, People2D] = field(default_factory=dict)
    n_before: int = 0

    def watch(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[int, float]]:
        """Take pictures in order of time; yield number and time of each that was looked at."""
        for frame in frames:
            self._look(frame)
            yield frame.index, frame.time_s

    def _look(self, frame: VideoFrame) -> None:
        step_s = self.pace.step(frame.time_s)
        free = self.tracker.near(frame.time_s, max(_FORGET_S, _FORGET_FRAMES * step_s))
        follow_s = max(_FOLLOW_LOST_S, _FOLLOW_LOST_FRAMES * step_s)
        asked = [track for track in free if frame.time_s - track.last.time_s <= follow_s]
        search = self.schedule.due()
        somebody_lost = False
        if asked or search:
            near = _together([self.last[track] for track in asked])
            people = self.detector.detect(frame.image, near, search=search)
            people = people.take(distinct(people.xy, people.box))
            given = self.tracker.step(_sightings(people, frame), free)
            self.last = {track: self.last[track] for track in asked} | {
                track: people.take(np.array([row])) for row, track in enumerate(given)
            }
            somebody_lost = len(people) < self.n_before
            self.n_before = len(people)
        self.schedule.passed(search, somebody_lost=somebody_lost)


def _sightings(people: People2D, frame: VideoFrame) -> list[Seen]:
    return [
        Seen(
            frame=frame.index,
            time_s=frame.time_s,
            xy=people.xy[row],
            score=people.score[row],
            box=people.box[row],
            look=look(frame.image, people.box[row]),
        )
        for row in range(len(people))
    ]


def _together(people: list[People2D]) -> People2D | None:
    """Return one-row values as one value."""
    if not people:
        return None
    hints = [person.hint for person in people if person.hint is not None]
    return People2D(
        box=np.concatenate([person.box for person in people]),
        xy=np.concatenate([person.xy for person in people]),
        score=np.concatenate([person.score for person in people]),
        origin=np.concatenate([person.origin for person in people]),
        hint=np.concatenate(hints) if len(hints) == len(people) else None,
    )
