"""What a TOML file says of a recording: its camera, where that stands, when the truth begins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from pose3d_cli.config import fitting, read_toml
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.camera_file import (
    CAMERA_KEYS,
    TAKE_KEYS,
    camera_of_values,
    check_keys,
    numbers_of,
    size_of,
)
from pose3d_cli.pose.camera import Camera, camera_from_fov

_PLAIN: Mapping[str, type] = {
    "offset_s": float, "fps": float, "fov": float, "person": int, "subject": str, "action": str,
}  # fmt: skip
_TOGETHER = (CAMERA_KEYS, ("rotation", "translation"))
_SQUARE = 1e-3
"""How far a rotation written by hand may be from one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TakeFile:
    """What is said of a recording.

    Attributes:
        camera_path: The file that `camera_values` and `fov` stand in.
        camera_values: `matrix`, `distortion` and `image_size`, as they stand.
        rotation: From the axes of the calibration's world to the camera's; None if unsaid.
        translation: Where the world's origin is in the camera's axes, metres; None if unsaid.
        truth_axes: From the axes of the truth's file to the calibration's world.
        offset_s: What is added to the truth's times to get the video's.
        fps: Frames a second, for keypoints that do not say it.
        fov: Field of view in degrees across the longer side, where there is no `matrix`.
        person: Identity in the keypoints; None takes the one nearest to the truth.
        subject: Who moves.
        action: What they do.
    """

    camera_path: Path = Path()
    camera_values: Mapping[str, object] = field(default_factory=dict)
    rotation: Float64[np.ndarray, "3 3"] | None = None
    translation: Float64[np.ndarray, " 3"] | None = None
    truth_axes: Float64[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))
    offset_s: float = 0.0
    fps: float | None = None
    fov: float | None = None
    person: int | None = None
    subject: str = ""
    action: str = ""

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height in pixels, if they are said."""
        size = self.camera_values.get("image_size")
        return None if size is None else size_of(self.camera_path, size)

    def camera(self, image_size: tuple[int, int]) -> Camera | None:
        """Return the camera of pictures of `image_size`; None if nothing is said of it.

        Raises:
            InputError: What is said is no camera, or that of pictures of another shape.
        """
        if "matrix" in self.camera_values:
            return camera_of_values(self.camera_path, self.camera_values, image_size)
        if self.fov is None:
            return None
        return camera_from_fov(self.fov, image_size, f"{self.camera_path}: fov {self.fov:g}")


def read_take_files(paths: Sequence[Path]) -> TakeFile:
    """Read what is said of a recording; a later file overrules an earlier one.

    `matrix`, `distortion` and `image_size` are overruled together, and so are `rotation` and
    `translation`: halves of two calibrations make none.

    `rotation` is 3 rows of 3 numbers or, as OpenCV has it, a vector of 3 (axis times angle);
    `truth_axes` says which axis of the calibration's world each axis of the truth is, such as
    `["y", "z", "x"]` or `["x", "z", "-y"]`.

    Raises:
        InputError: No TOML, a key that does not exist, or a value that makes no sense.
    """
    merged: dict[str, object] = {}
    camera_path = Path()
    for path in paths:
        values = read_toml(path)
        check_keys(path, values, (*CAMERA_KEYS, *TAKE_KEYS))
        _parse(path, values)  # so that a fault is told with the file it is in
        for keys in _TOGETHER:
            if set(keys) & set(values):
                merged = {key: value for key, value in merged.items() if key not in keys}
        merged |= values
        camera_path = path if {*CAMERA_KEYS, "fov"} & set(values) else camera_path
    return _parse(camera_path, merged)


def _parse(path: Path, values: Mapping[str, object]) -> TakeFile:
    plain: dict[str, Any] = {}
    for key, kind in _PLAIN.items():
        if key in values:
            plain[key] = _plain(path, key, values[key], kind)
    if ("rotation" in values) != ("translation" in values):
        raise InputError(f"{path}: give rotation and translation both, or neither")
    if "rotation" in values:
        plain["rotation"] = _rotation(path, values["rotation"])
        plain["translation"] = _translation(path, values["translation"])
    if "truth_axes" in values:
        plain["truth_axes"] = _axes(path, values["truth_axes"])
    if "image_size" in values:
        size_of(path, values["image_size"])
    camera = {key: values[key] for key in CAMERA_KEYS if key in values}
    return TakeFile(camera_path=path, camera_values=camera, **plain)


def _plain(path: Path, key: str, value: object, kind: type) -> object:
    try:
        value = fitting(key, value, kind, where=str(path))
    except SettingsError as error:
        raise InputError(str(error)) from error
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{path}: {key} is {value}; expected a number")
    if key == "fps" and isinstance(value, float) and value <= 0:
        raise InputError(f"{path}: fps is {value:g}; it must be above 0")
    if key == "fov" and isinstance(value, float) and not 1 <= value <= 170:
        raise InputError(f"{path}: fov is {value:g}; it must lie between 1 and 170 degrees")
    return value


def _rotation(path: Path, value: object) -> Float64[np.ndarray, "3 3"]:
    found = numbers_of(path, "rotation", value)
    if found.shape == (3,) and np.isfinite(found).all():
        return np.asarray(Rotation.from_rotvec(found).as_matrix(), np.float64)
    if found.shape != (3, 3) or not np.isfinite(found).all():
        raise InputError(f"{path}: rotation must be 3 rows of 3 numbers, or a vector of 3")
    if np.abs(found @ found.T - np.eye(3)).max() > _SQUARE:
        raise InputError(
            f"{path}: rotation is none: its rows must have length 1 and be at right angles"
        )
    if np.linalg.det(found) < 0:
        raise InputError(f"{path}: rotation is a mirror image; are all axes right-handed?")
    return found


def _translation(path: Path, value: object) -> Float64[np.ndarray, " 3"]:
    found = numbers_of(path, "translation", value)
    if found.shape == (3, 1):  # a column, as OpenCV has it
        found = found[:, 0]
    if found.shape != (3,) or not np.isfinite(found).all():
        raise InputError(f"{path}: translation must be 3 numbers, in metres")
    return found


def _axes(path: Path, value: object) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation from the truth's axes, each named by the world's axis that it is."""
    turn = np.zeros((3, 3))
    words = value if isinstance(value, list) else []
    for own, word in enumerate(words[:3]):
        name = str(word).lower().lstrip("+")
        if name.removeprefix("-") in ("x", "y", "z"):
            turn["xyz".index(name[-1]), own] = -1 if name.startswith("-") else 1
    if len(words) != 3 or np.abs(turn).sum(1).tolist() != [1, 1, 1] or turn.any(0).sum() < 3:
        raise InputError(
            f"{path}: truth_axes is {value!r}; expected the three axes of the calibration that x, "
            'y and z of the truth are, such as ["y", "z", "x"]'
        )
    if np.linalg.det(turn) < 0:
        raise InputError(f"{path}: truth_axes {value!r} is a mirror image; one sign is wrong")
    return turn
