"""`pose3d bench upright`."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table

if TYPE_CHECKING:
    from pose3d_cli.learn.upright.bench import Summary

EXAMPLES = {
    "upright": [
        "pose3d bench upright --data mocap",
        "pose3d bench upright --data mocap --views 8 --json",
    ]
}


def upright(
    screen: Screen,
    data: Annotated[Path, typer.Option(help="Packed motion.", metavar="DIR")],
    weights: Annotated[
        str, typer.Option(help="Lifter, by name or file.", metavar="NAME")
    ] = "dualstream-xs-27",
    up_weights: Annotated[
        str, typer.Option(help="What reads up, by name or file.", metavar="NAME")
    ] = "upright-75",
    split: Annotated[
        str, typer.Option(help="Of the motion: test or val.", metavar="NAME")
    ] = "test",
    views: Annotated[int, typer.Option(help="Cameras a clip.", metavar="N")] = 4,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", metavar="NAME")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the views.", metavar="N")] = 0,
) -> None:
    """Measure how well up and the floor are found before cameras that are held askew.

    Held-out recorded motion is seen by generated cameras, pitched down by -10 to 40 degrees and
    rolled by up to 15, with a detector's errors, and lifted as videos are. Errors are medians and
    90th percentiles over views: of up as found, by bodies alone, by how they go about alone, of a
    camera that is taken as level, and of the mean line from the ankles to the head; floor: how far
    too high or too low standing feet are.
    """
    from pose3d_cli.errors import SettingsError
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.upright.bench import bench_upright, summaries
    from pose3d_cli.lift.device import resolve
    from pose3d_cli.lift.upright_reader import UprightReader
    from pose3d_cli.lift.windowed import WindowedLifter
    from pose3d_cli.pipeline.stock import find_weights

    if views < 1:
        raise SettingsError(f"--views {views}: must be 1 or more")
    clips = read_pack(data, split)
    where = resolve(device)
    lifter = WindowedLifter.from_file(find_weights(weights), where)
    reader = UprightReader.from_file(find_weights(up_weights), where)
    screen.stage("upright", None)
    found = bench_upright(lifter, reader, clips, views=views, seed=seed, tell=screen.advance)
    figures = summaries(found)
    record = {
        "weights": weights,
        "up_weights": up_weights,
        "split": split,
        "views": views,
        "seed": seed,
    }
    groups = {name: _record(figure) for name, figure in figures.items()}
    screen.show({**record, "groups": groups}, table(_rows(figures)))


def _record(figure: Summary) -> dict[str, Any]:
    """Return figures as plain values; None, which JSON has, where nothing was measured."""
    pairs = {k: v if isinstance(v, tuple) else (v,) for k, v in vars(figure).items()}
    known = {k: [None if isnan(x) else x for x in v] for k, v in pairs.items()}
    return {k: v if len(v) > 1 else v[0] for k, v in known.items()}


def _rows(figures: dict[str, Summary]) -> list[tuple[str, ...]]:
    head = (
        "activity",
        "views",
        "up",
        "bodies",
        "going",
        "level",
        "ankles-head",
        "within",
        "floor mm",
    )
    return [head] + [
        (
            name,
            f"{figure.views}",
            *(
                f"{middle:.1f} / {most:.1f}"
                for middle, most in (
                    figure.up_deg,
                    figure.bodies_deg,
                    figure.going_deg,
                    figure.level_deg,
                    figure.axis_deg,
                )
            ),
            f"{100 * figure.within:.0f} %",
            f"{figure.floor_mm[0]:.0f} / {figure.floor_mm[1]:.0f}",
        )
        for name, figure in figures.items()
    ]
