"""The record of a run: one JSON line a measurement, and the curves drawn from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import explain, replacing


class RunLog:
    """`log.jsonl` in a run's folder.

    Args:
        path: The file; lines of steps after `first_step` are forgotten (a resumed run
            measures them again).
        first_step: Steps that are done: 0, or those of the checkpoint the run goes on from.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """

    def __init__(self, path: Path, first_step: int) -> None:
        self.path = path
        self.rows = [row for row in _read(path) if row["step"] <= first_step]
        with replacing(path) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows), "utf-8")

    def add(self, row: Mapping[str, int | float]) -> None:
        """Append a measurement; it is on disk when this returns.

        Raises:
            OutputError: A folder or disk that cannot be written.
        """
        self.rows.append(dict(row))
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise OutputError(explain(error, self.path)) from error


def _read(path: Path) -> list[dict[str, int | float]]:
    if not path.exists():
        return []
    rows = []
    for line in path.read_text("utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:  # the line a killed run was writing
            break
    return rows


def draw_curves(log: RunLog, path: Path) -> None:
    """Draw training loss and held-out error over the steps as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    trained = [row for row in log.rows if "position" in row]
    left.plot([r["step"] for r in trained], [r["position"] * 1000 for r in trained])
    left.set(xlabel="step", ylabel="training position loss, mm", yscale="log")
    for key, label in (("mpjpe_mm", "MPJPE"), ("p_mpjpe_mm", "P-MPJPE")):
        held_out = [row for row in log.rows if key in row]
        right.plot([r["step"] for r in held_out], [r[key] for r in held_out], label=label)
    right.set(xlabel="step", ylabel="held-out subjects, mm", yscale="log")
    right.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
