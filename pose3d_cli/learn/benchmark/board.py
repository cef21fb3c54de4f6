"""Evaluations side by side: as tables, as plain values and as files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.learn.benchmark.evaluation import Evaluation, write_evaluation
from pose3d_cli.learn.benchmark.paired import Paired, compare_pair
from pose3d_cli.learn.benchmark.protocol import PROTOCOLS
from pose3d_cli.learn.benchmark.score import MEASURES
from pose3d_cli.learn.benchmark.summary import Figure

_MOST_GROUPS = 24
_COMPARED = ("mpjpe", "p_mpjpe")

CSV_COLUMNS = (
    "label", "dataset", "split", "keypoints", "protocol", "of", "name", "measure", "unit", "value",
    "low_95", "high_95", "frames",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Board:
    """Evaluations of the same data.

    Attributes:
        evaluations: At least one; of one data set, split and protocol.
        pairs: Each two of them compared.
    """

    evaluations: Sequence[Evaluation]
    pairs: Sequence[Paired]

    @classmethod
    def of(cls, evaluations: Sequence[Evaluation]) -> Board:
        """Compare each two evaluations.

        Raises:
            InputError: Evaluations of other data, protocols or frames.
        """
        named = _told_apart(evaluations)
        found = [
            compare_pair(one, two, measure)
            for one, two in combinations(named, 2)
            for measure in _COMPARED
        ]
        return cls(evaluations=named, pairs=[pair for pair in found if pair is not None])

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "evaluations": [evaluation.to_json() for evaluation in self.evaluations],
            "pairs": [
                {name: _number(value) for name, value in asdict(pair).items()}
                for pair in self.pairs
            ],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return the measures: a header, then a row each, a column an evaluation."""
        columns = [evaluation.figures() for evaluation in self.evaluations]
        header = ("", *(evaluation.label for evaluation in self.evaluations))
        body = [
            (f"{about.label} {about.unit}", *(in_words(column.get(name)) for column in columns))
            for name, about in MEASURES.items()
            if any(name in column for column in columns)
        ]
        frames = [f"{e.frames:,} of {e.wanted:,}" for e in self.evaluations]
        return [header, *body, ("frames measured", *frames)]

    def group_rows(self) -> list[tuple[str, ...]]:
        """Return MPJPE and P-MPJPE of each group, the worst first where there are many of them."""
        columns = [evaluation.groups() for evaluation in self.evaluations]
        names = list(columns[0])
        if len(names) > _MOST_GROUPS:
            names.sort(key=lambda name: -float(columns[0][name].get("mpjpe", 0.0)))
            names = names[:_MOST_GROUPS]
        header = ("MPJPE / P-MPJPE mm", *(evaluation.label for evaluation in self.evaluations))
        rows = [(name, *(_both(column.get(name, {})) for column in columns)) for name in names]
        cut = len(columns[0]) - len(names)
        more = [(f"and {cut} more, better than these",)] if cut else []
        return [header, *rows, *more] if len(columns[0]) > 1 else []

    def pair_rows(self) -> list[tuple[str, ...]]:
        """Return the comparisons: a header, then a row each; nothing if there is but one."""
        if not self.pairs:
            return []
        header = ("compared", "measure", "difference", "95 % of draws", "p", "takes won", "verdict")
        return [header, *(_pair_row(pair) for pair in self.pairs)]

    def notes(self) -> list[str]:
        """Return what a reader must know, each once."""
        return list(dict.fromkeys(note for e in self.evaluations for note in e.notes))

    def words(self) -> list[str]:
        """Return the protocol in words."""
        return PROTOCOLS[self.evaluations[0].protocol].in_words()

    def beware(self) -> list[str]:
        """Return what to beware of under this protocol."""
        return PROTOCOLS[self.evaluations[0].protocol].beware()


def in_words(figure: Figure | None) -> str:
    """Return a figure with its interval, `45.1 (44.0 to 46.2)`; a dash if it was not measured."""
    if figure is None:
        return "-"
    value = f"{figure.value:.1f}" if abs(figure.value) >= 10 else f"{figure.value:.2f}"
    if not np.isfinite(figure.low):
        return value
    digits = 1 if abs(figure.value) >= 10 else 2
    return f"{value} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def write_csv(path: Path, board: Board) -> None:
    """Write all figures as a tidy table: a row a lifter, group or joint, and measure.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for evaluation in board.evaluations:
            writer.writerows(_csv_rows(evaluation))


def write_files(folder: Path, board: Board) -> list[Path]:
    """Write `evaluation.json`, `evaluation.csv` and an npz of each evaluation, for comparisons.

    Args:
        folder: Is there already.
        board: What was found.

    Raises:
        OutputError: The folder cannot be written.
    """
    paths = [folder / "evaluation.json", folder / "evaluation.csv"]
    with replacing(paths[0]) as new:
        text = json.dumps(board.to_json(), ensure_ascii=False, indent=1, allow_nan=False)
        new.write_text(text + "\n", encoding="utf-8")
    write_csv(paths[1], board)
    for evaluation in board.evaluations:
        paths.append(folder / f"{_file_name(evaluation.label)}.npz")
        write_evaluation(paths[-1], evaluation)
    return paths


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.-]+", "_", label).strip("._") or "evaluation"


def _told_apart(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return evaluations whose labels differ."""
    labels = [evaluation.label for evaluation in evaluations]
    return [
        e if labels.count(e.label) == 1 else replace(e, label=f"{e.label} ({number})")
        for number, e in enumerate(evaluations, start=1)
    ]


def _both(row: dict[str, float | int]) -> str:
    if "mpjpe" not in row:
        return "-"
    return f"{row['mpjpe']:.1f} / {row['p_mpjpe']:.1f}"


def _pair_row(pair: Paired) -> tuple[str, ...]:
    about = MEASURES[pair.measure]
    is_better = (pair.difference > 0) == about.is_better_high
    verdict = f"{pair.second} is {'better' if is_better else 'worse'}"
    return (
        f"{pair.second} against {pair.first}",
        about.label,
        f"{pair.difference:+.2f} {about.unit}",
        f"{pair.low:+.2f} to {pair.high:+.2f}" if np.isfinite(pair.low) else "one take only",
        f"{pair.p:.2g}" if np.isfinite(pair.p) else "too few takes",
        f"{pair.second_wins} of {pair.takes}",
        verdict if pair.is_sure else "no difference beyond chance",
    )


def _csv_rows(evaluation: Evaluation) -> Iterator[tuple[object, ...]]:
    head = tuple(getattr(evaluation, name) for name in CSV_COLUMNS[:5])
    for name, figure in evaluation.figures().items():
        interval = [_number(figure.low), _number(figure.high)]
        row = (MEASURES[name].label, MEASURES[name].unit, _number(figure.value), *interval)
        yield (*head, "all", "", *row, evaluation.frames)
    for group, values in evaluation.groups().items():
        for name, about in MEASURES.items():
            if name in values:
                row = (about.label, about.unit, _number(values[name]), None, None)
                yield (*head, "group", group, *row, values["frames"])
    for joint, value in evaluation.joints_mm().items():
        if np.isfinite(value):
            yield (*head, "joint", joint, "MPJPE", "mm", _number(value), None, None, None)


def _number(value: Any) -> Any:
    """Return a value as JSON and CSV hold it: no number is nothing."""
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value
