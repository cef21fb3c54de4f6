"""JSON: joints in the world as plain lists, for programs without NumPy and for the web."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import ClipResult, PersonResult

FORMAT = "pose3d-json/1"
_UNITS = "metres; times in seconds"
_AXES = "z up, x right as the camera looks, y away from it, origin on the floor below it"


@register_exporter("json")
class Json:
    """Writes JSON."""

    suffix = "_joints.json"  # a clip called run.mp4 has a run.json already
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one file with everybody; frames in which a person is absent are not theirs."""
        path = with_end(stem, self.suffix)
        with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_text(chosen(result, options)))
        return Exported(files=(path,))


def _text(result: ClipResult) -> Iterator[str]:
    head = {
        "format": FORMAT,
        "units": _UNITS,
        "axes": _AXES,
        "world": {"up": result.world.up, "floor": result.world.floor},
        "meta": dict(result.meta),
        "joint_names": list(result.joint_names),
        "parents": result.parents.tolist(),
        "frame": result.frame.tolist(),
        "time_s": np.round(result.time_s, 6).tolist(),
    }
    yield f"{_dumped(head)[:-1]},\n"
    yield '"people":['
    for place, person in enumerate(result.people):
        yield ",\n" if place else "\n"
        yield from _person(result, person)
    yield "]}\n"


def _person(result: ClipResult, person: PersonResult) -> Iterator[str]:
    """Yield a person's part, a line a frame."""
    frames = result.frame[person.rows].tolist()
    yield f'{{"person":{person.person},"frame":{_dumped(frames)},"xyz_world":['
    for row, xyz in enumerate(person.xyz_camera):
        yield ",\n" if row else "\n"
        yield _dumped(_plain(result.world.from_camera(xyz), 5))
    yield '],"score":'
    yield f"{_dumped(_plain(person.score, 4))}}}"


def _plain(values: np.ndarray, digits: int) -> Any:
    """Return nested lists, what is unknown as None."""
    rounded = np.round(values.astype(np.float64), digits).astype(object)
    rounded[~np.isfinite(values)] = None
    return rounded.tolist()


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
