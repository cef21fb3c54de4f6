"""P-STMO's npz files of MPI-INF-3DHP, read and looked through for what could be wrong.

Source: P-STMO's and MotionAGFormer's published scripts that write and read these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.object_arrays import read_object_npz
from pose3d_cli.learn.clip import Split
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    as_numbers,
    in_words,
    length_unit,
    looks_normalised,
    looks_root_relative,
    sampled,
    what_is,
)
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17, to_h36m

FILES: Mapping[Split, str] = {"train": "data_train_3dhp.npz", "test": "data_test_3dhp.npz"}
SEQUENCES = ("TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
PELVIS = MPI_INF_3DHP17.index("pelvis")

TEST_FPS = 25.0
"""Not in the file. TS1 to TS4 are as long as the training sequences of 25 frames a second; of TS5
and TS6 nothing is known. It matters only to weights of another rate."""

_STUDIO_PX, _OUTDOORS_PX = (2048, 2048), (1920, 1080)
_NAMES: Mapping[Split, str] = {"train": r"S\d+ Seq\d+", "test": r"TS\d+"}
_OTHER_FORMS = {16: " (PoseAug's form)", 28: " (the raw annotation, of which P-STMO keeps 17)"}
_LOOKED_AT = 400
_NEAREST_MM = 500
_AGREES = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """A sequence in one camera, as its file has it.

    Attributes:
        name: `TS1`, or `S1 Seq1/0` with the camera's number.
        subject: `TS1`, or `S1`.
        take: What it is one view of; "" for itself.
        fps: Frames a second.
        image_size: Width and height in pixels.
        xy: Pixels, joints in 3DHP's order.
        xyz: Millimetres, camera axes.
        is_valid: Which frames are measured.
    """

    name: str
    subject: str
    take: str
    fps: float
    image_size: tuple[int, int]
    xy: Float[np.ndarray, "frames 17 2"]
    xyz: Float[np.ndarray, "frames 17 3"]
    is_valid: Bool[np.ndarray, " frames"]


def examined(path: Path, split: Split) -> tuple[list[Shot], list[str]]:
    """Return what a file holds, and what is wrong with it, a line each.

    Raises:
        InputError: A file that is missing, damaged or of another kind.
    """
    content = read_object_npz(path).get("data")
    if not isinstance(content, Mapping) or not content:
        raise InputError(
            f"{path}: this is {what_is(path)}; expected P-STMO's npz, whose `data` are sequences "
            "TS1 to TS6 (test) or S1 Seq1 and so on (train)"
        )
    if not _has_names_of(split, content):
        kinds = [f"the {other} sequences" for other in FILES if _has_names_of(other, content)]
        kind = kinds[0] if kinds else "sequences of other names"
        names = ", ".join(str(name) for name in list(content)[:3])
        return [], [f"{path}: holds {kind} ({names}, ...); expected those of {FILES[split]}"]
    missing = [name for name in SEQUENCES if name not in content] if split == "test" else []
    findings = [f"{path}: lacks {', '.join(missing)} of the test set"] if missing else []
    shots: list[Shot] = []
    for item in _test_shots(content) if split == "test" else _train_shots(content):
        if isinstance(item, Shot):
            shots.append(item)
            findings += [f"{path}: {item.name}: {fault}" for fault in _faults(item)]
        else:
            findings.append(f"{path}: {item}")
    return shots, findings


def _has_names_of(split: Split, content: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and re.fullmatch(_NAMES[split], name) for name in content)


def _test_shots(content: Mapping[str, Any]) -> Iterator[Shot | str]:
    """Yield each sequence, or what is wrong with its form."""
    for name in sorted(content):
        size = _OUTDOORS_PX if name in ("TS5", "TS6") else _STUDIO_PX
        arrays = _arrays(content[name])
        if isinstance(arrays, str):
            yield f"{name}: {arrays}"
            continue
        valid = np.squeeze(np.asarray(content[name].get("valid")))
        if valid.shape != arrays[0].shape[:1] or not np.isin(valid, (0, 1)).all():
            yield f"{name}: `valid` must be 0 or 1 for each of the {len(arrays[0])} frames"
            continue
        yield Shot(
            name=name, subject=name, take="", fps=TEST_FPS, image_size=size,
            xy=arrays[0], xyz=arrays[1], is_valid=valid == 1,
        )  # fmt: skip


def _train_shots(content: Mapping[str, Any]) -> Iterator[Shot | str]:
    """Yield each sequence in each camera, or what is wrong with its form."""
    for take in sorted(content):
        pair = content[take]
        is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], dict)
        if not is_pair or not isinstance(pair[1], (int, float)) or not 1 <= pair[1] <= 250:
            yield f"{take}: must be a list of cameras and frames a second, is {in_words(pair)}"
            continue
        for camera in sorted(pair[0]):
            arrays = _arrays(pair[0][camera])
            if isinstance(arrays, str):
                yield f"{take}/{camera}: {arrays}"
                continue
            yield Shot(
                name=f"{take}/{camera}", subject=take.split()[0], take=take, fps=float(pair[1]),
                image_size=_STUDIO_PX, xy=arrays[0], xyz=arrays[1],
                is_valid=np.ones(len(arrays[0]), bool),
            )  # fmt: skip


def _arrays(
    shot: Any,
) -> tuple[Float[np.ndarray, "frames 17 2"], Float[np.ndarray, "frames 17 3"]] | str:
    """Return the pixels and the millimetres of a sequence, or what is wrong with their form."""
    if not isinstance(shot, Mapping):
        return f"must hold data_2d and data_3d, is {in_words(shot)}"
    arrays = []
    for key, channels in (("data_2d", 2), ("data_3d", 3)):
        array = as_numbers(shot.get(key))
        if array is None or array.ndim != 3 or not len(array):
            return f"{key} must be an array (frames, 17, {channels}), is {in_words(shot.get(key))}"
        if array.shape[1:] != (17, channels):
            form = _OTHER_FORMS.get(array.shape[1], "")
            return f"{key} is {array.shape}{form}; expected (frames, 17, {channels})"
        arrays.append(array if array.dtype.kind == "f" else array.astype(np.float32))
    if len(arrays[0]) != len(arrays[1]):
        return f"{len(arrays[0])} frames of data_2d, but {len(arrays[1])} of data_3d"
    return arrays[0], arrays[1]


def _faults(shot: Shot) -> list[str]:
    """Return what is wrong with the numbers of frames that are measured."""
    known = np.isfinite(shot.xyz).all((1, 2))
    if not shot.is_valid.any():
        return ["no frame is valid"]
    if not known[shot.is_valid].all():
        return [f"{(~known & shot.is_valid).sum()} valid frames have no whole truth"]
    is_blank = (~np.isfinite(shot.xy) | (shot.xy == 0)).all((1, 2)) & shot.is_valid
    if is_blank.any():
        return [f"{is_blank.sum()} valid frames have no 2D"]
    rows = np.flatnonzero(shot.is_valid)
    rows = rows[sampled(len(rows), _LOOKED_AT)]
    xy, xyz = shot.xy[rows].astype(np.float64), shot.xyz[rows].astype(np.float64)
    fault = _space_fault(xyz)
    if fault:
        return [fault]
    if looks_normalised(xy):
        return ["data_2d are screen coordinates; expected pixels"]
    return _disagreements(xy, xyz, shot.image_size)


def _space_fault(xyz: Float64[np.ndarray, "frames 17 3"]) -> str:
    """Return which of unit, joint order and axes is wrong, "" if none is."""
    unit = length_unit(xyz)
    if unit != "millimetres":
        return f"data_3d is a person in {unit or 'no unit known here'}; expected millimetres"
    if joint_order_fault(to_h36m(xyz, MPI_INF_3DHP17)):
        is_done = not joint_order_fault(xyz)
        order = "are in Human3.6M's order already" if is_done else "are in another order"
        return f"the joints {order}; expected 3DHP's: head top first, the pelvis 15th"
    if looks_root_relative(xyz, PELVIS):
        return "data_3d is relative to the pelvis; expected the camera at the origin"
    if np.median(xyz[:, PELVIS, 2]) < _NEAREST_MM:
        return "data_3d is not in front of the camera; expected camera axes, z forward"
    return ""


def _disagreements(
    xy: Float64[np.ndarray, "frames 17 2"],
    xyz: Float64[np.ndarray, "frames 17 3"],
    image_size: tuple[int, int],
) -> list[str]:
    """Return whether pixels and points are of different people, or of mirrored ones."""
    faults = []
    if ((xy >= 0) & (xy <= np.array(image_size))).all(-1).mean() < 0.5:
        size = f"{image_size[0]}x{image_size[1]}"
        faults.append(f"most of data_2d lies outside of the picture of {size}")
    rays = xyz[..., :2] / xyz[..., 2:]
    for axis, name in enumerate("xy"):
        pixel, ray = (a[..., axis] - a[:, [PELVIS], axis] for a in (xy, rays))
        scale = np.sqrt(np.nansum(pixel**2) * np.nansum(ray**2))
        agreement = float(np.nansum(pixel * ray) / scale) if scale > 0 else 1.0
        if agreement < _AGREES:
            faults.append(
                f"data_2d's {name} is not the projection of data_3d's (correlation "
                f"{agreement:.2f}): other joints, or an axis that runs the other way"
            )
    return faults
