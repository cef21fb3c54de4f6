"""Camera intrinsics from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose3d_cli.config import nearest
from pose3d_cli.errors import InputError
from pose3d_cli.pose.camera import Camera, scale_camera

_KEYS = ["matrix", "distortion", "image_size"]


def read_camera(path: Path, image_size: tuple[int, int]) -> Camera:
    """Return the camera that `path` describes, for a picture of `image_size`.

    The file holds `matrix`, 3 x 3 in pixels of the upright picture; optionally `distortion`, in
    OpenCV's order; and optionally `image_size`, width and height of the pictures it was calibrated
    on. With the latter a smaller or larger picture of the same shape is allowed.

    Args:
        path: A TOML file.
        image_size: Width and height of the upright picture in pixels.

    Raises:
        InputError: A file that is missing, no TOML, lacks or misspells a key, describes no
            camera, or was calibrated on a picture of another shape.
    """
    values = _read_toml(path)
    for key in values:
        if key not in _KEYS:
            raise InputError(f"{path}: no setting {key!r}{nearest(key, _KEYS)}")
    if "matrix" not in values:
        raise InputError(f"{path}: no `matrix`; expected 3 rows of 3 numbers, in pixels")
    size = _size(path, values["image_size"]) if "image_size" in values else image_size
    try:
        camera = Camera(
            matrix=_numbers(path, "matrix", values["matrix"]),
            distortion=_numbers(path, "distortion", values.get("distortion", [])),
            image_size=size,
            source=f"--intrinsics {path}",
        )
        _check_centre(camera)
        scaled = scale_camera(camera, image_size)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    if size == image_size:
        return camera
    return replace(scaled, source=f"{camera.source}, scaled from {size[0]}x{size[1]}")


def _check_centre(camera: Camera) -> None:
    """Refuse a principal point outside the picture: the matrix is of another resolution."""
    if np.any(camera.centre_px < 0) or np.any(camera.centre_px > camera.image_size):
        x, y = camera.centre_px
        width, height = camera.image_size
        raise ValueError(
            f"the principal point ({x:g}, {y:g}) lies outside a picture of {width}x{height}; say "
            "`image_size = [width, height]` of the pictures the camera was calibrated on"
        )


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not a readable TOML file: {error}") from error


def _numbers(path: Path, key: str, value: object) -> np.ndarray:
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: `{key}` must hold numbers in rows of one length") from error


def _size(path: Path, value: object) -> tuple[int, int]:
    if not (isinstance(value, list) and len(value) == 2 and all(type(n) is int for n in value)):
        raise InputError(f"{path}: `image_size` is {value!r}; expected [width, height] in pixels")
    return int(value[0]), int(value[1])
