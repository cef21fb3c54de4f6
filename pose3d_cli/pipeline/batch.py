"""Many clips, one report: a clip that fails is named and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.outputs import output_folder
from pose3d_cli.pipeline.provenance import RUN_FILE
from pose3d_cli.pipeline.report import BatchReport, ClipReport, Reporter
from pose3d_cli.pipeline.settings import LiftSettings

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp"}
    | {".mts", ".m2ts", ".ts"}
)


def find_clips(inputs: Sequence[Path]) -> list[Path]:
    """Return the clips named: files as they are, and the videos directly in each folder.

    Hidden files, and what we drew ourselves, are no clips.

    Raises:
        InputError: Something that does not exist, or a folder without videos.
    """
    clips: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the name")
        clips.extend(_inside(path) if path.is_dir() else [path])
    return clips


def _inside(folder: Path) -> list[Path]:
    if (folder / RUN_FILE).exists():
        raise InputError(f"{folder}: holds results of pose3d, not clips; give the clips' folder")
    clips = sorted(p for p in folder.iterdir() if _is_clip(p))
    if not clips:
        known = " ".join(sorted(VIDEO_SUFFIXES))
        raise InputError(f"{folder}: no videos in this folder (looked for {known})")
    return clips


def _is_clip(path: Path) -> bool:
    return (
        path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def lift_all(
    inputs: Sequence[Path],
    settings: LiftSettings,
    reporter: Reporter,
    tell: Callable[[Path, ClipReport | Pose3DError], None] | None = None,
) -> BatchReport[ClipReport]:
    """Lift every clip. Only errors the user can mend are kept; a bug still stops all.

    Args:
        inputs: Clips and folders of clips.
        settings: The same for all.
        reporter: Shows progress.
        tell: Called with what became of a clip, as soon as it is known.

    Raises:
        InputError: An input that names no clip, or clips whose results would replace each other;
            nothing has been lifted then.
    """
    report: BatchReport[ClipReport] = BatchReport()
    lifter = ClipLifter(settings)
    clips = find_clips(inputs)
    if settings.from_2d and len(clips) > 1:
        raise InputError(f"--from-2d belongs to one clip, but {len(clips)} are given")
    _refuse_collisions(clips, settings)
    for clip in clips:
        outcome: ClipReport | Pose3DError
        try:
            outcome = report.done[clip] = lifter.lift(clip, reporter)
        except Pose3DError as error:
            outcome = report.failed[clip] = error
        if tell is not None:
            tell(clip, outcome)
    return report


def _refuse_collisions(clips: Sequence[Path], settings: LiftSettings) -> None:
    owner: dict[Path, Path] = {}
    for clip in clips:
        folder = output_folder(clip, settings).absolute()
        other = owner.setdefault(folder, clip)
        if other is not clip:
            raise InputError(
                f"{other} and {clip} would both write to {folder}; "
                "rename one, or lift them with different -o"
            )
