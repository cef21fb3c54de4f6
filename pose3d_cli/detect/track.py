"""Identity over time: the people of each picture to one sequence a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pose3d_cli.config import nearest
from pose3d_cli.detect.base import Detector, People2D
from pose3d_cli.errors import NobodyFoundError, UnknownNameError
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.pose.types import Keypoints2D

_SEARCH_EVERY_S = 1 / 3
_FORGET_S = 1.0  # a person lost for longer comes back as somebody else
_FOLLOW_LOST_S = 0.3  # so long the detector still looks where a lost person was
# The same in pictures, for videos with few a second.
_FORGET_FRAMES = 2.5
_FOLLOW_LOST_FRAMES = 1.5
# How far a person may seem to move, in sizes of the person: noise, plus sizes a second.
_MAX_JUMP = 0.25
_MAX_SPEED = 1.5
_MAX_GROWTH = 1.7  # ratio of sizes before and after a loss
_MIN_TRACK_S = 0.3
_MIN_TRACK_FRAMES = 5
# Chairs and trees pass for people, but unsurely and not for long.
_MIN_SCORE = 0.3
_SURE_SCORE = 0.7
_MIN_UNSURE_S = 2.0


@dataclass(eq=False)
class _Track:
    """One person so far."""

    last: People2D  # one row
    frames: list[int] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)
    xy: list[np.ndarray] = field(default_factory=list)
    score: list[np.ndarray] = field(default_factory=list)

    def extend(self, person: People2D, frame: VideoFrame) -> None:
        self.last = person
        self.frames.append(frame.index)
        self.time_s.append(frame.time_s)
        self.xy.append(person.xy[0])
        self.score.append(person.score[0])

    def cost(self, person: People2D, time_s: float) -> float:
        """Return how unlikely `person` is this one: below 1 is possible."""
        size, other = _size(self.last), _size(person)
        if max(size, other) > _MAX_GROWTH * min(size, other):
            return np.inf
        apart = np.hypot(*(self.last.xy[0] - person.xy[0]).T)
        allowed = _MAX_JUMP + _MAX_SPEED * (time_s - self.time_s[-1])
        return float(np.nanmedian(apart) / (allowed * max(size, other)))


def _size(person: People2D) -> float:
    return float(max(person.box[0, 2:] - person.box[0, :2])) + 1e-6


@dataclass(eq=False)
class _Tracker:
    """Everybody so far, and whom the next picture may show."""

    tracks: list[_Track] = field(default_factory=list)
    n_active: int = 0

    def near(self, time_s: float, reach_s: float) -> list[_Track]:
        """Return tracks seen at most `reach_s` before, the longest first."""
        recent = [track for track in self.tracks if time_s - track.time_s[-1] <= reach_s]
        return sorted(recent, key=lambda track: -len(track.frames))

    def step(
        self, people: People2D, asked: list[_Track], free: list[_Track], frame: VideoFrame
    ) -> None:
        """Give each person of a picture to a track, an old one or a new one.

        Args:
            people: Who was found.
            asked: Tracks the detector was to follow, in the order of `people.origin`.
            free: Tracks not forgotten; those that go on are taken out.
            frame: The picture.
        """
        rows = [people.take(np.array([row])) for row in range(len(people))]
        strangers: list[People2D] = []
        for person in rows:
            origin = int(person.origin[0])
            track = asked[origin] if origin >= 0 else None
            if track in free and track.cost(person, frame.time_s) < 1:
                track.extend(person, frame)
                free.remove(track)
            else:
                strangers.append(person)
        self._match(strangers, free, frame)
        self.n_active = len(rows)

    def _match(self, strangers: list[People2D], free: list[_Track], frame: VideoFrame) -> None:
        """Give people the detector did not follow to the likeliest tracks, else to new ones."""
        cost = np.array([[t.cost(p, frame.time_s) for t in free] for p in strangers])
        cost = cost.reshape(len(strangers), len(free))
        while cost.size and cost.min() < 1:
            row, column = np.unravel_index(cost.argmin(), cost.shape)
            free[column].extend(strangers[row], frame)
            cost[row, :] = np.inf
            cost[:, column] = np.inf
        for person in strangers:
            if not any(track.last is person for track in free):
                track = _Track(person)
                track.extend(person, frame)
                self.tracks.append(track)


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
            lost; in between people are only followed. By default three times a second.

    Returns:
        One sequence a person, numbered from 0 in order of first appearance. A frame in which the
        person was lost has no row. Appearances too short or too unsure to be a person are left
        out. Nobody found is an empty list.
    """
    every = detect_every or max(1, round(fps * _SEARCH_EVERY_S))
    tracker = _Tracker()
    n_frames = 0
    wait = 0
    pace = _Pace(1 / fps)
    for frame in frames:
        n_frames += 1
        step_s = pace.step(frame.time_s)
        free = tracker.near(frame.time_s, max(_FORGET_S, _FORGET_FRAMES * step_s))
        follow_s = max(_FOLLOW_LOST_S, _FOLLOW_LOST_FRAMES * step_s)
        asked = [track for track in free if frame.time_s - track.time_s[-1] <= follow_s]
        search = wait <= 0
        if asked or search:
            n_before = tracker.n_active
            near = _together([track.last for track in asked])
            people = detector.detect(frame.image, near, search=search)
            tracker.step(people, asked, free, frame)
            wait = every if search else wait
            if tracker.n_active < n_before:
                wait = 1
        wait -= 1
    return _finish(tracker.tracks, n_frames, fps, image_size, detector.skeleton)


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
    tracks: list[_Track],
    n_frames: int,
    fps: float,
    image_size: tuple[int, int],
    skeleton: Skeleton,
) -> list[Keypoints2D]:
    kept = [track for track in tracks if _is_person(track, n_frames, fps)]
    return [
        Keypoints2D(
            xy=np.stack(track.xy),
            score=np.stack(track.score),
            frames=np.array(track.frames, np.int64),
            time_s=np.array(track.time_s, np.float64),
            fps=fps,
            image_size=image_size,
            skeleton=skeleton,
            person=person,
        )
        for person, track in enumerate(kept)
    ]


def _is_person(track: _Track, n_frames: int, fps: float) -> bool:
    score = float(np.mean(track.score))
    least = _MIN_TRACK_S if score >= _SURE_SCORE else _MIN_UNSURE_S
    # A clip shorter than the shortest believable appearance may still show somebody.
    n_least = min(max(least * fps, _MIN_TRACK_FRAMES), n_frames / 2)
    return score >= _MIN_SCORE and len(track.frames) >= n_least


def _extent(track: Keypoints2D) -> float:
    """Return the mean area of a person's box over the rows, times how many there are."""
    seen: Float[np.ndarray, "frames joints 2"] = np.where(
        track.score[..., None] > 0, track.xy, np.nan
    )
    rows = seen[~np.isnan(seen).all((1, 2))]
    if not len(rows):
        return 0.0
    return float((np.nanmax(rows, axis=1) - np.nanmin(rows, axis=1)).prod(-1).sum())


def pick_people(tracks: list[Keypoints2D], which: str) -> list[Keypoints2D]:
    """Return the people a user asked for.

    Args:
        tracks: Everybody found.
        which: `all`; `largest`, who fills most of the picture over the clip; `longest`, who is
            seen in most frames; or an identity, a number.

    Raises:
        UnknownNameError: `which` is none of these words and no number.
        NobodyFoundError: No such person.
    """
    if which == "all":
        return list(tracks)
    if which in ("largest", "longest"):
        return [max(tracks, key=_extent if which == "largest" else len)] if tracks else []
    if not which.isdecimal():
        known = ["all", "largest", "longest"]
        raise UnknownNameError(
            f"--person {which!r} is neither a number nor a word known here{nearest(which, known)}"
        )
    picked = [track for track in tracks if track.person == int(which)]
    if not picked:
        there = ", ".join(str(track.person) for track in tracks) or "nobody"
        raise NobodyFoundError(f"--person {which}: not in this clip. Found: {there}.")
    return picked
