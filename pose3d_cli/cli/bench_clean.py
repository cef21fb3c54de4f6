"""`pose3d bench clean`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table

if TYPE_CHECKING:
    from pose3d_cli.learn.clean_bench import CleanFigures

EXAMPLES = {
    "clean": [
        "pose3d bench clean --data mocap",
        "pose3d bench clean --data mocap --split val --takes 20 --json",
    ]
}
_HEAD = (
    "steps", "MPJPE mm", "P-MPJPE", "accel. mm/frame2", "with path", "bones +- mm", "slide mm",
    "held: slide", "share", "path mm", "mm/s", "picture px",
)  # fmt: skip


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar)


def clean(
    screen: Screen,
    data: Annotated[Path, _option("Packed motion.", "DIR")],
    weights: Annotated[str, _option("Lifter, by name or file.", "NAME")] = "dualstream-xs-27",
    split: Annotated[str, _option("Of the motion: test, val or train.")] = "test",
    takes: Annotated[int, _option("Takes of 6 seconds, at most.", "N")] = 48,
    device: Annotated[str, _option("auto, cpu, cuda or mps.", "NAME")] = "auto",
    seed: Annotated[int, _option("Of cameras and errors.", "N")] = 0,
) -> None:
    """Measure what each step of clean-up does to lifted motion.

    Recorded people go about before generated cameras, are seen with the errors of a detector,
    lifted and placed as in `pose3d lift`, and cleaned up. Slides are how far an ankle gets while
    it truly stands; `held`, while it was found standing and was held.
    """
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.clean_bench import VARIANTS, bench_clean
    from pose3d_cli.learn.travel import lift_travels
    from pose3d_cli.lift.device import resolve
    from pose3d_cli.lift.windowed import WindowedLifter
    from pose3d_cli.pipeline.stock import find_weights

    lifter = WindowedLifter.from_file(find_weights(weights), resolve(device))
    clips, lifted = read_pack(data, split), []
    screen.stage("lift", takes)
    for take in lift_travels(lifter, clips, takes=takes, seed=seed):
        lifted.append(take)
        screen.advance()
    screen.stage("clean", len(VARIANTS))
    found = {}
    for name, figures in bench_clean(lifted):
        found[name] = figures
        screen.advance()
    record = {"split": split, "takes": len(lifted), "seed": seed}
    steps = {name: _plain(figures) for name, figures in found.items()}
    rows = [(name, *_words(figures)) for name, figures in found.items()]
    screen.show({**record, "steps": steps}, table([_HEAD, *rows]))


def _plain(figures: CleanFigures) -> dict[str, float | None]:
    """Return figures for JSON, which knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in vars(figures).items()}


def _words(figures: CleanFigures) -> list[str]:
    digits = {"held": 2, "pose_acceleration_mm": 2, "acceleration_mm": 2, "bone_spread_mm": 2}
    return [
        "" if math.isnan(value) else f"{value:.{digits.get(name, 1)}f}"
        for name, value in vars(figures).items()
    ]
