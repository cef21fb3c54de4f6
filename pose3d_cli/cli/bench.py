"""`pose3d bench lift` and `pose3d bench detector`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, table
from pose3d_cli.errors import NobodyFoundError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pose3d_cli.learn.rendered.detector_error import Found, JointError
    from pose3d_cli.learn.rendered.truth import Rendered
    from pose3d_cli.lift.bench import LiftCost

EXAMPLES = {
    "lift": ["pose3d bench lift", "pose3d bench lift --preset xs --preset s --seconds 30 --json"],
    "detector": [
        "pose3d data render --data mocap -o rendered",
        "pose3d bench detector rendered",
        "pose3d bench detector --generator mocap",
    ],
}
_GENERATED_CLIPS = 400


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
    screen: Screen,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Clips of `data render`.")
    ] = None,
    detector: Annotated[str, _option("Name of the 2D detector.", "NAME")] = "blazepose",
    from_2d: Annotated[
        Path | None, _option("Folder of PERSON_keypoints.npz to measure instead.", "DIR")
    ] = None,
    generator: Annotated[
        Path | None, _option("Packed motion: measure the training generator's noise.", "DIR")
    ] = None,
) -> None:
    """Measure how a 2D detector errs on rendered people.

    By joint: where the point it marks lies from the joint, how much that differs between clips
    (an axis), its noise in a clip as a share of the person's extent in the picture, and how much
    of that noise is the same 0.2 s later. Then percentiles of the limb joints' error, as a share
    of the person's extent too.
    """
    from pose3d_cli.learn.rendered.detector_error import joint_errors, limb_percentiles

    if (folder is None) == (generator is None):
        raise SettingsError("give either FOLDER, of `pose3d data render`, or --generator DIR")
    name = "the generator" if generator else f"files in {from_2d}" if from_2d else detector
    screen.stage("detect", None)
    pairs = list(_pairs(screen, folder, generator, from_2d, detector))
    clips = [(clip, seen) for clip, seen in pairs if seen is not None]
    lost = len(pairs) - len(clips)
    if not clips:
        raise NobodyFoundError(
            f"{folder or generator}: {name} found the person in none of {lost} clips; "
            "`pose3d data render --longer-side` makes people larger"
        )
    errors, shares = joint_errors(clips), limb_percentiles(clips)
    frames = sum(len(clip.xyz) for clip, _ in clips)
    missed = 1 - sum(len(seen.keypoints) for _, seen in clips) / frames
    unflipped = sum(seen.mended for _, seen in clips) / frames
    head = [
        f"{name}: found the person in {len(clips)} of {len(pairs)} clips, in these in "
        f"{100 - 100 * missed:.1f} % of frames; left and right were swapped back in "
        f"{100 * unflipped:.1f} %",
        "",
    ]
    found = {
        "clips": len(clips),
        "clips_lost": lost,
        "frames_missed": missed,
        "frames_unflipped": unflipped,
    }
    joints = {kind: vars(error) for kind, error in errors.items()}
    tail = ["", *table([("limb joints", *(f"{p} %" for p in shares)), _share_row(shares)])]
    record = {"detector": name, **found, "joints": joints, "limb_percentiles": shares}
    screen.show(record, [*head, *table(_error_rows(errors)), *tail])


def _pairs(
    screen: Screen,
    folder: Path | None,
    generator: Path | None,
    from_2d: Path | None,
    detector: str,
) -> Iterator[tuple[Rendered, Found | None]]:
    """Yield clips, and what was found in each."""
    from pose3d_cli.detect.shelf import DETECTORS
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.rendered.detector_error import by, look, read_from
    from pose3d_cli.learn.rendered.generated import generated

    if folder is None and generator is not None:
        yield from generated(read_pack(generator, "train"), _GENERATED_CLIPS)
        return
    find = read_from(from_2d) if from_2d else by(DETECTORS.get(detector)())
    for clip, seen in look(find, folder or Path()):
        screen.advance()
        if seen is None:
            screen.detail(f"{clip.video}: the person was not found")
        yield clip, seen


def _share_row(shares: dict[int, float]) -> tuple[str, ...]:
    return ("error", *(f"{share:.3f}" for share in shares.values()))


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
