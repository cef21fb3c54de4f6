"""Any file of a user's 3D truth as h36m17 joints, in camera axes where it is known how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.files.c3d import read_c3d
from pose3d_cli.files.joint_table import read_joint_table
from pose3d_cli.files.joints3d import Joints3D, read_joints, take
from pose3d_cli.files.marker_table import Axes, MarkerTable
from pose3d_cli.files.take_file import TakeFile
from pose3d_cli.files.trc import read_trc
from pose3d_cli.learn.recognise import extent, length_unit
from pose3d_cli.pose.align import HIPS
from pose3d_cli.pose.marker_names import find_joints
from pose3d_cli.pose.skeleton import H36M17

_READERS: Mapping[str, Callable[[Path], MarkerTable]] = {
    ".trc": read_trc,
    ".c3d": read_c3d,
    ".csv": read_joint_table,
}
_FEWEST_JOINTS = 3
_PELVIS = H36M17.index("pelvis")
_HIPS = [H36M17.index(hip) for hip in HIPS]
_AT_ORIGIN_M = 1e-4
_SHOWN = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Where a person's joints are.

    Attributes:
        path: The file.
        xyz: Metres, h36m17; NaN where unknown.
        reference: Frame of reference of `xyz`; `world` is right-handed.
        axes: Of `world`: which axis is up, if that is known.
        time_s: Time of each row in seconds, rising; None where rows have frame numbers only.
        frame: Number of the video frame of each row, rising; None where rows have times.
        fps: Frames a second of what `frame` counts; 0 where the file does not say.
        notes: What a reader of figures should know.
    """

    path: Path
    xyz: Float32[np.ndarray, "rows 17 3"]
    reference: Literal["camera", "root", "world"]
    axes: Axes = "as given"
    time_s: Float64[np.ndarray, " rows"] | None = None
    frame: Int64[np.ndarray, " rows"] | None = None
    fps: float = 0.0
    notes: tuple[str, ...] = ()


def read_truth(path: Path, cameras: Sequence[str], *, is_shared: bool) -> Truth:
    """Read a truth.

    Args:
        path: `.npz` (`xyz_camera`), `.trc`, `.c3d` or `.csv`.
        cameras: Names that the take's camera may go by, likeliest first.
        is_shared: Whether the file is the truth of several views.

    Raises:
        InputError: A file that is missing, damaged or of other contents, that has too few joints
            of ours, or whose person is of no human size.
        MissingExtraError: A C3D, and the package that reads it is not installed.
    """
    if path.suffix.lower() == ".npz":
        return _from_npz(path, cameras, is_shared=is_shared)
    table = _READERS[path.suffix.lower()](path)
    xyz, notes = _joints17(path, table.xyz, table.names)
    _check_size(path, xyz, table.metres, table.unit)
    return Truth(
        path=path,
        xyz=xyz,
        reference="world",
        axes=table.axes,
        time_s=table.time_s,
        frame=table.frame,
        notes=(*table.notes, *notes),
    )


def seen_by_camera(truth: Truth, settings: TakeFile) -> Truth:
    """Return a truth in camera axes, if where the camera stands is known; else Z up, if it can.

    Args:
        truth: One in camera axes stays as it is.
        settings: `rotation`, `translation` and `truth_axes`.
    """
    if truth.reference != "world":
        return truth
    if settings.rotation is not None and settings.translation is not None:
        turn = settings.rotation @ settings.truth_axes
        xyz = truth.xyz.astype(np.float64) @ turn.T + settings.translation
        return replace(truth, xyz=xyz.astype(np.float32), reference="camera")
    note = (
        f"{truth.path}: where the camera stands is not said (rotation and translation), so answers "
        "are turned to the truth, one rotation for the whole clip: rely on P-MPJPE only"
    )
    return replace(truth, xyz=_z_up(truth), axes="z up", notes=(*truth.notes, note))


def _z_up(truth: Truth) -> Float32[np.ndarray, "rows 17 3"]:
    x, y, z = np.moveaxis(truth.xyz, -1, 0)
    return np.stack([x, -z, y], -1) if truth.axes == "y up" else truth.xyz


def _from_npz(path: Path, cameras: Sequence[str], *, is_shared: bool) -> Truth:
    joints = _one_view(read_joints(path), cameras, is_shared=is_shared)
    xyz, notes = _joints17(path, joints.xyz[0], joints.joints)
    _check_size(path, xyz, 1.0, "xyz_camera must be metres")
    return Truth(
        path=path,
        xyz=xyz,
        reference="root" if _is_at_origin(xyz[:, _PELVIS]) else "camera",
        frame=joints.frame,
        fps=joints.fps,
        notes=(*notes, *_result_note(path)),
    )


def _is_at_origin(pelvis: Float32[np.ndarray, "rows 3"]) -> bool:
    return bool(np.nanmax(np.abs(pelvis), initial=0.0) < _AT_ORIGIN_M)


def _result_note(path: Path) -> list[str]:
    with np.load(path, allow_pickle=False) as arrays:
        is_result = "xyz_root" in arrays.files
    note = f"{path}: a result of `pose3d lift`; agreement with it is measured, and not error"
    return [note] if is_result else []


def _one_view(joints: Joints3D, cameras: Sequence[str], *, is_shared: bool) -> Joints3D:
    """Return the take of a file that is seen by the camera, or is of its only person."""
    listed = ", ".join(joints.takes)
    if joints.kind == "camera":
        for camera in cameras:
            if camera in joints.takes:
                return take(joints, joints.takes.index(camera))
        if is_shared or len(joints.takes) > 1:
            raise InputError(
                f"{joints.path}: seen by {listed}, but the take is by {' or '.join(cameras)}"
            )
        return joints
    if is_shared:
        raise InputError(
            f"{joints.path}: names no `cameras`, so it is the truth of one view alone; call it "
            "by that take's whole name"
        )
    if len(joints.takes) != 1:
        raise InputError(f"{joints.path}: holds the people {listed}; a truth is of one person")
    return joints


def _joints17(
    path: Path, xyz: Float[np.ndarray, "rows markers 3"], names: Sequence[str]
) -> tuple[Float32[np.ndarray, "rows 17 3"], tuple[str, ...]]:
    """Return the joints found by their names, and notes on what is not there."""
    try:
        place = find_joints(names)
    except ValueError as error:
        raise InputError(f"{path}: {error}; keep one of them") from error
    lacking = [hip for hip in HIPS if hip not in place]
    if len(place) < _FEWEST_JOINTS or lacking:
        why = f"{' and '.join(lacking)} missing" if lacking else "too few joints"
        raise InputError(
            f"{path}: {why}; poses are laid on the middle of the hips, and need {_FEWEST_JOINTS} "
            f"joints of known names such as left_hip, LHip or LHJC. Its names: {_listed(names)}"
        )
    out = np.full((len(xyz), len(H36M17.joints), 3), np.nan, np.float32)
    for joint, at in place.items():
        out[:, H36M17.index(joint)] = xyz[:, at]
    if "pelvis" not in place:
        out[:, _PELVIS] = out[:, _HIPS].mean(1)
    return out, tuple(
        _notes(path, out, [n for i, n in enumerate(names) if i not in place.values()])
    )


def _notes(path: Path, xyz: Float32[np.ndarray, "rows 17 3"], unused: Sequence[str]) -> list[str]:
    known = np.isfinite(xyz).all(-1).any(0)
    missing = [joint for joint, is_known in zip(H36M17.joints, known, strict=True) if not is_known]
    notes = []
    if missing:
        notes.append(f"{path}: not in it, so not measured: {', '.join(missing)}")
    if unused:
        notes.append(f"{path}: no joints of ours, so not used: {_listed(unused)}")
    return notes


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _check_size(
    path: Path, xyz: Float32[np.ndarray, "rows 17 3"], metres: float, unit: str
) -> None:
    """Refuse a person of no human size: the unit is not the one that is said."""
    known = np.isfinite(xyz).all(-1)
    if not known.any():
        raise InputError(f"{path}: no joint of ours has a position in any frame")
    # Of joints that are mostly there, or else hardly a frame would have all of them.
    poses = xyz[:, known.mean(0) >= known.mean(0).max() / 2].astype(np.float64)
    reach = extent(poses)
    if np.isnan(reach) or length_unit(poses) == "metres":
        return
    looks = length_unit(poses / metres)
    but = f", but the numbers look like {looks}" if looks else ""
    raise InputError(f"{path}: a person who reaches {reach:.3g} m; {unit}{but}")
