"""Following people through a video: the detector looks, the tracker says who is who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.follow import Follower, Pace
from pose3d_cli.detect.schedule import Schedule
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.pose.spans import Parting, Span
from pose3d_cli.pose.tracking.handover import Handover
from pose3d_cli.pose.tracking.tidy import tidy
from pose3d_cli.pose.tracking.track import Track
from pose3d_cli.pose.tracking.tracker import Tracker
from pose3d_cli.pose.types import Keypoints2D

_MIN_TRACK_S = 0.3
_MIN_TRACK_FRAMES = 5
# Chairs and trees pass for people, but unsurely and not for long.
_MIN_SCORE = 0.3
_SURE_SCORE = 0.7
_MIN_UNSURE_S = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Everybody in a part of a clip.

    Attributes:
        span: Its pictures.
        people: Who is in the part's own pictures; with the rows of its margins.
    """

    span: Span
    people: list[Keypoints2D]


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
    parts = track_parts(
        detector,
        frames,
        Parting(),
        fps=fps,
        image_size=image_size,
        detect_every=detect_every,
    )
    return [person for part in parts for person in part.people]


def track_parts(
    detector: Detector,
    frames: Iterable[VideoFrame],
    parting: Parting,
    *,
    fps: float,
    image_size: tuple[int, int],
    detect_every: int | None = None,
) -> Iterator[Part]:
    """Follow everybody through a video, and yield each part as soon as it is over.

    Of what was seen before, no more is kept than the margin of the next part, so memory does not
    grow with the clip. Numbers go on from part to part.

    Args:
        detector: Finds the people of one picture.
        frames: Pictures in order of time.
        parting: Says where parts end.
        fps: Nominal frames a second.
        image_size: Width and height of the upright picture in pixels.
        detect_every: As `track_people` has it.
    """
    follower = Follower(detector, Schedule.of(fps, detect_every), Pace(1 / fps))
    handover = Handover()
    for span in parting.spans(follower.watch(frames)):
        # Made elsewhere, so that nothing here holds it while the next part is looked at.
        yield Part(
            span=span,
            people=[
                _sequence(number, track, fps, image_size, detector.skeleton)
                for number, track in _people(span, follower.tracker, handover, fps).items()
            ],
        )


def _people(span: Span, tracker: Tracker, handover: Handover, fps: float) -> dict[int, Track]:
    """Return the people of a part by their numbers, and let the tracker forget what it can."""
    tracks = tidy(tracker.within(int(span.frames[0]), int(span.frames[-1])))
    tracker.forget(span.shared_from_s)
    return handover.number(tracks, span, partial(_is_person, n_frames=len(span.frames), fps=fps))


def _sequence(
    number: int, track: Track, fps: float, image_size: tuple[int, int], skeleton: Skeleton
) -> Keypoints2D:
    return Keypoints2D(
        xy=np.stack([seen.xy for seen in track.seen]),
        score=np.stack([seen.score for seen in track.seen]),
        frames=np.array([seen.frame for seen in track.seen], np.int64),
        time_s=np.array([seen.time_s for seen in track.seen], np.float64),
        fps=fps,
        image_size=image_size,
        skeleton=skeleton,
        person=number,
    )


def _is_person(track: Track, n_frames: int, fps: float) -> bool:
    score = float(np.mean([seen.score for seen in track.seen]))
    least = _MIN_TRACK_S if score >= _SURE_SCORE else _MIN_UNSURE_S
    # A clip shorter than the shortest believable appearance may still show somebody.
    n_least = min(max(least * fps, _MIN_TRACK_FRAMES), n_frames / 2)
    return score >= _MIN_SCORE and len(track) >= n_least
