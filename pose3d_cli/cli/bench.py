"""`pose3d bench lift`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, table

if TYPE_CHECKING:
    from pose3d_cli.lift.bench import LiftCost

EXAMPLES = {
    "lift": ["pose3d bench lift", "pose3d bench lift --preset xs --preset s --seconds 30 --json"]
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
