"""Keypoints as other programs write them: COCO and MMPose JSON, AlphaPose JSON, OpenPose folders.

Each reader gives `Sighting`s: one person in one picture. Who is who over time is not its matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import InputError

_LAST_FRAME = 2**31


@dataclass(frozen=True, kw_only=True, eq=False)
class Sighting:
    """One person in one picture.

    Attributes:
        frame: Number of the picture.
        xy: Pixels; NaN where unseen.
        score: Confidence in [0, 1]; 0 where unseen.
        person: Identity as the file gives it; None if it gives none.
    """

    frame: int
    xy: Float32[np.ndarray, "joints 2"]
    score: Float32[np.ndarray, " joints"]
    person: int | None


@dataclass(frozen=True, kw_only=True)
class Sightings:
    """What a file holds.

    Attributes:
        found: Everybody in every picture.
        image_size: Width and height of the pictures, if the file says them.
    """

    found: list[Sighting] = field(default_factory=list)
    image_size: tuple[int, int] | None = None


def read_openpose_folder(path: Path) -> Sightings:
    """Return the people of a folder of OpenPose's `NAME_000000000000_keypoints.json` files.

    Raises:
        InputError: A folder without such files, or one that is damaged.
    """
    files = {
        int(match[1]): file
        for file in sorted(path.glob("*_keypoints.json"))
        if (match := re.search(r"(\d+)_keypoints\.json$", file.name))
    }
    if not files:
        raise InputError(f"{path}: no file NAME_000000000000_keypoints.json, as OpenPose writes")
    shift = _shift(list(files))
    found = []
    for number, file in files.items():
        record = read_json(file)
        if not isinstance(record, dict) or not isinstance(record.get("people"), list):
            raise InputError(f"{file}: no list `people`; not written by OpenPose?")
        for person in record["people"]:
            if not isinstance(person, dict) or "pose_keypoints_2d" not in person:
                raise InputError(f"{file}: a person without `pose_keypoints_2d`")
            points = person["pose_keypoints_2d"]
            found.append(_sighting(file, number - shift, points, None, _identity(person)))
    return Sightings(found=found)


def read_keypoint_json(path: Path) -> Sightings:
    """Return the people of a COCO, MMPose or AlphaPose file.

    Raises:
        InputError: A file that is no JSON, or JSON of another kind.
    """
    record = read_json(path)
    if isinstance(record, dict):
        if isinstance(record.get("instance_info"), list):
            return _mmpose_frames(path, record["instance_info"])
        if isinstance(record.get("annotations"), list) and isinstance(record.get("images"), list):
            return _coco_annotations(path, record["images"], record["annotations"])
        if "people" in record:
            raise InputError(f"{path}: one picture of OpenPose; give the folder that holds them")
    if isinstance(record, list) and all(isinstance(entry, dict) for entry in record):
        if all("instances" in entry for entry in record):
            return _mmpose_frames(path, record)
        if all("keypoints" in entry for entry in record):
            return Sightings(found=list(_people_list(path, record)))
    raise InputError(
        f"{path}: keypoints of no known kind; known: our .npz, COCO, MMPose and AlphaPose JSON, "
        "a folder of OpenPose JSON"
    )


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        InputError: A file that is missing or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not readable as JSON: {error}") from error


def _mmpose_frames(path: Path, frames: list[Any]) -> Sightings:
    """Read MMPose's list of pictures, which has an entry for empty ones too."""
    if not all(isinstance(f, dict) and isinstance(f.get("instances"), list) for f in frames):
        raise InputError(f"{path}: a picture without a list `instances`; not written by MMPose?")
    numbers = [frame.get("frame_id", row) for row, frame in enumerate(frames)]
    if not all(isinstance(number, int) for number in numbers):
        raise InputError(f"{path}: a `frame_id` that is no whole number")
    shift = _shift(numbers)
    found = []
    for number, frame in zip(numbers, frames, strict=True):
        for person in frame["instances"]:
            if not isinstance(person, dict):
                raise InputError(f"{path}: frame {number}: an instance that is no record")
            points, scores = person.get("keypoints"), person.get("keypoint_scores")
            found.append(_sighting(path, number - shift, points, scores, _identity(person)))
    return Sightings(found=found)


def _coco_annotations(path: Path, images: list[Any], people: list[Any]) -> Sightings:
    """Read a COCO data set, which lists pictures and people apart."""
    try:
        frame_of = _coco_frames(images)
        sizes = {(int(i["width"]), int(i["height"])) for i in images if "width" in i}
        people = [person for person in people if "keypoints" in person]
        flags = {flag for person in people for flag in person["keypoints"][2::3]}
        frames = [frame_of[person["image_id"]] for person in people]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a COCO data set with a missing or odd entry: {error}") from error
    if len(sizes) > 1:
        raise InputError(f"{path}: pictures of {len(sizes)} sizes; a clip has one")
    # By hand COCO is labelled 0 nothing, 1 hidden, 2 visible: then 2 is full confidence.
    full = 2.0 if 2 in flags and flags <= {0, 1, 2} else 1.0
    found = [
        _sighting(path, frame, person["keypoints"], None, _identity(person), full)
        for frame, person in zip(frames, people, strict=True)
    ]
    return Sightings(found=found, image_size=next(iter(sizes), None))


def _coco_frames(images: list[Any]) -> dict[Any, int]:
    """Return the frame of each picture's id: the digits of its file name, else the id."""
    ids = [image["id"] for image in images]
    digits = [_digits(str(image.get("file_name", ""))) for image in images]
    named = [number for number in digits if number is not None]
    numbers = named if len(set(named)) == len(ids) else [int(i) for i in ids]
    shift = _shift(numbers)
    return {i: number - shift for i, number in zip(ids, numbers, strict=True)}


def _people_list(path: Path, people: list[Any]) -> Iterator[Sighting]:
    """Read a list of people, each with its picture: COCO results, AlphaPose, one MMPose picture."""
    for person in people:
        picture = person.get("image_id", 0)
        frame = picture if isinstance(picture, int) else _digits(str(picture))
        if frame is None:
            raise InputError(f"{path}: `image_id` {picture!r} holds no frame number")
        points, scores = person["keypoints"], person.get("keypoint_scores")
        yield _sighting(path, frame, points, scores, _identity(person))


def _shift(numbers: list[int]) -> int:
    """Return 1 if pictures are counted from 1, else 0."""
    return int(min(numbers, default=0) == 1)


def _digits(name: str) -> int | None:
    """Return the last number in a file name, `12` for `cam1/frame_0012.png`."""
    groups = re.findall(r"\d+", Path(name).stem)
    return int(groups[-1]) if groups else None


def _identity(person: Any) -> int | None:
    """Return who it is: `track_id` of MMPose, `idx` of AlphaPose, `person_id` of OpenPose."""
    for key in ("track_id", "idx", "person_id"):
        value = person.get(key)
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        # -1 is what trackers write for nobody in particular.
        if isinstance(value, int | float) and value >= 0 and float(value).is_integer():
            return int(value)
    return None


def _sighting(
    where: Path, frame: int, points: object, scores: object, person: int | None, full: float = 1.0
) -> Sighting:
    """Make a sighting of x, y, score in a row, or of points and scores apart."""
    if not 0 <= frame <= _LAST_FRAME:
        raise InputError(f"{where}: {frame} is no frame number")
    try:
        values = np.array(points, np.float64)
        if values.ndim not in (1, 2):
            raise ValueError(f"shape {values.shape}")
        if values.ndim == 1:
            values = values.reshape(-1, 3)
        if scores is not None or values.shape[-1] == 2:
            sure = np.ones(len(values)) if scores is None else np.array(scores, np.float64)
            values = np.concatenate([values.reshape(-1, 2), sure.reshape(-1, 1)], 1)
        if values.shape[1:] != (3,):
            raise ValueError(f"shape {values.shape}")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where}: frame {frame}: keypoints must be x, y, score for each joint ({error}); "
            "2D keypoints are needed, in pixels"
        ) from error
    score = np.clip(values[:, 2] / full, 0, 1)
    is_seen = np.isfinite(values).all(1) & (score > 0)
    return Sighting(
        frame=frame,
        xy=np.where(is_seen[:, None], values[:, :2], np.nan).astype(np.float32),
        score=np.where(is_seen, score, 0).astype(np.float32),
        person=person,
    )
