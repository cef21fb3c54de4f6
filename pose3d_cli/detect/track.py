"""Following people through a video: the detector looks, the tracker says who is who."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pose3d_cli.detect.base import Detector, People2D
from pose3d_cli.detect.look import look
from pose3d_cli.detect.schedule import Schedule
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.pose.tracking.doubles import distinct
from pose3d_cli.pose.tracking.tidy import tidy
from pose3d_cli.pose.tracking.track import Seen, Track
from pose3d_cli.pose.tracking.tracker import Tracker
from pose3d_cli.pose.types import Keypoints2D

_FORGET_S = 1.0  # a person lost for longer comes back as somebody else
_FOLLOW_LOST_S = 0.3  # so long the detector still looks where a lost person was
# The same in pictures, for videos with few a second.
_FORGET_FRAMES = 2.5
_FOLLOW_LOST_FRAMES = 1.5
_MIN_TRACK_S = 0.3
_MIN_TRACK_FRAMES = 5
# Chairs and trees pass for people, but unsurely and not for long.
_MIN_SCORE = 0.3
_SURE_SCORE = 0.7
_MIN_UNSURE_S = 2.0


@dataclass
class _Pace:
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


def track_people(
    detector: Detector,
    frames: Iterable[VideoFrame],
    *,
    fps: float,
    image_size: tuple[int, int],
    detect_every: int | None = None,
) -> list[Keypoints2D]:
    """Follow everybody through a video.

    Streams: pictures are dropped as soon as they are looked at.

    Args:
        detector: Finds the people of one picture.
        frames: Pictures in order of time.
        fps: Nominal frames a second.
        image_size: Width and height of the upright picture in pixels.
        detect_every: Search the whole picture each so many frames, and whenever somebody was
            lost; in between people are only followed. By default three times a second. Once a
            second at most the search is thorough.

    Returns:
        One sequence a person, numbered from 0 in order of first appearance. A frame in which the
        person was lost has no row. Appearances too short or too unsure to be a person are left
        out. Nobody found is an empty list.
    """
    schedule = Schedule.of(fps, detect_every)
    tracker = Tracker()
    last: dict[Track, People2D] = {}
    n_frames = n_before = 0
    pace = _Pace(1 / fps)
    for frame in frames:
        n_frames += 1
        step_s = pace.step(frame.time_s)
        free = tracker.near(frame.time_s, max(_FORGET_S, _FORGET_FRAMES * step_s))
        follow_s = max(_FOLLOW_LOST_S, _FOLLOW_LOST_FRAMES * step_s)
        asked = [track for track in free if frame.time_s - track.last.time_s <= follow_s]
        search = schedule.due()
        somebody_lost = False
        if asked or search:
            near = _together([last[track] for track in asked])
            people = detector.detect(frame.image, near, search=search)
            people = people.take(distinct(people.xy, people.box))
            given = tracker.step(_sightings(people, frame), free)
            last = {t: last[t] for t in asked} | {
                track: people.take(np.array([row])) for row, track in enumerate(given)
            }
            somebody_lost = len(people) < n_before
            n_before = len(people)
        schedule.passed(search, somebody_lost=somebody_lost)
    return _finish(tidy(tracker.tracks), n_frames, fps, image_size, detector.skeleton)


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


def _finish(
    tracks: Sequence[Track],
    n_frames: int,
    fps: float,
    image_size: tuple[int, int],
    skeleton: Skeleton,
) -> list[Keypoints2D]:
    kept = [track for track in tracks if _is_person(track, n_frames, fps)]
    return [
        Keypoints2D(
            xy=np.stack([seen.xy for seen in track.seen]),
            score=np.stack([seen.score for seen in track.seen]),
            frames=np.array([seen.frame for seen in track.seen], np.int64),
            time_s=np.array([seen.time_s for seen in track.seen], np.float64),
            fps=fps,
            image_size=image_size,
            skeleton=skeleton,
            person=person,
        )
        for person, track in enumerate(kept)
    ]


def _is_person(track: Track, n_frames: int, fps: float) -> bool:
    score = float(np.mean([seen.score for seen in track.seen]))
    least = _MIN_TRACK_S if score >= _SURE_SCORE else _MIN_UNSURE_S
    # A clip shorter than the shortest believable appearance may still show somebody.
    n_least = min(max(least * fps, _MIN_TRACK_FRAMES), n_frames / 2)
    return score >= _MIN_SCORE and len(track) >= n_least
