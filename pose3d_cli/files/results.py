"""The canonical result of a clip: everybody's 3D joints over time, with how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import read_arrays, write_arrays

FORMAT = "pose3d-result/1"
UNITS = "metres; keypoints in pixels; times in seconds"
AXES = (
    "xyz_camera: x right, y down, z forward as the camera looks, origin at the camera; "
    "xyz_root: the same axes, origin at the pelvis; "
    "keypoints_px: u right, v down from the top-left corner of the upright picture"
)

META_KEYS = ("fps", "camera", "scale_source", "detector", "weights", "program_version")
"""What whoever writes a result must say about it; `format`, `units` and `axes` are added here.

`fps`: nominal frames a second. `camera`: matrix, distortion, image size and their source.
`scale_source`: where the size of the body comes from, in words. `detector`: its name.
`weights`: name and sha256. `program_version`: of pose3d.
"""

_ARRAYS = (
    "xyz_camera",
    "xyz_root",
    "keypoints_px",
    "score",
    "time_s",
    "frame",
    "joint_names",
    "parents",
    "person_id",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipResult:
    """Everybody in a clip, on one time axis.

    Attributes:
        xyz_camera: Metres, x right, y down, z forward, origin at the camera; NaN where absent.
        xyz_root: The same axes, pelvis at the origin; NaN where absent.
        keypoints_px: 2D joints in pixels of the upright picture; NaN where unseen.
        score: Detector confidence in [0, 1]; 0 where unseen, filled in or absent.
        time_s: Presentation time of each frame in seconds, rising.
        frame: Number of each frame in the video, from 0, rising.
        joint_names: Joints in array order.
        parents: Place of each joint's parent in that order; -1 for the root.
        person_id: Identity of each person.
        meta: How the result was made; see `META_KEYS`.
    """

    xyz_camera: Float32[np.ndarray, "people frames joints 3"]
    xyz_root: Float32[np.ndarray, "people frames joints 3"]
    keypoints_px: Float32[np.ndarray, "people frames joints 2"]
    score: Float32[np.ndarray, "people frames joints"]
    time_s: Float64[np.ndarray, " frames"]
    frame: Int64[np.ndarray, " frames"]
    joint_names: tuple[str, ...]
    parents: Int64[np.ndarray, " joints"]
    person_id: Int64[np.ndarray, " people"]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shapes({name: getattr(self, name) for name in _ARRAYS})
        if np.any(np.diff(self.frame) <= 0) or np.any(np.diff(self.time_s) <= 0):
            raise ValueError("frames and times must rise")

    @property
    def is_present(self) -> np.ndarray:
        """Whether each person is there in each frame, (people, frames)."""
        return np.isfinite(self.xyz_camera).any((2, 3)) | np.isfinite(self.xyz_root).any((2, 3))


def _check_shapes(arrays: Mapping[str, Any]) -> None:
    shape = tuple(len(arrays[name]) for name in ("person_id", "frame", "joint_names"))
    expected = {
        "xyz_camera": (*shape, 3),
        "xyz_root": (*shape, 3),
        "keypoints_px": (*shape, 2),
        "score": shape,
        "time_s": shape[1:2],
        "parents": shape[2:],
    }
    for name, wanted in expected.items():
        found = arrays[name].shape
        if found != wanted:
            raise ValueError(f"{name} has shape {found}; expected {wanted}")


def write_result(path: Path, result: ClipResult) -> None:
    """Write `result` as `.npz`, whole or not at all.

    Raises:
        OutputError: A folder or disk that cannot be written.
        ValueError: A `meta` that lacks one of `META_KEYS`.
    """
    missing = [key for key in META_KEYS if key not in result.meta]
    if missing:
        raise ValueError(f"meta lacks {', '.join(missing)}")
    arrays = {name: np.asarray(getattr(result, name)) for name in _ARRAYS}
    meta = {**result.meta, "format": FORMAT, "units": UNITS, "axes": AXES}
    write_arrays(path, arrays, meta)


def read_result(path: Path) -> ClipResult:
    """Return what `write_result` wrote.

    Raises:
        InputError: A file that is missing, damaged, or not a result of ours.
    """
    arrays, meta = read_arrays(path, file_format=FORMAT, keys=_ARRAYS)
    try:
        _check_shapes(arrays)
        names = tuple(str(name) for name in arrays.pop("joint_names"))
        return ClipResult(
            **{name: values.astype(_dtype(name)) for name, values in arrays.items()},
            joint_names=names,
            meta=meta,
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: a result whose parts do not fit: {error}") from error


def _dtype(name: str) -> type[np.generic]:
    if name == "time_s":
        return np.float64
    return np.int64 if name in ("frame", "parents", "person_id") else np.float32
