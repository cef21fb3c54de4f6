"""Video or keypoint file to everybody's mended 2D keypoints, with the times of all frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.pick import pick_people
from pose3d_cli.detect.track import track_people
from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.video import Video, VideoFrame
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen in a clip.

    Attributes:
        people: As detected or read, unmended.
        frames: Number of every frame of the clip, whether somebody is in it or not.
        time_s: Its time in seconds.
        fps: Nominal frames a second.
        image_size: Width and height in pixels.
        detector: What found the keypoints, in words.
        joints: Names of the keypoints, before any conversion.
    """

    people: list[Keypoints2D]
    frames: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    fps: float
    image_size: tuple[int, int]
    detector: str
    joints: tuple[str, ...]


def observe(
    video: Video, settings: LiftSettings, detector: Detector | None, reporter: Reporter
) -> Observation:
    """Find everybody in a clip.

    Args:
        video: Opened; it is read to its end.
        settings: Span, detector pace, keypoint file.
        detector: None to read `settings.from_2d`.
        reporter: Shows progress.

    Raises:
        InputError: Unreadable keypoints, or none that belong to the clip.
        NobodyFoundError: The detector found nobody.
    """
    if detector is None:
        return _from_file(Path(settings.from_2d), settings, video, reporter)
    seen = _from_video(settings, detector, video, reporter)
    if not seen.people:
        raise NobodyFoundError(
            f"{video.path}: nobody was found in {len(seen.frames)} frames by {seen.detector}. "
            "People should be upright and at least an eighth of the picture high; "
            "keypoints of another detector can be given with --from-2d"
        )
    return seen


class _Watched:
    """Frames of a video, counted, with their numbers and times kept."""

    def __init__(self, video: Video, reporter: Reporter) -> None:
        self.video, self.reporter = video, reporter
        self.frames: list[int] = []
        self.time_s: list[float] = []

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in self.video:
            self.frames.append(frame.index)
            self.time_s.append(frame.time_s)
            self.reporter.advance()
            yield frame
        for warning in self.video.warnings:
            self.reporter.warn(warning)


def _expected(video: Video, settings: LiftSettings) -> int | None:
    """Return how many frames there may be, for a progress bar only: headers err."""
    if video.n_frames_hint is None:
        return None
    n_frames = video.n_frames_hint
    last = min(n_frames, round(settings.end * video.fps)) if settings.end else n_frames
    return max(last - round(settings.start * video.fps), 1)


def _from_video(
    settings: LiftSettings, detector: Detector, video: Video, reporter: Reporter
) -> Observation:
    reporter.stage("detect", _expected(video, settings))
    watched = _Watched(video, reporter)
    people = track_people(
        detector,
        watched,
        fps=video.fps,
        image_size=video.size_px,
        detect_every=settings.search_every,
    )
    return Observation(
        people,
        np.array(watched.frames, np.int64),
        np.array(watched.time_s, np.float64),
        video.fps,
        video.size_px,
        detector.name,
        detector.skeleton.joints,
    )


def _from_file(
    keypoints: Path, settings: LiftSettings, video: Video, reporter: Reporter
) -> Observation:
    """Read keypoints and lay them on the times of the video they belong to."""
    people = read_keypoints(keypoints, fps=video.fps, image_size=video.size_px)
    reporter.stage("read", _expected(video, settings))
    watched = _Watched(video, reporter)
    for _ in watched:
        pass
    frames = np.array(watched.frames, np.int64)
    time_s = np.array(watched.time_s, np.float64)
    on_clip = [kept for person in people if (kept := _on_times(person, frames, time_s)) is not None]
    if not on_clip:
        raise InputError(
            f"{keypoints}: its frame numbers do not fit {video.path}, which has the frames "
            f"{frames[0]} to {frames[-1]} here"
        )
    lost = sum(len(person) for person in people) - sum(len(person) for person in on_clip)
    if lost and not (settings.start or settings.end):
        reporter.warn(f"{keypoints}: {lost} rows belong to no frame of {video.path}; left out")
    return Observation(
        on_clip,
        frames,
        time_s,
        video.fps,
        video.size_px,
        f"file {keypoints.name}",
        on_clip[0].skeleton.joints,
    )


def _on_times(
    person: Keypoints2D,
    frames: Int64[np.ndarray, " frames"],
    time_s: Float64[np.ndarray, " frames"],
) -> Keypoints2D | None:
    """Return the rows whose frames exist, with the video's own times; None if there are none."""
    place = np.searchsorted(frames, person.frames).clip(max=len(frames) - 1)
    exists = frames[place] == person.frames
    if not exists.any():
        return None
    return replace(person.take(exists), time_s=time_s[place[exists]])


@dataclass(frozen=True, eq=False)
class Mended:
    """One person's keypoints, ready to lift: stretches without gaps.

    Attributes:
        person: Identity.
        stretches: In order of time, each without a missing row or joint.
        flipped: Frames in which left and right were swapped back.
    """

    person: int
    stretches: list[Keypoints2D]
    flipped: int


def mend(seen: Observation, settings: LiftSettings, reporter: Reporter) -> list[Mended]:
    """Choose people and mend their keypoints: swap flips back, bridge short gaps.

    Raises:
        InputError: `settings.person` names nobody.
    """
    mended = []
    for person in pick_people(seen.people, settings.person, settings.max_people):
        unflipped, flipped = mend_flips(person)
        filled = _with_hips(fill_gaps(unflipped, max_gap_s=settings.max_gap))
        stretches = split_at_gaps(filled, max_gap_s=settings.max_gap) if len(filled) else []
        if not stretches:
            reporter.warn(f"person {person.person}: hips are never known; left out")
        mended.append(Mended(person.person, stretches, flipped))
    return mended


def _with_hips(keypoints: Keypoints2D) -> Keypoints2D:
    """Return the rows in which the hips, to which a pose is relative, have a position."""
    pelvis = convert(keypoints, H36M17).xy[:, H36M17.index("pelvis")]
    known = ~np.isnan(pelvis).any(-1)
    return keypoints.take(known)
