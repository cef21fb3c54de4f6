"""`pose3d bench lift` and `pose3d bench detector`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, table
from pose3d_cli.errors import NobodyFoundError

if TYPE_CHECKING:
    from pose3d_cli.learn.rendered.detector_error import JointError
    from pose3d_cli.lift.bench import LiftCost

EXAMPLES = {
    "lift": ["pose3d bench lift", "pose3d bench lift --preset xs --preset s --seconds 30 --json"],
    "detector": ["pose3d data render --data mocap -o rendered", "pose3d bench detector rendered"],
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


def detector(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Clips of `data render`.")],
    screen: Screen,
    detector: Annotated[str, _option("Name of the 2D detector.", "NAME")] = "blazepose",
    from_2d: Annotated[
        Path | None, _option("Folder of PERSON_keypoints.npz to measure instead.", "DIR")
    ] = None,
) -> None:
    """Measure how a 2D detector errs on rendered people.

    By joint: where the point it marks lies from the joint, how much that differs between clips
    (an axis), its noise in a clip as a share of the person's extent in the picture, and how much
    of that noise is the same 0.2 s later.
    """
    from pose3d_cli.detect.shelf import DETECTORS
    from pose3d_cli.learn.rendered.detector_error import by, joint_errors, look, read_from

    clips, lost = [], 0
    name = f"files in {from_2d}" if from_2d else detector
    find = read_from(from_2d) if from_2d else by(DETECTORS.get(detector)())
    screen.stage("detect", None)
    for clip, seen in look(find, folder):
        screen.advance()
        if seen is None:
            screen.detail(f"{clip.video}: the person was not found")
            lost += 1
        else:
            clips.append((clip, seen))
    if not clips:
        raise NobodyFoundError(
            f"{folder}: {name} found the person in none of {lost} clips; "
            "`pose3d data render --longer-side` makes people larger"
        )
    errors = joint_errors(clips)
    frames = sum(len(clip.xyz) for clip, _ in clips)
    shares = {
        "clips": len(clips),
        "clips_lost": lost,
        "frames_missed": 1 - sum(len(seen.keypoints) for _, seen in clips) / frames,
        "frames_unflipped": sum(seen.mended for _, seen in clips) / frames,
    }
    head = [
        f"{name}: found the person in {len(clips)} of {len(clips) + lost} clips, in these in "
        f"{100 - 100 * shares['frames_missed']:.1f} % of frames; left and right were swapped back "
        f"in {100 * shares['frames_unflipped']:.1f} %",
        "",
    ]
    joints = {kind: vars(error) for kind, error in errors.items()}
    record = {"detector": name, **shares, "joints": joints}
    screen.show(record, [*head, *table(_error_rows(errors))])


def _error_rows(errors: dict[str, JointError]) -> list[tuple[str, ...]]:
    head = ("joint", "outwards mm", "backwards", "up", "clips differ mm", "noise %", "after 0.2 s")
    body = [
        (
            kind,
            f"{error.outwards_mm:.0f}",
            f"{error.backwards_mm:.0f}",
            f"{error.up_mm:.0f}",
            f"{error.clips_differ_mm:.0f}",
            f"{100 * error.noise:.2f}",
            "" if error.remembered is None else f"{error.remembered:.2f}",
        )
        for kind, error in errors.items()
    ]
    return [head, *body]
