"""Files of 2D keypoints: our own, and those of other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import read_arrays, write_arrays
from pose3d_cli.files.keypoint_json import read_keypoint_json, read_openpose_folder
from pose3d_cli.files.keypoint_people import people_over_time, skeleton_of
from pose3d_cli.pose.types import Keypoints2D

FORMAT = "pose3d-keypoints/1"

# One row a person and frame, everybody below one another.
_ARRAYS = ("xy", "score", "frame", "time_s", "person_id", "joint_names")
_NUMBERS = ("xy", "score", "frame", "time_s", "person_id")


def write_keypoints(path: Path, people: Sequence[Keypoints2D], meta: Mapping[str, object]) -> None:
    """Write everybody's keypoints as one `.npz` of ours, whole or not at all.

    Args:
        path: The file.
        people: At least one person; all of one clip and one skeleton, each with its own identity.
        meta: What else to record, as JSON holds it; for instance the detector's name.

    Raises:
        OutputError: A folder or disk that cannot be written.
        ValueError: Nobody, or people of different clips.
    """
    clips = {(p.fps, p.image_size, p.skeleton.name) for p in people}
    if len(clips) != 1 or len({p.person for p in people}) != len(people):
        raise ValueError("people must be at least one, of one clip, and each another person")
    fps, image_size, skeleton = clips.pop()
    arrays = {
        "xy": np.concatenate([p.xy for p in people]),
        "score": np.concatenate([p.score for p in people]),
        "frame": np.concatenate([p.frames for p in people]),
        "time_s": np.concatenate([p.time_s for p in people]),
        "person_id": np.concatenate([np.full(len(p), p.person, np.int64) for p in people]),
        "joint_names": np.array(people[0].skeleton.joints),
    }
    record = {
        **meta,
        "format": FORMAT,
        "units": "pixels, x right, y down, from the top-left corner of the upright picture",
        "skeleton": skeleton,
        "fps": fps,
        "image_size": list(image_size),
    }
    write_arrays(path, arrays, record)


def read_keypoints(
    path: Path,
    *,
    fps: float | None = None,
    image_size: tuple[int, int] | None = None,
    skeleton: str | None = None,
) -> list[Keypoints2D]:
    """Return the people of a keypoint file, one `Keypoints2D` each.

    Known are our own `.npz`, COCO, MMPose and AlphaPose JSON, and a folder of OpenPose JSON. No
    file is ever unpickled.

    Args:
        path: File or folder.
        fps: Frames a second, for files that lack it; ours has it and keeps its own times.
        image_size: Width and height of the pictures, for files that lack it; must agree with
            those that have it.
        skeleton: Name of the joints' order; by default the file or the number of joints says it.

    Raises:
        InputError: A file that is missing, damaged, empty, of an unknown kind or joint count, or
            that lacks a rate or size which was not given either.
        UnknownNameError: No skeleton has that name.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() == ".npz":
        return _read_ours(path, image_size, skeleton)
    sightings = read_openpose_folder(path) if path.is_dir() else read_keypoint_json(path)
    size = _agreed_size(path, sightings.image_size, image_size)
    if fps is None or size is None:
        lacking = "frame rate" if fps is None else "picture's size"
        raise InputError(
            f"{path}: does not say the {lacking}; the video must: "
            "`pose3d lift VIDEO --from-2d KEYPOINTS`"
        )
    if not 0 < fps < math.inf:
        raise InputError(f"{path}: read with {fps:g} frames a second; the rate must be above 0")
    return people_over_time(path, sightings.found, fps=fps, image_size=size, skeleton=skeleton)


def _agreed_size(
    path: Path, found: tuple[int, int] | None, given: tuple[int, int] | None
) -> tuple[int, int] | None:
    if found and given and found != given:
        raise InputError(
            f"{path}: keypoints of a picture of {found[0]}x{found[1]}, but the picture is "
            f"{given[0]}x{given[1]}; they belong to another video"
        )
    return found or given


def _read_ours(
    path: Path, image_size: tuple[int, int] | None, skeleton: str | None
) -> list[Keypoints2D]:
    arrays, meta = read_arrays(path, file_format=FORMAT, keys=_ARRAYS)
    try:
        name, fps = str(meta["skeleton"]), float(meta["fps"])
        width, height = (int(n) for n in meta["image_size"])
        if not (0 < fps < math.inf and width > 0 and height > 0):
            raise ValueError(f"{fps:g} frames a second of {width}x{height}")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {FORMAT} with a damaged record: {error}") from error
    size = (width, height)
    _agreed_size(path, size, image_size)
    if skeleton not in (None, name):
        raise InputError(f"{path}: keypoints are {name}, not {skeleton}")
    bones = skeleton_of(path, len(arrays["joint_names"]), name)
    if tuple(arrays["joint_names"]) != bones.joints:
        raise InputError(f"{path}: joints in another order than {name} has; written by hand?")
    if not len(arrays["xy"]):
        raise InputError(f"{path}: holds no person")
    _check_numbers(path, arrays)
    clip = {"fps": fps, "image_size": size, "skeleton": bones}
    try:
        people = [
            _one_person(arrays, person, clip) for person in dict.fromkeys(arrays["person_id"])
        ]
    except (IndexError, ValueError) as error:
        raise InputError(f"{path}: {FORMAT} whose parts do not fit: {error}") from error
    if not any((person.score > 0).any() for person in people):
        raise InputError(f"{path}: holds no person with a keypoint")
    return people


def _check_numbers(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse words for numbers, times that are none, and parts of frames or people."""
    for name in _NUMBERS:
        if arrays[name].dtype.kind not in "iuf":
            raise InputError(f"{path}: {name} holds no numbers ({arrays[name].dtype})")
    if not np.isfinite(arrays["time_s"]).all():
        raise InputError(f"{path}: time_s holds times that are no numbers; every row needs one")
    for name in ("frame", "person_id"):
        if not (np.isfinite(arrays[name]) & (arrays[name] % 1 == 0)).all():
            raise InputError(f"{path}: {name} must be whole numbers")


def _one_person(
    arrays: Mapping[str, np.ndarray], person: np.int64, clip: dict[str, Any]
) -> Keypoints2D:
    rows = arrays["person_id"] == person
    xy = arrays["xy"][rows].astype(np.float32)
    score = arrays["score"][rows].astype(np.float32)
    # A position that is no number was not seen, whatever its score says.
    is_seen = np.isfinite(xy).all(-1) & np.isfinite(score)
    return Keypoints2D(
        xy=np.where(is_seen[..., None], xy, np.nan),
        score=np.where(is_seen, np.clip(score, 0, 1), 0).astype(np.float32),
        frames=arrays["frame"][rows].astype(np.int64),
        time_s=arrays["time_s"][rows].astype(np.float64),
        person=int(person),
        **clip,
    )
