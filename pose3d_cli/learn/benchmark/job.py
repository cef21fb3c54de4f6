"""`pose3d eval --dataset`: from names and files to evaluations side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.errors import DataMissingError, SettingsError, UnknownNameError
from pose3d_cli.learn.benchmark.board import Board
from pose3d_cli.learn.benchmark.evaluation import Evaluation, read_evaluation
from pose3d_cli.learn.benchmark.protocol import pick_protocol
from pose3d_cli.learn.benchmark.run import Benchmark, evaluate
from pose3d_cli.learn.benchmark.settings import BenchmarkSettings
from pose3d_cli.learn.clip import DATASETS, DatasetEntry, DatasetOptions
from pose3d_cli.learn.steps import Steps
from pose3d_cli.lift.device import resolve

EVALUATION = ".npz"
"""How the name of a finished evaluation's file ends."""


def run_job(
    what: Sequence[Path],
    dataset: str | None,
    data: str | None,
    settings: BenchmarkSettings,
    steps: Steps,
) -> Board:
    """Measure weights on a data set and compare them, with finished evaluations too.

    Args:
        what: Weights files, and files of finished evaluations (`.npz`).
        dataset: Name of the data set; None if all is finished already.
        data: Where it is; None prints what it is and where to get it.
        settings: How to measure.
        steps: Told of progress.

    Raises:
        DataMissingError: No data, or none there.
        SettingsError: Nothing to measure, or settings that do not fit.
        InputError: Data that are not what they should be; evaluations that do not fit together.
        UnknownNameError: No data set, protocol or keypoints of that name.
        WeightsError: Weights that cannot be loaded.
    """
    finished = [read_evaluation(path) for path in what if path.suffix == EVALUATION]
    files = [path for path in what if path.suffix != EVALUATION]
    if dataset is None and files:
        raise SettingsError(f"{files[0]}: measured on what? Give --dataset NAME --data PATH")
    if dataset is not None and not files:
        entry = find_dataset(dataset)
        if data is None:
            raise DataMissingError(missing(dataset, entry))
        raise SettingsError("give weights to measure: a name such as dualstream-xs-27, or a file")
    measured = _measured(files, dataset, data, settings, steps) if dataset else []
    return Board.of([*finished, *measured])


def find_dataset(name: str) -> DatasetEntry:
    """Return a data set by name.

    Raises:
        UnknownNameError: There is none of that name.
    """
    try:
        return DATASETS.get(name)
    except UnknownNameError as error:
        known = nearest(name, DATASETS.names())
        raise UnknownNameError(f"--dataset: no data set {name!r}{known}") from error


def missing(name: str, entry: DatasetEntry, path: Path | None = None) -> str:
    """Return what to say where a data set is not: where to get it and what it consists of."""
    where = f"{path}: no such file or folder." if path else f"--dataset {name}: where is it?"
    files = "".join(f"\n  {line}" for line in entry.files)
    return (
        f"{where} Give --data PATH of {entry.title}. Get it from: {entry.source}. "
        f"Expected there:{files}"
    )


def _measured(
    files: Sequence[Path],
    name: str,
    data: str | None,
    settings: BenchmarkSettings,
    steps: Steps,
) -> list[Evaluation]:
    entry = find_dataset(name)
    protocol = pick_protocol(settings.protocol, entry.protocols)
    if data is None:
        raise DataMissingError(missing(name, entry))
    path = Path(data)
    if not path.exists():
        raise DataMissingError(missing(name, entry, path))
    keypoints = settings.keypoints or (entry.keypoints[0] if entry.keypoints else "")
    options = DatasetOptions(keypoints=keypoints, seed=settings.seed, takes=settings.takes)
    benchmark = Benchmark(
        name=name, dataset=entry.open(path, options), keypoints=keypoints, protocol=protocol
    )
    return evaluate(files, benchmark, settings, device=resolve(settings.device), steps=steps)


def evaluations_in(path: Path) -> list[Path]:
    """Return the evaluations that a file is, or that a folder of `--out` holds; perhaps none."""
    if path.is_dir():
        return sorted(path.glob(f"*{EVALUATION}"))
    return [path] if path.suffix == EVALUATION else []
