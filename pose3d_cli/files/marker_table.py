"""Points in space over time with a name each, as motion capture writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.errors import InputError

Axes = Literal["y up", "z up", "as given"]

UNITS_M: Mapping[str, float] = {
    "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0,
    "cm": 0.01, "centimeters": 0.01, "centimetres": 0.01,
    "mm": 0.001, "millimeters": 0.001, "millimetres": 0.001,
}  # fmt: skip
"""Metres of a unit, by the ways it is spelt, in small letters."""

_NOTHING = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-"})


@dataclass(frozen=True, kw_only=True, eq=False)
class MarkerTable:
    """Markers, or joints, over time.

    Attributes:
        path: Where they were read.
        names: Names along the marker axis, as the file spells them.
        xyz: Metres; NaN where a marker was not seen.
        time_s: Time of each row in seconds, rising; None where the file has frame numbers only.
        frame: Number of the video frame of each row, rising; None where the file has times.
        axes: Which axis points up, by the format's custom; axes are right-handed.
        metres: Metres of the file's unit; `xyz` is in metres already.
        unit: What says the unit, as a clause for messages.
        notes: What was strange while reading.
    """

    path: Path
    names: tuple[str, ...]
    xyz: Float64[np.ndarray, "rows markers 3"]
    time_s: Float64[np.ndarray, " rows"] | None
    frame: Int64[np.ndarray, " rows"] | None
    axes: Axes
    metres: float
    unit: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        timeline = self.time_s if self.time_s is not None else self.frame
        if timeline is None or self.xyz.shape != (len(timeline), len(self.names), 3):
            raise ValueError(f"xyz is {self.xyz.shape}; needs rows with a time, names and 3")


def read_text(path: Path) -> str:
    """Return the text of a file, with or without a byte order mark.

    Raises:
        InputError: No such file, or one that cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def numbers(
    path: Path, rows: Sequence[Sequence[str]], lines: Sequence[int]
) -> Float64[np.ndarray, "rows cells"]:
    """Return cells as numbers; NaN for empty ones, and for those that say there is nothing.

    Args:
        path: Where they were read, for messages.
        rows: All of one length.
        lines: Number of each row's line in the file.

    Raises:
        InputError: A cell that is no number.
    """
    plain = [["nan" if _is_nothing(cell) else cell for cell in row] for row in rows]
    try:
        values = np.array(plain, np.float64)
    except ValueError as error:
        raise InputError(f"{path}: {_first_fault(plain, lines)}") from error
    return np.where(np.isfinite(values), values, np.nan)


def _is_nothing(cell: str) -> bool:
    return cell.strip().lower() in _NOTHING


def _first_fault(rows: Sequence[Sequence[str]], lines: Sequence[int]) -> str:
    for row, line in zip(rows, lines, strict=True):
        for cell in row:
            try:
                float(cell)
            except ValueError:
                comma = "; write decimals with a point, not a comma" if "," in cell else ""
                return f"line {line}: {cell.strip()!r} is no number{comma}"
    return "rows of different lengths"


def check_rising(path: Path, values: np.ndarray, lines: Sequence[int], what: str) -> None:
    """Refuse times or frame numbers that are unknown or do not rise.

    Raises:
        InputError: With the first line that is wrong.
    """
    unknown = np.flatnonzero(~np.isfinite(values))
    if len(unknown):
        raise InputError(f"{path}: line {lines[unknown[0]]}: no {what}; every row needs one")
    falls = np.flatnonzero(np.diff(values) <= 0)
    if len(falls):
        before, after = values[falls[0]], values[falls[0] + 1]
        raise InputError(
            f"{path}: line {lines[falls[0] + 1]}: {what} {after:g} after {before:g}; they must rise"
        )
