"""Read 3D joints to measure with: our own results, or a ground truth seen by several cameras."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.pose.skeleton import H36M17


@dataclass(frozen=True, kw_only=True, eq=False)
class Joints3D:
    """Joints of several people in one view, or of one person in several views.

    Attributes:
        path: Where they were read.
        xyz: Metres, axes of the camera (x right, y down, z forward); NaN where absent.
        keypoints_px: The same joints in pixels, if the file has them.
        frame: Number of each row in the video, rising.
        joints: Names along the joint axis.
        takes: What tells the takes apart: identities, or names of cameras.
        kind: Which of the two.
        fps: Frames a second; 0 where the file does not say.
    """

    path: Path
    xyz: Float32[np.ndarray, "takes frames joints 3"]
    keypoints_px: Float32[np.ndarray, "takes frames joints 2"] | None
    frame: Int64[np.ndarray, " frames"]
    joints: tuple[str, ...]
    takes: tuple[str, ...]
    kind: Literal["person", "camera"]
    fps: float

    def __post_init__(self) -> None:
        shape = (len(self.takes), len(self.frame), len(self.joints))
        if self.xyz.shape != (*shape, 3):
            raise ValueError(f"xyz is {self.xyz.shape}, needs {(*shape, 3)}")
        if self.keypoints_px is not None and self.keypoints_px.shape != (*shape, 2):
            raise ValueError(f"keypoints_px is {self.keypoints_px.shape}, needs {(*shape, 2)}")
        if np.any(np.diff(self.frame) <= 0):
            raise ValueError("frame numbers must rise")


def read_joints(path: Path) -> Joints3D:
    """Read an npz that holds `xyz_camera`.

    `joint_names` may be missing where there are 17 joints (H36M17 order then), `frame` where row
    number and frame number are the same. `cameras` or `person_id` name the takes.

    Raises:
        InputError: No such file, a damaged one, or one whose arrays do not fit.
    """
    arrays = _load(path)
    if "xyz_camera" not in arrays:
        raise InputError(f"{path}: no array `xyz_camera` here; found {', '.join(sorted(arrays))}")
    xyz = arrays["xyz_camera"].astype(np.float32)
    pixels = arrays.get("keypoints_px")
    if xyz.ndim == 3:  # one person, one camera
        xyz, pixels = xyz[None], None if pixels is None else pixels[None]
    if xyz.ndim != 4:
        raise InputError(f"{path}: xyz_camera is {xyz.shape}; expected (takes, frames, joints, 3)")
    kind: Literal["person", "camera"] = "camera" if "cameras" in arrays else "person"
    labels = arrays.get("cameras", arrays.get("person_id", np.arange(len(xyz))))
    frame = arrays.get("frame", np.arange(xyz.shape[1]))
    try:
        return Joints3D(
            path=path,
            xyz=xyz,
            keypoints_px=None if pixels is None else pixels.astype(np.float32),
            frame=frame.astype(np.int64),
            joints=_joint_names(path, arrays, xyz.shape[2]),
            takes=tuple(str(label) for label in np.atleast_1d(labels)),
            kind=kind,
            fps=_fps(arrays),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: arrays that do not fit: {error}") from error


def pick_camera(truth: Joints3D, camera: str | None) -> Joints3D:
    """Return one camera's take of `truth`; a file without cameras is returned whole.

    Args:
        truth: From `read_joints`.
        camera: Name or number (from 0) of a camera; may be None where there is one only.

    Raises:
        InputError: No such camera, or several and none chosen.
    """
    if truth.kind == "person":
        if camera is not None:
            raise InputError(f"{truth.path}: names no cameras, so leave out --camera {camera}")
        return truth
    names = ", ".join(truth.takes)
    if camera is None and len(truth.takes) > 1:
        raise InputError(f"{truth.path}: seen by several cameras ({names}); choose with --camera")
    wanted = truth.takes[0] if camera is None else camera
    numbers = [str(number) for number in range(len(truth.takes))]
    for known in (truth.takes, numbers):
        if wanted in known:
            return take(truth, known.index(wanted))
    raise InputError(f"{truth.path}: no camera {wanted!r}; it has {names}")


def take(joints: Joints3D, number: int) -> Joints3D:
    """Return `joints` with one take alone."""
    pixels = joints.keypoints_px
    return replace(
        joints,
        xyz=joints.xyz[number : number + 1],
        keypoints_px=None if pixels is None else pixels[number : number + 1],
        takes=joints.takes[number : number + 1],
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: a single array; expected an npz with `xyz_camera`")
        with file:
            return {key: file[key] for key in file.files}
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a readable .npz file; damaged or of another kind") from error


def _joint_names(path: Path, arrays: Mapping[str, np.ndarray], n_joints: int) -> tuple[str, ...]:
    if "joint_names" in arrays:
        return tuple(str(name) for name in arrays["joint_names"])
    if n_joints == len(H36M17.joints):
        return H36M17.joints
    raise InputError(f"{path}: {n_joints} joints and no `joint_names`; which joints are they?")


def _fps(arrays: Mapping[str, np.ndarray]) -> float:
    if "fps" in arrays:
        return float(arrays["fps"])
    try:
        return float(json.loads(str(arrays["meta"][()]))["fps"])
    except (KeyError, TypeError, ValueError):
        return 0.0
