"""`pose3d eval`."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, facts
from pose3d_cli.cli.table import table
from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.benchmark.settings import BenchmarkSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pose3d_cli.learn.benchmark.board import Board

EXAMPLES = {
    "eval": [
        "pose3d eval dualstream-xs-27 --dataset h36m --data data/ -o report",
        "pose3d eval a.safetensors b.safetensors --dataset h36m-sh --data h36m_sh.pkl --json",
        "pose3d eval dualstream-xs-27 --dataset 3dhp --data data/ --protocol 3dhp-legacy",
        "pose3d eval dualstream-xs-27 --dataset folder --data my_recordings/",
        "pose3d eval report_a/ report_b/          # compare finished evaluations",
        "pose3d eval --dataset h36m               # what it is and where to get it",
        "pose3d eval --prediction clip_pose3d/clip.npz --truth truth.npz --camera cam01",
        "pose3d eval dualstream-xs-27 --dataset rendered --data rendered",
    ]
}


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar, show_default=False)


def evaluate(
    screen: Screen,
    settings: BenchmarkSettings,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WEIGHTS|RESULT]...",
            help="Weights by name or file; finished evaluations (.npz, or the folder of --out).",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        _option("h36m, h36m-sh, 3dhp, humaneva, 3dpw, mocap, rendered or folder (your own)."),
    ] = None,
    data: Annotated[str | None, _option("Where the data set is.", "PATH")] = None,
    weights: Annotated[list[str] | None, _option("The same as WEIGHTS.", "NAME")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for a report to look at, tables and results.", metavar="DIR"
        ),
    ] = None,
    csv: Annotated[Path | None, _option("Write all figures as a table.", "FILE")] = None,
    prediction: Annotated[Path | None, _option("Result of `pose3d lift`.", "NPZ")] = None,
    truth: Annotated[Path | None, _option("True joints: `xyz_camera` in metres.", "NPZ")] = None,
    camera: Annotated[str | None, _option("Camera of the truth, by name or number.")] = None,
    person: Annotated[int | None, _option("Person of the result (default: the nearest).")] = None,
) -> None:
    """Measure weights on a data set, by the field's protocols; or one result against a truth.

    Several weights are measured on the same clips and compared, with how likely a difference is
    luck. Without --data a data set says where to get it. All lengths are millimetres.
    """
    named = [*(what or ()), *(weights or ())]
    if prediction is not None or truth is not None:
        _compare(screen, prediction, truth, camera=camera, person=person)
    else:
        _on_dataset(screen, named, dataset, data, settings, out=out, csv=csv)


def _on_dataset(
    screen: Screen,
    named: Sequence[str],
    dataset: str | None,
    data: str | None,
    settings: BenchmarkSettings,
    *,
    out: Path | None,
    csv: Path | None,
) -> None:
    from pose3d_cli.learn.benchmark.board import write_csv, write_files
    from pose3d_cli.learn.benchmark.job import run_job
    from pose3d_cli.learn.benchmark.page import write_report
    from pose3d_cli.pipeline.outputs import writable

    if not named and dataset is None:
        raise SettingsError(
            "give weights and --dataset, finished evaluations, or --prediction and --truth"
        )
    with writable(out) if out else nullcontext():
        board = run_job(_paths(named), dataset, data, settings, screen)
        screen.show(board.to_json(), _told(board))
        for note in board.notes():
            screen.warn(note)
        if csv is not None:
            write_csv(csv, board)
        if out is not None:
            written = [*write_files(out, board), *write_report(out, board, _command())]
            screen.note(f"wrote {', '.join(str(path) for path in written)}")


def _command() -> str:
    """Return the command line that this process was given."""
    return shlex.join(["pose3d", *sys.argv[1:]])


def _paths(named: Sequence[str]) -> list[Path]:
    """Return the files that names and folders mean."""
    from pose3d_cli.learn.benchmark.job import evaluations_in
    from pose3d_cli.pipeline.stock import find_weights

    return [path for name in named for path in evaluations_in(Path(name)) or [find_weights(name)]]


def _told(board: Board) -> list[str]:
    """Return the board as lines: the protocol, the measures, groups, comparisons, what to heed."""
    first = board.evaluations[0]
    about = {
        "data set": f"{first.dataset}, {first.split}",
        "2D": first.keypoints or "as the files have it",
        "protocol": f"{first.protocol}: {' '.join(board.words())}",
    }
    parts = [facts(about), table(board.rows()), table(board.group_rows()), table(board.pair_rows())]
    parts.append([f"- {line}" for line in board.beware()])
    return [line for part in parts if part for line in (*part, "")][:-1]


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
        raise SettingsError("give --prediction and --truth, both")
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
