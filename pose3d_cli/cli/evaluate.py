"""`pose3d eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.rendered import find_people
from pose3d_cli.cli.screen import Screen, facts, table
from pose3d_cli.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = {
    "eval": [
        "pose3d eval --prediction clip_pose3d/clip.npz --truth truth.npz --camera cam01",
        "pose3d eval --prediction a.npz --truth b.npz --person 0 --json",
        "pose3d eval --dataset mocap --data mocap --weights a.safetensors --weights b.safetensors",
        "pose3d eval --dataset rendered --data rendered --weights dualstream-xs-27",
    ]
}


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar, show_default=False)


def evaluate(
    screen: Screen,
    prediction: Annotated[Path | None, _option("Result of `pose3d lift`.", "NPZ")] = None,
    truth: Annotated[Path | None, _option("True joints: `xyz_camera` in metres.", "NPZ")] = None,
    camera: Annotated[str | None, _option("Camera of the truth, by name or number.")] = None,
    person: Annotated[int | None, _option("Person of the result (default: the nearest).")] = None,
    dataset: Annotated[str | None, _option("Measure weights instead: mocap or rendered.")] = None,
    data: Annotated[
        Path | None, _option("Folder of packed motion, or of rendered clips.", "DIR")
    ] = None,
    weights: Annotated[
        list[str] | None, _option("Shipped name or file; give several to compare.")
    ] = None,
    split: Annotated[str, _option("test or val (default: test).")] = "test",
    seen: Annotated[
        str,
        _option(
            "2D that weights get to see: noisy, clean, or hidden (noisy, and neither one arm nor "
            "one leg) (default: noisy)."
        ),
    ] = "noisy",
    device: Annotated[str, _option("auto, cpu, cuda or mps (default: auto).")] = "auto",
) -> None:
    """Measure a result, or weights.

    A result of `pose3d lift` against a truth, frame by frame; or weights against each other: on the
    same generated takes of held-out subjects (mocap), or on clips of `pose3d data render`, from the
    picture on (rendered). In millimetres.
    """
    if dataset is None:
        _compare(screen, prediction, truth, camera=camera, person=person)
    elif dataset == "mocap":
        _on_mocap(screen, data, weights or (), split=split, seen=seen, device=device)
    elif dataset == "rendered":
        _on_rendered(screen, data, weights or (), device=device)
    else:
        raise UnknownNameError(f"--dataset: no dataset {dataset!r}; known: mocap, rendered")


def _compare(
    screen: Screen,
    prediction: Path | None,
    truth: Path | None,
    *,
    camera: str | None,
    person: int | None,
) -> None:
    from pose3d_cli.learn.compare import compare

    if prediction is None or truth is None:
        raise SettingsError("give --prediction and --truth, or --dataset mocap")
    found = compare(prediction, truth, person=person, camera=camera)
    about = {
        "person": f"{found.person} ({found.chosen_by})",
        "camera": found.camera or "none",
        "frames": f"{found.n_compared} of {found.n_truth}",
        "protocol": found.protocol,
    }
    screen.show(found.to_json(), [*facts(about), "", *table(found.rows())])
    for note in found.notes:
        screen.warn(note)


def _on_mocap(
    screen: Screen,
    data: Path | None,
    weights: Sequence[str],
    *,
    split: str,
    seen: str,
    device: str,
) -> None:
    from pose3d_cli.learn.evaluate import evaluate_mocap
    from pose3d_cli.pipeline.stock import find_weights

    if data is None or not weights:
        raise SettingsError("--dataset mocap: give --data DIR and at least one --weights")
    files = [find_weights(name) for name in weights]
    found = evaluate_mocap(files, data, split=split, seen=seen, device=device)
    record = found.to_json()
    scores, notes = record.pop("scores"), record.pop("notes")
    told = [*facts(record), "", *table(found.rows())]
    screen.show({**record, "scores": scores, "notes": notes}, told)
    for note in found.notes:
        screen.warn(note)


def _on_rendered(screen: Screen, data: Path | None, weights: Sequence[str], *, device: str) -> None:
    from pose3d_cli.learn.rendered.evaluate import evaluate_rendered
    from pose3d_cli.pipeline.settings import LiftSettings
    from pose3d_cli.pipeline.stock import find_weights

    if data is None or not weights:
        raise SettingsError("--dataset rendered: give --data DIR and at least one --weights")
    files = [find_weights(name) for name in weights]
    detector = LiftSettings().detector
    pairs = find_people(screen, data, detector)
    screen.stage("lift", None)
    found = evaluate_rendered(files, pairs, device=device)
    record = {"detector": detector, **found.to_json()}
    scores = record.pop("scores")
    told = [*facts(record), "", *table(found.rows())]
    screen.show({**record, "scores": scores}, told)
