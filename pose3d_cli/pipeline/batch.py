"""Many clips, one report: a clip that fails is named and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.outputs import output_folder
from pose3d_cli.pipeline.provenance import RUN_FILE
from pose3d_cli.pipeline.report import BatchReport, ClipReport, Outcome, Reporter
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


def one_place_each(clips: Sequence[Path], place: Callable[[Path], Path]) -> dict[Path, Path]:
    """Return where each clip's results go.

    Raises:
        InputError: Two clips whose results would replace each other.
    """
    owner: dict[Path, Path] = {}
    for clip in clips:
        target = place(clip)
        other = owner.setdefault(target.absolute(), clip)
        if other is not clip:
            raise InputError(
                f"{other} and {clip} would both write to {target}; "
                "rename one, or give them different -o"
            )
    return {clip: place(clip) for clip in clips}


def each_clip(
    clips: Iterable[Path],
    work: Callable[[Path], Outcome],
    tell: Callable[[Path, Outcome | Pose3DError], None],
) -> BatchReport[Outcome]:
    """Do `work` on every clip. Only errors the user can mend are kept; a bug still stops all.

    Args:
        clips: Videos.
        work: Raises `Pose3DError` where a clip fails.
        tell: Called with what became of a clip, as soon as it is known.
    """
    report: BatchReport[Outcome] = BatchReport()
    for clip in clips:
        outcome: Outcome | Pose3DError
        try:
            outcome = report.done[clip] = work(clip)
        except Pose3DError as error:
            outcome = report.failed[clip] = error
        tell(clip, outcome)
    return report


def lift_all(
    inputs: Sequence[Path],
    settings: LiftSettings,
    reporter: Reporter,
    tell: Callable[[Path, ClipReport | Pose3DError], None] = lambda _clip, _outcome: None,
) -> BatchReport[ClipReport]:
    """Lift every clip.

    Args:
        inputs: Clips and folders of clips.
        settings: The same for all.
        reporter: Shows progress.
        tell: Called with what became of a clip, as soon as it is known.

    Raises:
        InputError: An input that names no clip, or clips whose results would replace each other;
            nothing has been lifted then.
    """
    lifter = ClipLifter(settings)
    clips = find_clips(inputs)
    if settings.from_2d and len(clips) > 1:
        raise InputError(f"--from-2d belongs to one clip, but {len(clips)} are given")
    one_place_each(clips, lambda clip: output_folder(clip, settings))
    return each_clip(clips, lambda clip: lifter.lift(clip, reporter), tell)
