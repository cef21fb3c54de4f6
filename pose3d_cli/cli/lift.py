"""`pose3d lift`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose3d_cli.cli.board import ScreenBoard
from pose3d_cli.cli.screen import Screen
from pose3d_cli.files.plain_name import one_line
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.settings import LiftSettings

if TYPE_CHECKING:
    from pose3d_cli.pipeline.plan import Planned
    from pose3d_cli.pipeline.report import ClipReport

EXAMPLES = {
    "lift": [
        "pose3d lift clip.mp4",
        "pose3d lift clip.mp4 -o results --height 1.78 --fov 65",
        "pose3d lift clip.mp4 --start 2 --end 8 --person largest --render off",
        "pose3d lift clip.mp4 --export bvh,glb",
        "pose3d lift clip.mp4 --from-2d alphapose-results.json",
        "pose3d lift clips -o results --jobs auto",
        "pose3d lift 'clips/**/*.mp4' -o results --dry-run",
        "pose3d lift clips -o results --jobs auto --engine ray",
        "pose3d lift --list clips.txt --shard 2/8 --config run.toml --json",
    ]
}


def lift(
    settings: LiftSettings,
    batch: BatchSettings,
    screen: Screen,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", help="Videos, folders of videos, or patterns in quotes."),
    ] = None,
) -> None:
    """Lift the people in videos to 3D.

    Each CLIP gets a folder CLIP_pose3d with CLIP.npz (everything), CLIP.csv (a table),
    CLIP_keypoints.npz (the 2D), CLIP.mp4 (a video to watch), CLIP.png (six pictures of it) and
    run.json (what was done). A clip of more than a quarter of an hour has them, but for run.json,
    for every ten minutes, in part_001, part_002 and so on, each as soon as it is over;
    --part-minutes changes that.

    Of many clips, one that fails is named and the others go on. Given again, the same command
    goes on where it was stopped: clips whose results are there, of the same clip by the same
    settings, weights and version, are kept. summary.json, summary.csv and contact_sheet.jpg, in
    the folder given or in that of -o, tell what became of each.
    """
    if not inputs and not batch.list:
        raise typer.BadParameter("give a video or a folder of videos")
    if batch.dry_run:
        _tell_plan(inputs or [], settings, batch, screen)
        return
    from pose3d_cli.pipeline.batch import lift_all

    report = lift_all(
        inputs or [],
        settings,
        ScreenBoard(screen),
        lambda clip, outcome: tell(clip, outcome, screen),
        batch=batch,
    )
    if report.total > 1:
        _tell_all(report.counts, screen)
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def tell(path: Path, outcome: ClipReport | Exception, screen: Screen) -> None:
    """Show what became of a clip."""
    if isinstance(outcome, Exception):
        screen.error(outcome, clip=str(path))
        return
    record = {**outcome.as_json(), "status": outcome.status}
    screen.show(record, [one_line(str(file)) for file in outcome.outputs.values()])
    spent = sum(outcome.seconds.values())
    people = "1 person" if outcome.people == 1 else f"{outcome.people} people"
    how = "done already" if outcome.is_kept else f"{spent:.1f} s"
    screen.note(one_line(f"{path}: {people} in {outcome.frames} frames, {how}"))
    screen.detail(", ".join(f"{name} {s:.1f} s" for name, s in outcome.seconds.items()))


def _tell_all(counts: dict[str, int], screen: Screen) -> None:
    """Tell how many clips there are of each kind."""
    if screen.settings.json:
        screen.show({"totals": counts}, [])
    told = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n and kind != "clips")
    screen.note(f"{counts['clips']} clips: {told or 'nothing to do'}")


def _tell_plan(
    inputs: list[Path], settings: LiftSettings, batch: BatchSettings, screen: Screen
) -> None:
    """Show what would be done with each clip."""
    from pose3d_cli.pipeline.plan import plan_batch

    for item in plan_batch(inputs, settings, batch).each():
        screen.show(item.as_json(), [_words(item)])


def _words(item: Planned) -> str:
    """Say in a line what is to be done with a clip."""
    if item.state == "failed":
        return one_line(f"{item.clip}: would fail: {item.why}")
    if item.state == "done":
        return one_line(f"{item.clip}: done already in {item.folder}")
    why = f"changed: {item.why}" if item.why else "new"
    return one_line(f"{item.clip}: would be lifted to {item.folder} ({why})")
