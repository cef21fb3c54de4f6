"""`pose3d lift`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.errors import Pose3DError
from pose3d_cli.pipeline.settings import LiftSettings

if TYPE_CHECKING:
    from pose3d_cli.pipeline.report import ClipReport

EXAMPLES = {
    "lift": [
        "pose3d lift clip.mp4",
        "pose3d lift clip.mp4 -o results --height 1.78 --fov 65",
        "pose3d lift clip.mp4 --start 2 --end 8 --person largest --render off",
        "pose3d lift clip.mp4 --from-2d alphapose-results.json",
        "pose3d lift a.mp4 b.mp4 folder --config run.toml --json",
    ]
}


# Typer hands over the class that its `Context` is derived from, which it does not export.
def _some(ctx: Any, inputs: list[Path] | None) -> list[Path]:
    """Ask for an input, unless nothing but the settings is to be printed."""
    if not inputs and not ctx.params.get("print_config"):
        raise typer.BadParameter("give a video or a folder of videos")
    return inputs or []


def lift(
    settings: LiftSettings,
    screen: Screen,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", callback=_some, help="Videos, or folders of videos."),
    ] = None,
) -> None:
    """Lift the people in videos to 3D.

    Each CLIP gets a folder CLIP_pose3d with CLIP.npz (everything), CLIP.csv (a table),
    CLIP_keypoints.npz (the 2D), CLIP.mp4 (a video to watch) and run.json (what was done).
    """
    from pose3d_cli.pipeline.batch import lift_all

    report = lift_all(
        inputs or [], settings, screen, lambda clip, outcome: tell(clip, outcome, screen)
    )
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def tell(path: Path, outcome: ClipReport | Pose3DError, screen: Screen) -> None:
    """Show what became of a clip."""
    if isinstance(outcome, Pose3DError):
        screen.error(outcome, clip=str(path))
        return
    screen.show(outcome.as_json(), outcome.outputs.values())
    spent = sum(outcome.seconds.values())
    people = "1 person" if outcome.people == 1 else f"{outcome.people} people"
    screen.note(f"{path}: {people} in {outcome.frames} frames, {spent:.1f} s")
    screen.detail(", ".join(f"{name} {s:.1f} s" for name, s in outcome.seconds.items()))
