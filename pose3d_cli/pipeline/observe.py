"""Video or keypoint file to everybody's 2D keypoints, with the times of all frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.camera_motion import CameraMotion, CameraWatch
from pose3d_cli.detect.track import track_parts
from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.video import Video, VideoFrame
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.spans import Parting, Span
from pose3d_cli.pose.types import Keypoints2D


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """What was seen in a clip, or in a part of one.

    Attributes:
        people: As detected or read, unmended; with the rows of the part's margins.
        span: Its frames, whether somebody is in them or not.
        fps: Nominal frames a second.
        image_size: Width and height in pixels.
        detector: What found the keypoints, in words.
        joints: Names of the keypoints, before any conversion.
        motion: Of the camera.
    """

    people: list[Keypoints2D]
    span: Span
    fps: float
    image_size: tuple[int, int]
    detector: str
    joints: tuple[str, ...]
    motion: CameraMotion = field(default_factory=CameraMotion)

    @property
    def frames(self) -> Int64[np.ndarray, " frames"]:
        """Numbers of the part's own frames."""
        return self.span.own_frames

    @property
    def time_s(self) -> Float64[np.ndarray, " frames"]:
        """Their times in seconds."""
        return self.span.own_time_s

    @property
    def own_people(self) -> list[Keypoints2D]:
        """The people without the rows of margins."""
        return [person.take(self.span.is_own(person.frames)) for person in self.people]


def observe(
    video: Video, settings: LiftSettings, detector: Detector | None, reporter: Reporter
) -> Observation:
    """Find everybody in a clip, which is held as a whole.

    Args:
        video: Opened; it is read to its end.
        settings: Span, detector pace, keypoint file.
        detector: None to read `settings.from_2d`.
        reporter: Shows progress.

    Raises:
        InputError: Unreadable keypoints, or none that belong to the clip.
        NobodyFoundError: The detector found nobody.
    """
    (seen,) = observe_parts(video, settings, detector, reporter, Parting())
    if not seen.people:
        raise nobody_found(video.path, len(seen.frames), seen.detector)
    return seen


def nobody_found(clip: Path, n_frames: int, detector: str) -> NobodyFoundError:
    """Return the error that a detector found nobody in a clip."""
    return NobodyFoundError(
        f"{clip}: nobody was found in {n_frames} frames by {detector}. "
        "People should be upright and at least an eighth of the picture high; "
        "keypoints of another detector can be given with --from-2d"
    )


def observe_parts(
    video: Video,
    settings: LiftSettings,
    detector: Detector | None,
    reporter: Reporter,
    parting: Parting,
) -> Iterator[Observation]:
    """Find everybody in a clip, and yield each part of it as soon as it is over.

    Args:
        video: Opened; it is read as parts are asked for.
        settings: Span, detector pace, keypoint file.
        detector: None to read `settings.from_2d`.
        reporter: Shows progress.
        parting: Says where parts end.

    Yields:
        At least one part; a part may show nobody.

    Raises:
        InputError: Unreadable keypoints, or none that belong to the clip.
    """
    stage, expected = "read" if detector is None else "detect", _expected(video, settings)
    reporter.stage(stage, expected)
    if detector is None:
        parts = _from_file(settings, video, reporter, parting)
    else:
        parts = _from_video(settings, detector, video, reporter, parting)
    for seen in parts:
        yield seen
        if not seen.span.is_last:
            reporter.stage(stage, expected and max(expected - video.n_read, 1))


def _counted(video: Video, camera: CameraWatch, reporter: Reporter) -> Iterator[VideoFrame]:
    """Yield the frames of a video, and tell of each, and at the end of what is odd about it."""
    for frame in video:
        camera.see(frame)
        reporter.advance()
        yield frame
    for warning in video.warnings:
        reporter.warn(warning)


def _expected(video: Video, settings: LiftSettings) -> int | None:
    """Return how many frames there may be, for a progress bar only: headers err."""
    if video.n_frames_hint is None:
        return None
    n_frames = video.n_frames_hint
    last = min(n_frames, round(settings.end * video.fps)) if settings.end else n_frames
    return max(last - round(settings.start * video.fps), 1)


def _from_video(
    settings: LiftSettings,
    detector: Detector,
    video: Video,
    reporter: Reporter,
    parting: Parting,
) -> Iterator[Observation]:
    camera = CameraWatch()
    parts = track_parts(
        detector,
        _counted(video, camera, reporter),
        parting,
        fps=video.fps,
        image_size=video.size_px,
        detect_every=settings.search_every,
    )
    for part in parts:
        yield Observation(
            people=part.people,
            span=part.span,
            fps=video.fps,
            image_size=video.size_px,
            detector=detector.name,
            joints=detector.skeleton.joints,
            motion=camera.motion(part.people, int(part.span.own_frames[-1])),
        )


def _from_file(
    settings: LiftSettings, video: Video, reporter: Reporter, parting: Parting
) -> Iterator[Observation]:
    """Read keypoints and lay them on the times of the video they belong to."""
    keypoints = Path(settings.from_2d)
    people = read_keypoints(keypoints, fps=video.fps, image_size=video.size_px)
    first, left = None, sum(len(person) for person in people)
    camera = CameraWatch()
    pictures = ((frame.index, frame.time_s) for frame in _counted(video, camera, reporter))
    for span in parting.spans(pictures):
        first = int(span.own_frames[0]) if first is None else first
        on_clip = [on for person in people if (on := _on_times(person, span)) is not None]
        seen = Observation(
            people=on_clip,
            span=span,
            fps=video.fps,
            image_size=video.size_px,
            detector=f"file {keypoints.name}",
            joints=people[0].skeleton.joints,
            motion=camera.motion(on_clip, int(span.own_frames[-1])),
        )
        left -= sum(len(person) for person in seen.own_people)
        if span.is_last and left == sum(len(person) for person in people):
            raise InputError(
                f"{keypoints}: its frame numbers do not fit {video.path}, which has the frames "
                f"{first} to {span.own_frames[-1]} here"
            )
        if span.is_last and left and not (settings.start or settings.end):
            reporter.warn(f"{keypoints}: {left} rows belong to no frame of {video.path}; left out")
        yield seen


def _on_times(person: Keypoints2D, span: Span) -> Keypoints2D | None:
    """Return the rows whose frames exist, with the video's own times.

    None if there are none among the part's own frames.
    """
    place = np.searchsorted(span.frames, person.frames).clip(max=len(span.frames) - 1)
    exists = span.frames[place] == person.frames
    if not (exists & span.is_own(person.frames)).any():
        return None
    return replace(person.take(exists), time_s=span.time_s[place[exists]])
