"""Camera intrinsics from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose3d_cli.config import nearest, read_toml
from pose3d_cli.errors import InputError
from pose3d_cli.pose.camera import Camera, scale_camera

CAMERA_KEYS = ("matrix", "distortion", "image_size")

TAKE_KEYS = (
    "rotation", "translation", "truth_axes", "offset_s", "fov", "fps", "person", "subject",
    "action",
)  # fmt: skip
"""What the file of a recording may hold beside its camera; see `take_file`."""


def read_camera(path: Path, image_size: tuple[int, int]) -> Camera:
    """Return the camera that `path` describes, for a picture of `image_size`.

    The file holds `matrix`, 3 x 3 in pixels of the upright picture; optionally `distortion`, in
    OpenCV's order; and optionally `image_size`, width and height of the pictures it was calibrated
    on. With the latter a smaller or larger picture of the same shape is allowed. What else a
    recording's file may hold (`TAKE_KEYS`) is passed over.

    Args:
        path: A TOML file.
        image_size: Width and height of the upright picture in pixels.

    Raises:
        InputError: A file that is missing, no TOML, lacks or misspells a key, describes no
            camera, or was calibrated on a picture of another shape.
    """
    values = read_toml(path)
    check_keys(path, values, CAMERA_KEYS)
    return camera_of_values(path, values, image_size)


def check_keys(path: Path, values: Mapping[str, object], known: Sequence[str]) -> None:
    """Refuse a key that is none of `known`, nor of `TAKE_KEYS`.

    Raises:
        InputError: With the nearest of the known ones.
    """
    for key in values:
        if key not in known and key not in TAKE_KEYS:
            raise InputError(f"{path}: no setting {key!r}{nearest(key, list(known))}")


def camera_of_values(
    path: Path, values: Mapping[str, object], image_size: tuple[int, int]
) -> Camera:
    """Return the camera that the values of a TOML file describe; see `read_camera`.

    Raises:
        InputError: No camera, or one of a picture of another shape.
    """
    if "matrix" not in values:
        raise InputError(f"{path}: no `matrix`; expected 3 rows of 3 numbers, in pixels")
    size = size_of(path, values["image_size"]) if "image_size" in values else image_size
    try:
        camera = Camera(
            matrix=numbers_of(path, "matrix", values["matrix"]),
            distortion=numbers_of(path, "distortion", values.get("distortion", [])),
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


def numbers_of(path: Path, key: str, value: object) -> np.ndarray:
    """Return the number, row or rows of numbers that stand under a key.

    Raises:
        InputError: Anything else.
    """
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: `{key}` must hold numbers in rows of one length") from error


def size_of(path: Path, value: object) -> tuple[int, int]:
    """Return width and height as they stand under `image_size`.

    Raises:
        InputError: No two whole numbers.
    """
    if not (isinstance(value, list) and len(value) == 2 and all(type(n) is int for n in value)):
        raise InputError(f"{path}: `image_size` is {value!r}; expected [width, height] in pixels")
    return int(value[0]), int(value[1])
