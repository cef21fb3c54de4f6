"""`pose3d export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.files.plain_name import one_line
from pose3d_cli.pipeline.export_settings import ExportSettings

if TYPE_CHECKING:
    from pose3d_cli.errors import Pose3DError
    from pose3d_cli.pipeline.export import ExportReport

EXAMPLES = {
    "export": [
        "pose3d export clip_pose3d --to bvh,glb",
        "pose3d export clip_pose3d/clip.npz --to bvh --preset mixamo -o for-mixamo",
        "pose3d export results --to glb -o animations",
        "pose3d export clip_pose3d --to trc,mot,c3d,angles",
        "pose3d export clip_pose3d --to bvh --fps 30 --fill hold --person 0,2 --json",
    ]
}


def export(
    settings: ExportSettings,
    screen: Screen,
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT", help="Results (.npz), or folders with results."),
    ],
) -> None:
    """Write lifted people as files for other programs.

    BVH: a file a person, CLIP_person0.bvh. GLB: everybody in CLIP.glb, as skeletons that Blender,
    Unity and Unreal open. CSV, Parquet: a table. JSON: joints as lists, CLIP_joints.json.

    TRC, MOT: markers and joint angles for OpenSim, a file a person. C3D: the markers as well.
    Angles: a table, CLIP_angles.csv. NC: netCDF for movement and xarray. HTML: a page to look at.

    Bones of BVH and GLB have constant lengths; how far that moves joints is told.
    """
    from pose3d_cli.pipeline.export import export_all

    report = export_all(inputs, settings, lambda path, outcome: tell(path, outcome, screen))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def tell(path: Path, outcome: ExportReport | Pose3DError, screen: Screen) -> None:
    """Show what became of a result."""
    if isinstance(outcome, Exception):
        screen.error(outcome, clip=str(path))
        return
    files = [file for files in outcome.outputs.values() for file in files]
    screen.show(outcome.as_json(), [one_line(str(file)) for file in files])
    for note in outcome.notes:
        screen.note(one_line(f"{path.name}: {note}"))
