"""What a file of ours holds, in plain values: `pose3d info`."""

from __future__ import annotations

import json
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.camera_file import read_camera
from pose3d_cli.files.joints3d import read_joints
from pose3d_cli.files.keypoints import FORMAT as KEYPOINTS
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.mocap_pack import INDEX
from pose3d_cli.files.results import FORMATS as RESULTS
from pose3d_cli.files.results import read_result
from pose3d_cli.files.tables import COLUMNS
from pose3d_cli.files.video import open_video
from pose3d_cli.lift.about import describe, sha256
from pose3d_cli.pipeline.info_pack import describe_pack
from pose3d_cli.pipeline.provenance import part_folders
from pose3d_cli.pipeline.walk import VIDEO_SUFFIXES
from pose3d_cli.pose.camera import camera_record
from pose3d_cli.pose.types import Keypoints2D

About = dict[str, Any]
LoadCheckpoint = Callable[[Path], Mapping[str, Any]]


def describe_file(path: Path, *, load_checkpoint: LoadCheckpoint | None = None) -> About:
    """Return what `path` is and holds; `kind` says the first in words.

    Args:
        path: A file or folder that this program writes or reads.
        load_checkpoint: Reads a training checkpoint, which only the training code can.

    Raises:
        InputError: No such file, one of an unknown kind, or a damaged one.
        WeightsError: Damaged weights.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    suffix = path.suffix.lower()
    if path.is_dir():
        about = _folder(path)
    elif suffix == ".pt" and load_checkpoint is not None:
        about = _checkpoint(load_checkpoint(path))
    elif suffix in VIDEO_SUFFIXES:
        about = _video(path)
    elif suffix in _READERS:
        about = _READERS[suffix](path)
    else:
        raise InputError(
            f"{path}: no kind of file that pose3d knows; it knows .pt, videos, folders of packed "
            f"motion and {', '.join(_READERS)}"
        )
    return {"path": str(path), **about}


def _folder(path: Path) -> About:
    if (path / INDEX).is_file():
        return describe_pack(path)
    if (path / "run.json").is_file():
        return _json(path / "run.json")
    if parts := part_folders(path):
        return _unfinished(parts)
    raise InputError(f"{path}: neither packed motion (no {INDEX}) nor results (no run.json)")


def _unfinished(parts: list[Path]) -> About:
    """Tell of a long clip's results before its run has come to the end."""
    return {
        "kind": "results of a run that goes on or was stopped: no run.json yet",
        "parts": {part.name: sorted(file.name for file in part.glob("[!.]*")) for part in parts},
    }


def _npz(path: Path) -> About:
    found = _format(path)
    if found == KEYPOINTS:
        return _keypoints(path)
    return _result(path) if found in RESULTS else _truth(path)


def _format(path: Path) -> str:
    """Return the `format` of an npz file's record, or nothing."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(json.loads(str(file["meta"][()]))["format"])
    except (KeyError, TypeError, AttributeError):
        return ""
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a readable .npz file; damaged or of another kind") from error


def _result(path: Path) -> About:
    result = read_result(path)
    people = {
        str(person.person): f"in {len(person.rows)} of {len(result.frame)} frames"
        for person in result.people
    }
    return {
        "kind": "result: 3D joints of everybody in a clip",
        "people": people,
        "frames": len(result.frame),
        "seconds": _span_s(result.time_s),
        "joints": list(result.joint_names),
        **result.meta,
    }


def _keypoints(path: Path) -> About:
    people = read_keypoints(path)
    return {"kind": "2D keypoints", **_common(people[0]), "people": _people(people)}


def _common(person: Keypoints2D) -> About:
    return {
        "skeleton": person.skeleton.name,
        "fps": person.fps,
        "image_size": list(person.image_size),
    }


def _people(people: list[Keypoints2D]) -> dict[str, str]:
    return {
        str(p.person): f"{len(p)} frames, {p.frames[0]} to {p.frames[-1]}, mean score "
        f"{float(np.mean(p.score)):.2f}"
        for p in people
    }


def _truth(path: Path) -> About:
    joints = read_joints(path)
    return {
        "kind": f"3D joints to measure against, by {joints.kind}",
        joints.kind: list(joints.takes),
        "frames": len(joints.frame),
        "fps": joints.fps or None,
        "joints": list(joints.joints),
    }


def _weights(path: Path) -> About:
    about = asdict(describe(path))
    more = about.pop("more")
    size = path.stat().st_size
    return {"kind": "weights", "bytes": size, "sha256": sha256(path), **about, **more}


def _checkpoint(state: Mapping[str, Any]) -> About:
    return {
        "kind": "training checkpoint",
        "step": state["step"],
        "losses": dict(state["smooth"]),
        "settings": dict(state["settings"]),
    }


def _json(path: Path) -> About:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable JSON: {error}") from error
    if isinstance(record, dict) and str(record.get("format")).startswith("pose3d-run/"):
        return {"kind": "record of a run of `pose3d lift`", **record}
    raise InputError(
        f"{path}: JSON that pose3d did not write; keypoints of other programs go to --from-2d"
    )


def _video(path: Path) -> About:
    with open_video(path) as video:
        return {
            "kind": "video",
            "size_px": list(video.size_px),
            "fps": video.fps,
            "frames_in_header": video.n_frames_hint,
            "warnings": video.warnings,
        }


def _csv(path: Path) -> About:
    with path.open(encoding="utf-8", errors="replace") as file:
        head = next(iter(islice(file, 1)), "").strip()
        if head != ",".join(COLUMNS):
            raise InputError(f"{path}: a table that pose3d did not write")
        return {
            "kind": "table: one row a joint, person and frame",
            "rows": sum(1 for _ in file),
            "columns": list(COLUMNS),
        }


def _toml(path: Path) -> About:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable TOML file: {error}") from error
    if isinstance(values.get("run"), list):
        names = [str(run.get("name")) for run in values["run"] if isinstance(run, dict)]
        return {"kind": "recipe for train --recipe", "runs": names}
    if "matrix" not in values:
        return {"kind": "settings for --config", "settings": values}
    told = values.get("image_size")  # looked at by `read_camera`
    size = tuple(told) if isinstance(told, list) else _size_of(path, values["matrix"])
    return {"kind": "camera for --intrinsics", **camera_record(read_camera(path, size))}


def _size_of(path: Path, matrix: Any) -> tuple[int, int]:
    """Guess the size of a camera's picture: the principal point is near its middle."""
    try:
        return round(2 * matrix[0][2]), round(2 * matrix[1][2])
    except (TypeError, IndexError) as error:
        raise InputError(f"{path}: `matrix` must be 3 rows of 3 numbers") from error


def _span_s(time_s: np.ndarray) -> float:
    return round(float(time_s[-1] - time_s[0]), 3) if len(time_s) else 0.0


def _png(path: Path) -> About:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: not a readable picture; damaged or of another kind")
    height, width = image.shape[:2]
    return {"kind": "pictures of a clip, or of an evaluation", "size": f"{width}x{height}"}


_READERS: dict[str, Callable[[Path], About]] = {
    ".npz": _npz,
    ".safetensors": _weights,
    ".json": _json,
    ".csv": _csv,
    ".toml": _toml,
    ".png": _png,
}
