"""`pose3d bench small`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table
from pose3d_cli.pipeline.settings import DetectorSettings

EXAMPLES = {
    "small": [
        "pose3d data render --data mocap --split test --clips 40 -o rendered",
        "pose3d bench small rendered",
        "pose3d bench small rendered --detector rtmpose --boxes yolox-tiny --json",
    ]
}


def small(
    screen: Screen,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Clips of `pose3d data render`.")
    ],
    settings: DetectorSettings,
    seed: Annotated[int, typer.Option(help="Of the places.", metavar="N")] = 0,
) -> None:
    """Measure how small people may be for a 2D detector to find them.

    The middle picture of each clip is shown smaller and smaller, somewhere in a picture of the
    same size. Heights are from crown to ankle, in shorter sides of the picture; others are parts
    of the person, and things. A search is usual, as most are in a video, or thorough, as one a
    second is.
    """
    from pose3d_cli.detect.make import make_detector
    from pose3d_cli.learn.rendered.small import HEIGHTS, bench_small
    from pose3d_cli.learn.rendered.truth import read_all

    clips = read_all(folder)
    detector = make_detector(settings.detector, settings.detector_options)
    screen.stage("search", 2 * len(HEIGHTS))
    header = ("height", "people", "usual: found", "others", "thorough: found", "others")
    rows: dict[float, tuple[str, ...]] = {}
    records = []
    for found in bench_small(detector, clips, seed=seed):
        screen.advance()
        records.append({**vars(found), "search": found.search.name.lower()})
        start = rows.get(found.height, (f"{found.height:g}", f"{found.people}"))
        rows[found.height] = (*start, f"{found.found:.2f}", f"{found.others:.2f}")
    screen.show(
        {"detector": detector.name, "seed": seed, "sizes": records}, table([header, *rows.values()])
    )
