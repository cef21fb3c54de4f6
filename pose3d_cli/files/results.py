"""The canonical result of a clip: everybody's 3D joints over time, with how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import Stack, read_arrays, write_arrays
from pose3d_cli.pose.world import World

FORMAT = "pose3d-result/2"
_WORLD = "camera_to_world"
_OLDER = {"pose3d-result/1": (_WORLD,)}
"""Formats that are read as well, and what they lack."""
FORMATS = (FORMAT, *_OLDER)
UNITS = "metres; keypoints in pixels; times in seconds"
AXES = (
    "xyz_world: z up, x right as the camera looks, y away from it, origin on the floor below it; "
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

_SHARED = ("time_s", "frame", "joint_names", "parents", "person_id")
_ABSENT = {"xyz_camera": np.nan, "xyz_root": np.nan, "keypoints_px": np.nan, "score": 0.0}
"""What a person has, (people, frames, joints, ...) in the file, and what stands where they are
absent."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonResult:
    """One person in a clip; only the frames they are in are kept.

    A long clip of a busy place has hundreds of people, each there for seconds: laid out over all
    its frames they would take more memory than everything else together.

    Attributes:
        person: Identity.
        rows: Places on the clip's time axis, rising; the arrays below have a row for each.
        xyz_camera: Metres, x right, y down, z forward, origin at the camera.
        xyz_root: The same axes, pelvis at the origin.
        keypoints_px: 2D joints in pixels of the upright picture; NaN where unseen.
        score: Detector confidence in [0, 1]; 0 where unseen or filled in.
    """

    person: int
    rows: Int64[np.ndarray, " rows"]
    xyz_camera: Float32[np.ndarray, "rows joints 3"]
    xyz_root: Float32[np.ndarray, "rows joints 3"]
    keypoints_px: Float32[np.ndarray, "rows joints 2"]
    score: Float32[np.ndarray, "rows joints"]

    def laid_out(self, name: str, n_frames: int) -> Float32[np.ndarray, "frames joints *rest"]:
        """Return one of the arrays with a row for each frame of the clip."""
        values = getattr(self, name)
        dense = np.full((n_frames, *values.shape[1:]), _ABSENT[name], np.float32)
        dense[self.rows] = values
        return dense


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipResult:
    """Everybody in a clip, on one time axis.

    Attributes:
        people: Who is in it.
        time_s: Presentation time of each frame in seconds, rising.
        frame: Number of each frame in the video, from 0, rising.
        joint_names: Joints in array order.
        parents: Place of each joint's parent in that order; -1 for the root.
        meta: How the result was made; see `META_KEYS`.
        world: Where up and the floor are; the same for everybody, over the whole clip.
    """

    people: Sequence[PersonResult]
    time_s: Float64[np.ndarray, " frames"]
    frame: Int64[np.ndarray, " frames"]
    joint_names: tuple[str, ...]
    parents: Int64[np.ndarray, " joints"]
    meta: Mapping[str, Any] = field(default_factory=dict)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        if np.any(np.diff(self.frame) <= 0) or np.any(np.diff(self.time_s) <= 0):
            raise ValueError("frames and times must rise")

    def present(self, row: int) -> Iterator[tuple[PersonResult, int]]:
        """Yield who is there in a row of the time axis, each with the row of their own arrays."""
        for person in self.people:
            own = int(np.searchsorted(person.rows, row))
            if own < len(person.rows) and person.rows[own] == row:
                yield person, own


def write_result(path: Path, result: ClipResult) -> None:
    """Write `result` as `.npz`, whole or not at all.

    Raises:
        OutputError: A folder or disk that cannot be written.
        ValueError: A `meta` that lacks one of `META_KEYS`.
    """
    missing = [key for key in META_KEYS if key not in result.meta]
    if missing:
        raise ValueError(f"meta lacks {', '.join(missing)}")
    meta = {
        **result.meta,
        "world": _world_record(result.world),
        "format": FORMAT,
        "units": UNITS,
        "axes": AXES,
    }
    write_arrays(path, {**_people_arrays(result), **_shared_arrays(result)}, meta)


def _people_arrays(result: ClipResult) -> dict[str, Stack]:
    channels = {
        "xyz_world": (3,),
        "xyz_camera": (3,),
        "xyz_root": (3,),
        "keypoints_px": (2,),
        "score": (),
    }
    return {name: _stack(result, name, rest) for name, rest in channels.items()}


def _stack(result: ClipResult, name: str, rest: tuple[int, ...]) -> Stack:
    """Return an array of everybody, each person laid out when their turn comes."""
    return Stack(
        shape=(len(result.people), len(result.frame), len(result.joint_names), *rest),
        dtype=np.dtype(np.float32),
        layers=(_laid_out(result, person, name) for person in result.people),
    )


def _laid_out(result: ClipResult, person: PersonResult, name: str) -> np.ndarray:
    if name == "xyz_world":
        return result.world.from_camera(person.laid_out("xyz_camera", len(result.frame)))
    return person.laid_out(name, len(result.frame))


def _shared_arrays(result: ClipResult) -> dict[str, np.ndarray]:
    return {
        "time_s": result.time_s,
        "frame": result.frame,
        "joint_names": np.asarray(result.joint_names),
        "parents": result.parents,
        _WORLD: result.world.camera_to_world,
        "person_id": np.array([person.person for person in result.people], np.int64),
    }


def read_result(path: Path) -> ClipResult:
    """Return what `write_result` wrote.

    Raises:
        InputError: A file that is missing, damaged, or not a result of ours.
    """
    keys = (*_ABSENT, *_SHARED, _WORLD)
    arrays, meta = read_arrays(path, file_format=FORMAT, keys=keys, older=_OLDER)
    try:
        _check_shapes(arrays)
        return ClipResult(
            people=[_person(arrays, place) for place in range(len(arrays["person_id"]))],
            time_s=arrays["time_s"].astype(np.float64),
            frame=arrays["frame"].astype(np.int64),
            joint_names=tuple(str(name) for name in arrays["joint_names"]),
            parents=arrays["parents"].astype(np.int64),
            meta=meta,
            world=_read_world(arrays[_WORLD], meta) if _WORLD in arrays else World(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a result whose parts do not fit: {error}") from error


def _world_record(world: World) -> dict[str, Any]:
    """Return how the world was found, in plain values; what is unknown is None."""
    sure = {"up_sure_deg": world.up_sure_deg, "floor_sure_m": world.floor_sure_m}
    numbers = {name: float(v) if np.isfinite(v) else None for name, v in sure.items()}
    return {"up": world.up, "floor": world.floor, **numbers}


def _read_world(matrix: np.ndarray, meta: Mapping[str, Any]) -> World:
    told = meta["world"]
    if matrix.shape != (4, 4):
        raise ValueError(f"camera_to_world has shape {matrix.shape}; expected (4, 4)")
    sure = (told["up_sure_deg"], told["floor_sure_m"])
    up_sure_deg, floor_sure_m = (np.nan if value is None else float(value) for value in sure)
    return World(
        rotation=matrix[:3, :3].astype(np.float64),
        camera_m=matrix[:3, 3].astype(np.float64),
        up=str(told["up"]),
        up_sure_deg=up_sure_deg,
        floor=str(told["floor"]),
        floor_sure_m=floor_sure_m,
    )


def _person(arrays: Mapping[str, np.ndarray], place: int) -> PersonResult:
    """Return a person's own rows: those that have a joint in 3D."""
    own = {name: arrays[name][place].astype(np.float32) for name in _ABSENT}
    has_joint = [np.isfinite(own[name]).any((1, 2)) for name in ("xyz_camera", "xyz_root")]
    rows = np.flatnonzero(has_joint[0] | has_joint[1]).astype(np.int64)
    kept = {name: values[rows] for name, values in own.items()}
    return PersonResult(person=int(arrays["person_id"][place]), rows=rows, **kept)


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
