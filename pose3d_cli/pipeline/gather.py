"""2D keypoints of many videos, to learn from: detected once, gone on with after a stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.video import open_video
from pose3d_cli.pipeline.batch import find_clips
from pose3d_cli.pipeline.observe import observe
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.report import BatchReport, Reporter
from pose3d_cli.pipeline.settings import LiftSettings


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
    tell: Callable[[Path, Gathered | Pose3DError], None],
    *,
    detector: str = "blazepose",
) -> BatchReport[Gathered]:
    """Write the 2D keypoints of each clip into `output`, leaving alone what is there already.

    A file that is younger than its clip counts as done, so that a run that was stopped goes on.

    Args:
        inputs: Videos and folders of videos.
        output: Gets `CLIP_keypoints.npz` of each clip.
        reporter: Shows progress.
        tell: Called with what became of a clip.
        detector: Name of the detector.

    Raises:
        InputError: An input that names no clip, or clips of one name.
        OutputError: A folder that cannot be written.
    """
    files = _files(find_clips(inputs), output)
    settings = LiftSettings(detector=detector)
    report: BatchReport[Gathered] = BatchReport()
    finder: Detector | None = None
    with writable(output):
        for clip, file in files.items():
            outcome: Gathered | Pose3DError
            try:
                if file.exists() and file.stat().st_mtime >= clip.stat().st_mtime:
                    outcome = Gathered(clip=clip, keypoints=file)
                else:
                    finder = finder or DETECTORS.get(detector)()
                    outcome = _detect(clip, file, finder, settings, reporter)
                report.done[clip] = outcome
            except Pose3DError as error:
                outcome = report.failed[clip] = error
            tell(clip, outcome)
    return report


def _detect(
    clip: Path, file: Path, detector: Detector, settings: LiftSettings, reporter: Reporter
) -> Gathered:
    with open_video(clip) as video:
        seen = observe(video, settings, detector, reporter)
    write_keypoints(file, seen.people, {"detector": seen.detector, "clip": clip.name})
    frames = sum(len(person) for person in seen.people)
    return Gathered(clip=clip, keypoints=file, people=len(seen.people), frames=frames)


def _files(clips: Sequence[Path], output: Path) -> dict[Path, Path]:
    owner: dict[Path, Path] = {}
    for clip in clips:
        file = output / f"{clip.stem}_keypoints.npz"
        other = owner.setdefault(file, clip)
        if other is not clip:
            raise InputError(
                f"{other} and {clip} would both become {file.name}; "
                "rename one, or give them different -o"
            )
    return {clip: file for file, clip in owner.items()}
