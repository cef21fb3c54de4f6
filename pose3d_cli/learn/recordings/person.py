"""Whose keypoints they are, of all people in a file: who is where the truth says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.learn.recordings.clock import times_of, truth_at
from pose3d_cli.learn.recordings.truth import Truth
from pose3d_cli.pose.camera import Camera, camera_to_pixels
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_FAR = 0.5
"""Keypoints whose usual distance from the truth is this share of the person's size are others'."""

_SWAPPED = 0.5
"""Left and right are exchanged if that brings keypoints so much nearer to the truth."""


def pick_person(
    path: Path,
    people: Sequence[Keypoints2D],
    truth: Truth,
    camera: Camera | None,
    *,
    wanted: int | None,
    offset_s: float,
) -> tuple[Keypoints2D, tuple[str, ...]]:
    """Return the keypoints of the person whose truth it is, and notes on how they were told.

    Where the truth can be seen in the picture, that is who is nearest to it; elsewhere who is
    there longest.

    Args:
        path: File of the keypoints, for messages.
        people: Everybody in it.
        truth: One person's.
        camera: Of the video, if known.
        wanted: Identity of the person, if the user says it.
        offset_s: Added to the truth's times.

    Raises:
        InputError: Nobody of that identity; or nobody is near the truth, so that the two do not
            belong together, or the calibration is not what it should be.
    """
    by_id = {person.person: person for person in people}
    if wanted is not None and wanted not in by_id:
        known = ", ".join(str(person) for person in by_id)
        raise InputError(f"{path}: no person {wanted} as its settings say; it holds {known}")
    asked = list(people) if wanted is None else [by_id[wanted]]
    if camera is None or truth.reference != "camera":
        longest = max(asked, key=len)
        told = f"{path}: of {len(asked)} people person {longest.person}, who is there longest"
        return longest, (told,) if len(asked) > 1 else ()
    apart = [_apart(person, truth, camera, offset_s) for person in asked]
    nearness = [float(np.clip(1 - values[:, 0], 0, None).sum()) for values in apart]
    best = int(np.argmax(nearness))
    _check_near(path, truth, apart[best])
    told = f"{path}: of {len(asked)} people person {asked[best].person}, nearest to the truth"
    notes = ((told,) if len(asked) > 1 else ()) + _side_note(path, truth, apart[best])
    return asked[best], notes


def _check_near(path: Path, truth: Truth, apart: Float64[np.ndarray, "frames 3"]) -> None:
    if not len(apart) or np.median(apart[:, 0]) <= _FAR:
        return
    off, high = np.median(apart[:, 0] * apart[:, 1]), np.median(apart[:, 1])
    placed = "" if truth.path.suffix.lower() == ".npz" else ", rotation, translation and truth_axes"
    raise InputError(
        f"{path}: {off:.0f} px from where {truth.path.name} is in the picture, of a person "
        f"{high:.0f} px high. Is it the same person, do both start together (offset_s), and is "
        f"the camera right (matrix or fov{placed})?"
    )


def _side_note(path: Path, truth: Truth, apart: Float64[np.ndarray, "frames 3"]) -> tuple[str, ...]:
    """Return a note where left and right are exchanged between keypoints and truth.

    No error, since a detector may see a back for a front; that is for the figures to tell.
    """
    if not len(apart) or np.median(apart[:, 2]) > _SWAPPED * np.median(apart[:, 0]):
        return ()
    return (
        f"{path}: lies nearer to {truth.path.name} with left and right exchanged; is one of them "
        "named the wrong way round, or mirrored?",
    )


def _apart(
    person: Keypoints2D, truth: Truth, camera: Camera, offset_s: float
) -> Float64[np.ndarray, "frames 3"]:
    """Return how far keypoints usually are from the truth, in the frames in which both are known.

    As a share of the truth's size in the picture; that size in pixels; and the first again, with
    left and right exchanged.
    """
    keypoints = convert(person, H36M17)
    xyz, _ = truth_at(truth, times_of(truth, keypoints, offset_s), keypoints.time_s)
    expected: Float32[np.ndarray, "frames 17 2"] = camera_to_pixels(xyz, camera)
    off = _distance(keypoints.xy, expected)
    swapped = _distance(keypoints.xy[:, H36M17.mirror], expected)
    size = _size(expected)
    rows = np.isfinite(off).any(1) & np.isfinite(swapped).any(1) & (size > 0)
    straight, crossed = (np.nanmedian(part[rows], axis=1) for part in (off, swapped))
    return np.stack([straight / size[rows], size[rows], crossed / size[rows]], 1)


def _distance(
    xy: Float32[np.ndarray, "frames 17 2"], expected: Float32[np.ndarray, "frames 17 2"]
) -> Float64[np.ndarray, "frames 17"]:
    return np.linalg.norm(xy.astype(np.float64) - expected, axis=-1)


def _size(xy: Float32[np.ndarray, "frames 17 2"]) -> Float64[np.ndarray, " frames"]:
    """Return the larger side of the joints in the picture, 0 where none is known."""
    known = np.isfinite(xy).all(-1, keepdims=True)
    high = np.where(known, xy, -np.inf).max(1)
    low = np.where(known, xy, np.inf).min(1)
    return np.where(known.any((1, 2)), (high - low).max(1), 0).astype(np.float64)
