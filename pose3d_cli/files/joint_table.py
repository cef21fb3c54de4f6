"""Read joints in space from a CSV: a row a joint and frame (tidy), or a row a frame (wide)."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.files.marker_table import UNITS_M, MarkerTable, check_rising, numbers, read_text

_TIMES = ("time_s", "time", "frame")
_COORDINATE = re.compile(r"(?P<joint>.+?)[ _.:-]*(?P<axis>[xyz])(?:_(?P<unit>mm|cm|m))?", re.I)
_TIDY = re.compile(r"(?P<axis>[xyz])(?:_(?P<unit>mm|cm|m))?", re.I)
_OURS = {"u_px", "v_px", "x_root", "x_root_m"}


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """The cells of a file.

    Attributes:
        path: The file.
        columns: Names of the columns.
        lines: Number of each row's line.
        rows: Cells, as many a row as there are columns.
    """

    path: Path
    columns: list[str]
    lines: list[int]
    rows: list[list[str]]

    def find(self, name: str) -> int | None:
        """Return the place of a column, however it is capitalised."""
        lower = [column.lower() for column in self.columns]
        return lower.index(name) if name in lower else None

    def texts(self, column: int) -> list[str]:
        """Return a column as it stands."""
        return [row[column].strip() for row in self.rows]

    def numbers(self, columns: Sequence[int]) -> Float64[np.ndarray, "rows columns"]:
        """Return some columns as numbers."""
        return numbers(self.path, [[row[i] for i in columns] for row in self.rows], self.lines)


def read_joint_table(path: Path) -> MarkerTable:
    """Read a CSV.

    Tidy, with the columns `joint`, `x`, `y`, `z`; or wide, with `left_knee_x`, `left_knee_y`,
    `left_knee_z` and so on. Either has `time_s` (seconds; `time` is the same) or `frame` (number
    of the video's frame, from 0). Lengths are metres; `x_mm` or `left_knee_x_mm` are millimetres.
    Cells are parted by commas, semicolons or tabs; empty ones and `NaN` are joints not seen. Axes
    are right-handed; which of them is up the file does not say.

    Raises:
        InputError: No such file, other columns, cells that are no numbers, or rows that do not fit.
    """
    sheet = _sheet(path)
    if set(sheet.columns) & _OURS:
        raise InputError(f"{path}: a table of `pose3d lift`, which is an answer and no truth")
    timeline = next((name for name in _TIMES if sheet.find(name) is not None), "")
    column = sheet.find(timeline)
    if column is None:
        raise InputError(f"{path}: no column time_s or frame; found {', '.join(sheet.columns)}")
    when = sheet.numbers([column])[:, 0]
    is_tidy = sheet.find("joint") is not None
    names, xyz, unit, when = (_tidy if is_tidy else _wide)(sheet, when, timeline)
    if timeline == "frame" and (when % 1).any():
        raise InputError(f"{path}: frame must be whole numbers, those of the video's frames")
    return MarkerTable(
        path=path,
        names=names,
        xyz=xyz * UNITS_M[unit],
        time_s=None if timeline == "frame" else when,
        frame=when.astype(np.int64) if timeline == "frame" else None,
        axes="as given",
        metres=UNITS_M[unit],
        unit=f"its columns say {unit} (x is metres, x_mm millimetres)",
    )


_Read = tuple[
    tuple[str, ...], Float64[np.ndarray, "rows joints 3"], str, Float64[np.ndarray, " rows"]
]


def _sheet(path: Path) -> _Sheet:
    text = read_text(path)
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    columns = [cell.strip() for cell in next(reader, [])]
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        raise InputError(f"{path}: more than one column is called {', '.join(repeated)}")
    lines, rows = [], []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if any(cell.strip() for cell in row[len(columns) :]):
            raise InputError(
                f"{path}: line {reader.line_num} has {len(row)} cells, the first line "
                f"{len(columns)}; are decimals written with commas?"
            )
        lines.append(reader.line_num)
        rows.append([*row[: len(columns)], *[""] * (len(columns) - len(row))])
    if not rows:
        raise InputError(f"{path}: a table without a single row")
    return _Sheet(path=path, columns=columns, lines=lines, rows=rows)


def _tidy(sheet: _Sheet, when: Float64[np.ndarray, " cells"], timeline: str) -> _Read:
    """Read a row a joint and frame; joints in the order in which they come."""
    axes = {m["axis"].lower(): i for i, m in _matches(sheet.columns, _TIDY)}
    unit = _unit(sheet.path, [m["unit"] for _, m in _matches(sheet.columns, _TIDY)])
    if set(axes) != set("xyz"):
        raise InputError(f"{sheet.path}: has a column joint, and lacks some of x, y, z")
    person, joint = sheet.find("person"), sheet.find("joint")
    people = set(sheet.texts(person)) if person is not None else set()
    if len(people) > 1:
        raise InputError(f"{sheet.path}: holds the people {', '.join(sorted(people))}; keep one")
    unknown = np.flatnonzero(np.isnan(when))
    if len(unknown):
        raise InputError(f"{sheet.path}: line {sheet.lines[unknown[0]]}: no {timeline}")
    joints = sheet.texts(joint or 0)
    names = tuple(dict.fromkeys(joints))
    column = {name: i for i, name in enumerate(names)}
    place = np.array([column[joint] for joint in joints], np.int64)
    times, row = np.unique(when, return_inverse=True)
    _check_once(sheet, row * len(names) + place, joints)
    xyz = np.full((len(times), len(names), 3), np.nan)
    xyz[row, place] = sheet.numbers([axes[axis] for axis in "xyz"])
    return names, xyz, unit, times


def _check_once(sheet: _Sheet, key: Int64[np.ndarray, " cells"], joints: list[str]) -> None:
    first = np.unique(key, return_index=True)[1]
    if len(first) < len(key):
        again = int(np.setdiff1d(np.arange(len(key)), first)[0])
        raise InputError(
            f"{sheet.path}: line {sheet.lines[again]}: {joints[again]} for the second time in one "
            "frame; several people?"
        )


def _wide(sheet: _Sheet, when: Float64[np.ndarray, " rows"], timeline: str) -> _Read:
    """Read a row a frame; what is not there as x, y and z is no joint."""
    check_rising(sheet.path, when, sheet.lines, timeline)
    columns: dict[str, dict[str, int]] = {}
    units = []
    for i, match in _matches(sheet.columns, _COORDINATE):
        columns.setdefault(match["joint"], {})[match["axis"].lower()] = i
        units.append(match["unit"])
    whole = {joint: at for joint, at in columns.items() if set(at) == set("xyz")}
    if not whole:
        raise InputError(
            f"{sheet.path}: neither a column joint with x, y, z, nor columns such as left_knee_x; "
            f"found {', '.join(sheet.columns)}"
        )
    values = sheet.numbers([at[axis] for at in whole.values() for axis in "xyz"])
    xyz = values.reshape(len(sheet.rows), len(whole), 3)
    return tuple(whole), xyz, _unit(sheet.path, units), when


def _matches(columns: list[str], pattern: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    found = ((i, pattern.fullmatch(name)) for i, name in enumerate(columns))
    return [(i, match) for i, match in found if match]


def _unit(path: Path, units: Sequence[str | None]) -> str:
    said = {(unit or "m").lower() for unit in units}
    if len(said) > 1:
        raise InputError(f"{path}: its columns are in {' and '.join(sorted(said))}; choose one")
    return said.pop() if said else "m"
