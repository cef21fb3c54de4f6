"""Many clips, one report: a clip that fails is named and the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.report import BatchReport, Reporter
from pose3d_cli.pipeline.settings import LiftSettings

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp"}
    | {".mts", ".m2ts", ".ts"}
)


def find_clips(inputs: Sequence[Path]) -> list[Path]:
    """Return the clips named: files as they are, and the videos directly in each folder.

    Folders of our own results are passed over.

    Raises:
        InputError: Something that does not exist, or a folder without videos.
    """
    clips: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        if not path.is_dir():
            clips.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES)
        if not inside:
            known = " ".join(sorted(VIDEO_SUFFIXES))
            raise InputError(f"{path}: no videos in this folder (looked for {known})")
        clips.extend(inside)
    return clips


def lift_all(inputs: Sequence[Path], settings: LiftSettings, reporter: Reporter) -> BatchReport:
    """Lift every clip. Only errors the user can mend are kept; a bug still stops all.

    Raises:
        InputError: An input that names no clip; nothing has been lifted then.
    """
    report, lifter = BatchReport(), ClipLifter(settings)
    clips = find_clips(inputs)
    if settings.from_2d and len(clips) > 1:
        raise InputError(f"--from-2d belongs to one clip, but {len(clips)} are given")
    for clip in clips:
        try:
            report.done.append(lifter.lift(clip, reporter))
        except Pose3DError as error:
            report.failed[clip] = error
    return report
