"""What is to be done with each clip, known before anything slow is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.clips import Clip, find_clips
from pose3d_cli.pipeline.places import one_place_each, results_folder, told_by_whole_name
from pose3d_cli.pipeline.report import ClipReport
from pose3d_cli.pipeline.resume import made_with, standing
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.summary import SummaryFiles
from pose3d_cli.pipeline.walk import is_folder


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is to be done with a clip.

    Attributes:
        clip: The video.
        folder: Where its results go.
        state: `new` and `changed` are to be lifted, `done` is kept, `failed` cannot be.
        why: What has changed, or why it fails.
        kept: The report of the run that has done it.
    """

    clip: Path
    folder: Path
    state: Literal["new", "changed", "done", "failed"]
    why: str = ""
    kept: ClipReport | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "clip": str(self.clip),
            "plan": self.state,
            "why": self.why,
            "output": str(self.folder),
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which clips there are for this process, and where their results go.

    Attributes:
        places: The folder of each clip, in the order of the inputs.
        settings: Of lifting.
        batch: Of working through the clips.
        note: What the user should know of the folders; empty if nothing.
        summary: Where the summary goes; None if there is to be none.
    """

    places: dict[Clip, Path]
    settings: LiftSettings
    batch: BatchSettings
    note: str
    summary: SummaryFiles | None

    def each(self) -> Iterator[Planned]:
        """Yield what is to be done with each clip.

        Raises:
            WeightsError: No such weights.
        """
        wanted = made_with(self.settings)
        for clip, folder in self.places.items():
            yield self._planned(clip, folder, wanted)

    def _planned(self, clip: Clip, folder: Path, wanted: dict[str, Any]) -> Planned:
        if clip.trouble:
            return Planned(clip=clip.path, folder=folder, state="failed", why=clip.trouble)
        found = standing(clip.path, folder, wanted)
        state, why = found.state, found.why
        if state == "done" and self.batch.redo:
            state, why = "changed", "--redo"
        if state == "changed" and not self.settings.overwrite:
            told = f"{folder}: has results already ({why}); use --overwrite or another -o"
            return Planned(clip=clip.path, folder=folder, state="failed", why=told)
        kept = found.report if state == "done" else None
        return Planned(clip=clip.path, folder=folder, state=state, why=why, kept=kept)


def plan_batch(inputs: Sequence[Path], settings: LiftSettings, batch: BatchSettings) -> Plan:
    """Find the clips that this process is to work on.

    Args:
        inputs: Files, folders and patterns.
        settings: The same for all clips.
        batch: Which clips, and which part of them.

    Raises:
        InputError: No clip at all, or clips whose results would replace each other.
    """
    clips = find_clips(inputs, listing=batch.list, recursive=batch.recursive)
    if settings.from_2d and len(clips) > 1:
        raise InputError(f"--from-2d belongs to one clip, but {len(clips)} are given")
    places = one_place_each(clips, results_folder(settings.output))
    own = _part(clips, batch.part)
    return Plan(
        places={clip: places[clip] for clip in own},
        settings=settings,
        batch=batch,
        note=told_by_whole_name(places),
        summary=_summary(inputs, settings, batch) if len(clips) > 1 else None,
    )


def _part(clips: Sequence[Clip], part: tuple[int, int]) -> list[Clip]:
    """Return every n-th clip in the order of their names, so that all parts are as long."""
    number, count = part
    own = set(sorted(clips, key=lambda clip: str(clip.path))[number - 1 :: count])
    return [clip for clip in clips if clip in own]


def _summary(
    inputs: Sequence[Path], settings: LiftSettings, batch: BatchSettings
) -> SummaryFiles | None:
    is_one_folder = len(inputs) == 1 and not batch.list and is_folder(inputs[0])
    if settings.output:
        return SummaryFiles(folder=Path(settings.output), part=batch.part)
    return SummaryFiles(folder=inputs[0], part=batch.part) if is_one_folder else None
