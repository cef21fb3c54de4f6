"""Read TRC, the tables of markers that OpenSim, Pose2Sim and motion-capture programs write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.marker_table import UNITS_M, MarkerTable, check_rising, numbers, read_text

_NAMES_LINE, _FIRST_ROW = 3, 5
_ROUNDED_S = 0.001
"""Times are commonly written with three decimals."""


def read_trc(path: Path) -> MarkerTable:
    """Read a TRC.

    The header's `Units` says the unit; the columns follow the names in its fourth line. Empty
    cells, `NaN`, and points exactly at the origin are markers that were not seen. Y is up, as
    OpenSim has it; whatever turned the points before does not stand in the file.

    Raises:
        InputError: No such file, no TRC, an unknown unit, or rows that do not fit.
    """
    lines = read_text(path).splitlines()
    if len(lines) <= _FIRST_ROW or not lines[0].startswith("PathFileType"):
        raise InputError(f"{path}: not a TRC; its first line should begin with `PathFileType`")
    header = dict(zip(*(_cells(line) for line in lines[1:3]), strict=False))
    metres = _metres(path, header)
    names = tuple(cell for cell in _cells(lines[_NAMES_LINE])[2:] if cell)
    if not names:
        raise InputError(f"{path}: line 4 names no markers; expected Frame#, Time, names, by tabs")
    at, rows = _rows(path, lines, 2 + 3 * len(names))
    values = numbers(path, rows, at)
    time_s = _mended_times(values[:, 0], values[:, 1], _rate(header))
    check_rising(path, time_s, at, "time")
    xyz = values[:, 2:].reshape(len(rows), len(names), 3) * metres
    return MarkerTable(
        path=path,
        names=names,
        xyz=np.where((xyz == 0).all(-1, keepdims=True), np.nan, xyz),
        time_s=time_s,
        frame=None,
        axes="y up",
        metres=metres,
        unit=f"its header says Units {header['Units']}",
        notes=_notes(path, header, len(rows)),
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")]


def _metres(path: Path, header: Mapping[str, str]) -> float:
    unit = header.get("Units", "")
    if unit.lower() not in UNITS_M:
        raise InputError(f"{path}: Units in its header is {unit!r}; expected m, cm or mm")
    return UNITS_M[unit.lower()]


def _rows(path: Path, lines: list[str], width: int) -> tuple[list[int], list[list[str]]]:
    """Return line numbers and cells of the rows, each `width` cells long."""
    at, rows = [], []
    for number, line in enumerate(lines[_FIRST_ROW:], start=_FIRST_ROW + 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if any(cell.strip() for cell in cells[width:]):
            raise InputError(
                f"{path}: line {number} has {len(cells)} cells, but the names in line 4 make "
                f"{width}"
            )
        at.append(number)
        rows.append([*cells[:width], *[""] * (width - len(cells))])
    if not rows:
        raise InputError(f"{path}: a TRC without a single row")
    return at, rows


def _rate(header: Mapping[str, str]) -> float:
    try:
        return float(header.get("DataRate", "0"))
    except ValueError:
        return 0.0


def _mended_times(
    frame: Float64[np.ndarray, " rows"], time_s: Float64[np.ndarray, " rows"], rate_hz: float
) -> Float64[np.ndarray, " rows"]:
    """Return times before they were rounded, where the header's rate tells them."""
    if rate_hz > 0 and np.isfinite(frame).all():
        even = time_s[0] + (frame - frame[0]) / rate_hz
        if np.abs(even - time_s).max() <= _ROUNDED_S:
            return np.asarray(even)
    return time_s


def _notes(path: Path, header: Mapping[str, str], n_rows: int) -> tuple[str, ...]:
    said = header.get("NumFrames", str(n_rows))
    if said == str(n_rows):
        return ()
    return (f"{path}: its header says {said} frames, but it has {n_rows} rows; cut off?",)
