"""The record of a run: one JSON line a measurement, and the curves drawn from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from pose3d_cli.errors import MissingExtraError, OutputError
from pose3d_cli.files.atomic import explain, replacing


class RunLog:
    """`log.jsonl` in a run's folder.

    Args:
        path: The file; lines of steps after `first_step` are forgotten (a resumed run
            measures them again).
        first_step: Steps that are done: 0, or those of the checkpoint the run goes on from.
        tensorboard: Write events for TensorBoard too, into `tensorboard/` beside the file.

    Raises:
        OutputError: A folder or disk that cannot be written.
        MissingExtraError: TensorBoard is asked for and not installed.
    """

    def __init__(self, path: Path, first_step: int, *, tensorboard: bool = False) -> None:
        self.path = path
        self._events = _events(path.parent / "tensorboard", first_step) if tensorboard else None
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
        if self._events is not None:
            for name, value in row.items():
                self._events.add_scalar(name, value, int(row["step"]))
            self._events.flush()


def _events(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(
            "--tensorboard needs a package that is not installed: pip install 'pose3d[tensorboard]'"
        ) from error
    return SummaryWriter(str(folder), purge_step=first_step + 1)


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


_MM = 1000.0
# Panels of the learning curves: the label of the axis, then each quantity's key, name and factor.
_Panel = tuple[str, Mapping[str, tuple[str, float]]]
_PANELS: tuple[_Panel, ...] = (
    ("training loss, mm", {"position": ("position", _MM), "velocity": ("velocity", _MM)}),
    (
        "training loss, units of the screen",
        {"screen_position": ("position", 1.0), "screen_velocity": ("velocity", 1.0)},
    ),
    (
        "degrees of up, training",
        {"across_deg": ("across the view", 1.0), "along_deg": ("along", 1.0)},
    ),
    ("degrees of up, held out", {"up_deg": ("all", 1.0), "up_walk_deg": ("who walk", 1.0)}),
    (
        "loss on masked tokens",
        {"total": ("loss", 1.0), "loss_over_variance": ("over variance", 1.0)},
    ),
    (
        "health of the representations",
        {
            "teacher_std": ("teacher's spread", 1.0),
            "prediction_std": ("student's spread", 1.0),
            "mask_ratio": ("masked share", 1.0),
            "ema": ("kept of the teacher", 1.0),
        },
    ),
    (
        "held-out subjects, mm",
        {
            "mpjpe_mm": ("MPJPE", 1.0),
            "p_mpjpe_mm": ("P-MPJPE", 1.0),
            "probe_mm": ("linear probe", 1.0),
        },
    ),
)


_DECADE = 10
_FEW_ROWS = 8


def panels_of(logged: Set[str]) -> list[_Panel]:
    """Return the panels that show something of what was logged."""
    panels = [panel for panel in _PANELS if set(panel[1]) & logged]
    if {"position", "screen_position", "along_deg"} & logged:  # these say all that a total would
        panels = [panel for panel in panels if "total" not in panel[1]]
    return panels


def draw_curves(log: RunLog, path: Path) -> None:
    """Draw what was logged over the steps as a PNG."""
    from matplotlib.figure import Figure

    logged = {key for row in log.rows for key in row}
    panels = panels_of(logged)
    figure = Figure(figsize=(4.5 * max(len(panels), 1), 4), layout="constrained")
    for place, (label, quantities) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        for key, (name, factor) in quantities.items():
            rows = [row for row in log.rows if key in row]
            if rows:
                # A single point draws no line.
                steps, values = [r["step"] for r in rows], [r[key] * factor for r in rows]
                axes.plot(steps, values, marker="o" if len(rows) <= _FEW_ROWS else "", label=name)
        low, high = axes.dataLim.intervaly
        # Within a decade a logarithmic axis has no round numbers to show.
        scale = "log" if 0 < _DECADE * low < high else "linear"
        axes.set(xlabel="step", ylabel=label, yscale=scale)
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
