"""Parquet: the columns of the CSV, typed and packed, for pandas, Polars, DuckDB, R and Spark.

Each column says its unit in its field's metadata; the file's own tell how the result was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import AXES, UNITS, ClipResult
from pose3d_cli.files.tables import COLUMNS, NUMBERS, numbers_of

FORMAT = "pose3d-parquet/1"

_UNITS = {
    "frame": "number of the video frame, from 0",
    "time_s": "s",
    "person": "identity",
    "joint": "name",
    "u_px": "px",
    "v_px": "px",
    "score": "1",
}
"""Those of all other columns are metres."""

_FRAMES = 2000
"""Frames of the clip that are laid out at once."""


@register_exporter("parquet")
class Parquet:
    """Writes Parquet."""

    suffix = ".parquet"
    module = "pyarrow"
    extra = "parquet"
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one table with everybody."""
        from pyarrow import parquet

        path = with_end(stem, self.suffix)
        kept = chosen(result, options)
        schema = _schema(result)
        with (
            replacing(path) as new,
            new.open("wb") as file,
            parquet.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for batch in _batches(kept, schema):
                writer.write_batch(batch)
        return Exported(files=(path,))


def _schema(result: ClipResult) -> Any:
    import pyarrow as pa

    kinds = {
        "frame": pa.int64(),
        "time_s": pa.float64(),
        "person": pa.int64(),
        "joint": pa.dictionary(pa.int8(), pa.string()),
    }
    fields = [
        pa.field(name, kinds.get(name, pa.float32()), metadata={"unit": _UNITS.get(name, "m")})
        for name in COLUMNS
    ]
    about = {
        "format": FORMAT,
        "units": UNITS,
        "axes": AXES,
        "world": {"up": result.world.up, "floor": result.world.floor},
        "meta": dict(result.meta),
    }
    return pa.schema(fields, metadata={"pose3d": json.dumps(about, ensure_ascii=False)})


def _batches(result: ClipResult, schema: Any) -> Iterator[Any]:
    """Yield the rows some frames at a time, by frame, then person, then joint."""
    import pyarrow as pa

    for start in range(0, len(result.frame), _FRAMES):
        row, person, numbers = _stretch(result, start, start + _FRAMES)
        if not len(row):
            continue
        joints = numbers.shape[1]
        names = np.tile(np.arange(joints, dtype=np.int8), len(row))
        columns = [
            pa.array(np.repeat(result.frame[row], joints)),
            pa.array(np.repeat(result.time_s[row], joints)),
            pa.array(np.repeat(person, joints)),
            pa.DictionaryArray.from_arrays(names, list(result.joint_names)),
        ]
        flat = numbers.reshape(-1, len(NUMBERS))
        # What is unknown is null: a NaN would spoil every mean.
        columns += [pa.array(column, from_pandas=True) for column in flat.T]
        yield pa.record_batch(columns, schema=schema)


def _stretch(
    result: ClipResult, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clip rows, people and numbers of everybody from one clip row to another, in order."""
    rows, people, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], []
    for person in result.people:
        own = slice(*np.searchsorted(person.rows, [start, stop]).tolist())
        rows.append(person.rows[own])
        people.append(np.full(len(rows[-1]), person.person, np.int64))
        numbers.append(numbers_of(result, person, own).astype(np.float32))
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    empty = np.zeros((0, len(result.joint_names), len(NUMBERS)), np.float32)
    return row[order], np.concatenate(people)[order], np.concatenate([empty, *numbers])[order]
