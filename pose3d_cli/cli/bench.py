"""`pose3d bench lift`, `pose3d bench seams` and `pose3d bench track`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table

if TYPE_CHECKING:
    from pose3d_cli.lift.bench import LiftCost

EXAMPLES = {
    "lift": ["pose3d bench lift", "pose3d bench lift --preset xs --preset s --seconds 30 --json"],
    "track": [
        "pose3d bench track --data mocap",
        "pose3d bench track --data mocap --scenes 50 --json",
    ],
    "seams": ["pose3d bench seams dualstream-xs-27 --data mocap"],
}


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar)


def lift(
    screen: Screen,
    lifter: Annotated[str, _option("Name of the network.", "NAME")] = "dualstream",
    preset: Annotated[
        list[str] | None, _option("Preset to measure; may be repeated (default: all).", "NAME")
    ] = None,
    device: Annotated[str, _option("auto, cpu, cuda or mps.", "NAME")] = "auto",
    seconds: Annotated[float, _option("Time for each preset.", "S")] = 10.0,
) -> None:
    """Measure cost and speed of the lifter's presets.

    Parameters, multiply-accumulates, time of a window and frames a second on this machine; and
    the time of a plain, unfused form of the same network beside it.
    """
    from pose3d_cli.lift.bench import bench_lift
    from pose3d_cli.lift.device import resolve

    where, costs = resolve(device), []
    screen.stage("bench", len(preset or ()) or None)
    for cost in bench_lift(lifter, preset or None, device=where, budget_s=seconds):
        costs.append(cost)
        screen.advance()
    record = {"device": str(where), "presets": [vars(cost) for cost in costs]}
    screen.show(record, [f"device: {where}", "", *table(_rows(costs))])


def _rows(costs: list[LiftCost]) -> list[tuple[str, ...]]:
    head = ("preset", "frames", "parameters", "MMAC", "ms", "frames/s", "plain ms", "lean/plain")
    body = [
        (
            cost.preset,
            f"{cost.frames}",
            f"{cost.parameters:,}",
            f"{cost.multiply_accumulates / 1e6:,.0f}",
            f"{cost.latency_s * 1000:.1f}",
            f"{cost.frames_per_s:,.0f}",
            "" if cost.plain_latency_s is None else f"{cost.plain_latency_s * 1000:.1f}",
            "" if cost.ratio is None else f"{cost.ratio:.2f}",
        )
        for cost in costs
    ]
    return [head, *body]


def seams(
    screen: Screen,
    weights: Annotated[list[str], typer.Argument(metavar="WEIGHTS...", help="By name or file.")],
    data: Annotated[Path, _option("Packed motion.", "DIR")],
    split: Annotated[str, _option("Of it: test, val or train.")] = "test",
    takes: Annotated[int, _option("Takes that are lifted.", "N")] = 48,
    device: Annotated[str, _option("auto, cpu, cuda or mps.", "NAME")] = "auto",
) -> None:
    """Measure whether motion jumps where windows meet.

    Generated takes of four windows' length are lifted as videos are; the error of steps into or
    out of a window stands beside that of all other steps, in mm a frame. A ratio of 1 means that
    windows leave no trace.
    """
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.seams import measure_seams
    from pose3d_cli.lift.device import resolve
    from pose3d_cli.lift.windowed import WindowedLifter
    from pose3d_cli.pipeline.stock import find_weights

    files = [find_weights(name) for name in weights]
    clips, where = read_pack(data, split), resolve(device)
    screen.stage("seams", len(files))
    found = {}
    for file in files:
        found[str(file)] = measure_seams(WindowedLifter.from_file(file, where), clips, takes=takes)
        screen.advance()
    header = ("weights", "at borders mm", "elsewhere mm", "ratio")
    rows = [
        (Path(name).name, f"{s.border_mm:.2f}", f"{s.inside_mm:.2f}", f"{s.ratio:.3f}")
        for name, s in found.items()
    ]
    screen.show({name: vars(s) for name, s in found.items()}, table([header, *rows]))


def track(
    screen: Screen,
    data: Annotated[Path, _option("Packed motion.", "DIR")],
    split: Annotated[str, _option("Of it: held-out (val and test), or one of them.")] = "held-out",
    scenes: Annotated[int, _option("Scenes of each kind.", "N")] = 20,
    people: Annotated[int, _option("In each scene.", "N")] = 2,
    seed: Annotated[int, _option("Of the scenes.", "N")] = 0,
) -> None:
    """Measure how well identities hold where people meet.

    Recorded people walk before one generated camera: apart, past each other
    (crossing), or up to each other and back (turning); dressed alike or not; seen with the errors
    of a detector, which misses people, sees things, and sees the other where one hides. IDF1 is the
    share of sightings that are right when each person is one track; switches count how often a
    person's track becomes another.
    """
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.crowd.bench import CASES, bench_tracking

    clips = [
        clip
        for clip in read_pack(data, None if split == "held-out" else split)
        if split != "held-out" or clip.split != "train"
    ]
    screen.stage("scenes", len(CASES))
    header = ("people are", "dressed", "detector", "IDF1", "switches", "sightings")
    rows, records = [header], []
    for case, found in bench_tracking(clips, scenes=scenes, people=people, seed=seed):
        screen.advance()
        records.append({**vars(case), **vars(found), "idf1": found.idf1})
        rows.append(
            (
                case.kind,
                "alike" if case.alike else "as they like",
                "follows" if case.follows else "finds anew",
                f"{found.idf1:.3f}",
                f"{found.switches}",
                f"{found.true}",
            )
        )
    screen.show({"scenes": scenes, "people": people, "seed": seed, "cases": records}, table(rows))
