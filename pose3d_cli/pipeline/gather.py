"""2D keypoints of many videos, to learn from: detected once, gone on with after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.make import make_detector
from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.files.atomic import remove_leftovers
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.video import open_video
from pose3d_cli.pipeline.clips import Clip, find_clips
from pose3d_cli.pipeline.observe import observe
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.places import one_place_each
from pose3d_cli.pipeline.report import BatchReport, Reporter
from pose3d_cli.pipeline.settings import DetectorSettings, LiftSettings


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What a clip gave.

    Attributes:
        clip: The video.
        keypoints: The file with everybody's keypoints.
        people: How many people are in it; None if the file was there already.
        frames: Frames in which somebody is seen, all people together; None likewise.
    """

    clip: Path
    keypoints: Path
    people: int | None = None
    frames: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "clip": str(self.clip),
            "keypoints": str(self.keypoints),
            "people": self.people,
            "frames": self.frames,
            "was_there": self.people is None,
        }


def gather(
    inputs: Sequence[Path],
    output: Path,
    reporter: Reporter,
    tell: Callable[[Path, Gathered | Exception], None],
    *,
    detector: DetectorSettings | None = None,
) -> BatchReport[Gathered]:
    """Write the 2D keypoints of each clip into `output`, leaving alone what is there already.

    A file that is younger than its clip counts as done, so that a run that was stopped goes on.

    Args:
        inputs: Videos, folders of videos, and patterns.
        output: Gets `CLIP_keypoints.npz` of each clip, in folders as the clips lie in theirs.
        reporter: Shows progress.
        tell: Called with what became of a clip.
        detector: Which; None for `auto`.

    Raises:
        InputError: An input that names no clip, or clips of one name.
        OutputError: A folder that cannot be written.
    """
    files = one_place_each(
        find_clips(inputs), lambda clip, called: output / clip.below / f"{called}_keypoints.npz"
    )
    settings = LiftSettings()

    @cache
    def finder() -> Detector:  # loaded only if there is something to do
        chosen = detector or DetectorSettings()
        found = make_detector(chosen.detector, chosen.detector_options)
        reporter.note(f"detector: {found.name}")
        return found

    def work(clip: Clip) -> Gathered:
        file = files[clip]
        if clip.trouble:
            raise InputError(clip.trouble)
        if file.exists() and file.stat().st_mtime >= clip.path.stat().st_mtime:
            return Gathered(clip=clip.path, keypoints=file)
        with writable(file.parent):
            remove_leftovers(file)
            return _detect(clip.path, file, finder(), settings, reporter)

    with writable(output):
        return _each(files, work, tell)


def _each(
    clips: Iterable[Clip],
    work: Callable[[Clip], Gathered],
    tell: Callable[[Path, Gathered | Exception], None],
) -> BatchReport[Gathered]:
    """Do `work` on every clip. Only errors the user can mend are kept; a bug still stops all."""
    report: BatchReport[Gathered] = BatchReport()
    for clip in clips:
        outcome: Gathered | Exception
        try:
            outcome = report.done[clip.path] = work(clip)
        except Pose3DError as error:
            outcome = report.failed[clip.path] = error
        tell(clip.path, outcome)
    return report


def _detect(
    clip: Path, file: Path, detector: Detector, settings: LiftSettings, reporter: Reporter
) -> Gathered:
    with open_video(clip) as video:
        seen = observe(video, settings, detector, reporter)
    write_keypoints(file, seen.people, {"detector": seen.detector, "clip": clip.name})
    frames = sum(len(person) for person in seen.people)
    return Gathered(clip=clip, keypoints=file, people=len(seen.people), frames=frames)
