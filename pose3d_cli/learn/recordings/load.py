"""A take's files as a clip: keypoints of the right person, with the truth at each of their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float32, Float64

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.shelf import USUAL
from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.files.take_file import TakeFile, read_take_files
from pose3d_cli.learn.clip import Clip, truth_of
from pose3d_cli.learn.recordings.clock import times_of, truth_at
from pose3d_cli.learn.recordings.find import TakeFiles
from pose3d_cli.learn.recordings.person import pick_person
from pose3d_cli.learn.recordings.seen import (
    Seen,
    every_frame,
    people_of,
    true_camera,
    where_truth_is,
)
from pose3d_cli.learn.recordings.truth import Truth, read_truth, seen_by_camera
from pose3d_cli.pose.align import HIPS
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_HIPS = [H36M17.index(hip) for hip in HIPS]
_FEWEST_JOINTS = 3

T = TypeVar("T")


def load_take(files: TakeFiles, seen: Seen, detector: Detector | None) -> Clip:
    """Read a take, with notes on what a reader of its figures should know.

    Args:
        files: Where it is.
        seen: What a lifter gets to see.
        detector: Looks at the video of a take that has no keypoints.

    Raises:
        InputError: A file that cannot be read, or files that do not belong together; true 2D of a
            camera that is unknown.
        MissingExtraError: A truth that needs a package which is not installed.
        NobodyFoundError: The detector found nobody.
    """
    settings = read_take_files(files.settings)
    truth = _truth(files)
    people = people_of(files, settings, detector if seen == "found" else None)
    return _together(files, settings, people, truth, seen)


def faults_of(files: TakeFiles, seen: Seen) -> list[str]:
    """Return what is wrong with a take, a line each; of files that can be read, how they fit.

    In a video without keypoints nobody is looked for: its frames are read, for their times.
    """
    faults: list[str] = []
    settings = _tried(lambda: read_take_files(files.settings), faults)
    truth = _tried(lambda: _truth(files), faults)
    if settings is None:
        return faults
    people = _tried(lambda: people_of(files, settings, None), faults)
    if people is not None and truth is not None:
        _tried(lambda: _together(files, settings, people, truth, seen), faults)
    return faults


def _truth(files: TakeFiles) -> Truth:
    return read_truth(files.truth, files.cameras, is_shared=bool(files.motion))


def _tried(work: Callable[[], T], faults: list[str]) -> T | None:
    try:
        return work()
    except Pose3DError as error:
        faults.append(str(error))
        return None


def _together(
    files: TakeFiles, settings: TakeFile, people: list[Keypoints2D], truth: Truth, seen: Seen
) -> Clip:
    camera = settings.camera(people[0].image_size)
    truth = seen_by_camera(truth, settings)
    through = true_camera(files, truth, camera) if seen == "true" else None
    notes = list(truth.notes)
    if files.keypoints is None and through is not None:
        keypoints = people[0]  # the frames of the video
    else:
        keypoints, chosen = _picked(files, settings, people, truth, camera)
        notes += chosen if through is None else []
    keypoints = every_frame(files, keypoints)
    times = times_of(truth, keypoints, settings.offset_s)
    xyz, reached = truth_at(truth, times, keypoints.time_s)
    counted = reached & _is_enough(xyz)
    if not counted.any():
        raise InputError(_why_none(files, keypoints, times, reached))
    if through is not None:
        keypoints = where_truth_is(keypoints, xyz, through)
    notes += _notes(files, camera, counted, reached)
    return _clip(files, settings, keypoints, xyz, counted, truth, camera, notes)


def _picked(
    files: TakeFiles,
    settings: TakeFile,
    people: list[Keypoints2D],
    truth: Truth,
    camera: Camera | None,
) -> tuple[Keypoints2D, list[str]]:
    """Return the joints of the person whose truth it is, sides mended, with notes on both."""
    picked, chosen = pick_person(
        files.seen_in,
        people,
        truth,
        camera,
        wanted=settings.person,
        offset_s=settings.offset_s,
    )
    mended, flipped = mend_flips(picked)
    notes = list(chosen)
    if files.keypoints is None:
        folder = files.seen_in.parent
        notes.append(
            f"{files.seen_in}: no keypoints beside it, so {USUAL} looked at it; `pose3d data "
            f"detect {folder} -o {folder}` keeps what it finds"
        )
    if flipped:
        notes.append(f"{files.seen_in}: left and right were changed over in {flipped} frames")
    return convert(mended, H36M17), notes


def _is_enough(xyz: Float32[np.ndarray, "frames 17 3"]) -> Bool[np.ndarray, " frames"]:
    """Return in which frames a pose can be laid on the truth: both hips and one joint more."""
    known = np.isfinite(xyz).all(-1)
    return known[:, _HIPS].all(1) & (known.sum(1) >= _FEWEST_JOINTS)


def _why_none(
    files: TakeFiles,
    keypoints: Keypoints2D,
    times: Float64[np.ndarray, " rows"],
    reached: Bool[np.ndarray, " frames"],
) -> str:
    if reached.any():
        return f"{files.truth}: in no frame that the keypoints have are both hips known"
    seen = f"{keypoints.time_s[0]:.2f} to {keypoints.time_s[-1]:.2f} s"
    return (
        f"{files.truth}: from {times[0]:.2f} to {times[-1]:.2f} s by the video's clock, but the "
        f"keypoints are from {seen}: no frame in common; offset_s in {files.name}.toml shifts it"
    )


def _notes(
    files: TakeFiles,
    camera: Camera | None,
    counted: Bool[np.ndarray, " frames"],
    reached: Bool[np.ndarray, " frames"],
) -> list[str]:
    n_frames = len(counted)
    notes = []
    if camera is None:
        notes.append(f"{files.name}: no calibration, so weights that take rays cannot lift it")
    if not reached.all():
        notes.append(f"{files.truth}: does not reach {(~reached).sum()} of {n_frames} frames")
    if (reached & ~counted).any():
        lost = (reached & ~counted).sum()
        notes.append(f"{files.truth}: without a hip in {lost} of {n_frames} frames; not measured")
    return notes


def _clip(
    files: TakeFiles,
    settings: TakeFile,
    keypoints: Keypoints2D,
    xyz: Float32[np.ndarray, "frames 17 3"],
    counted: Bool[np.ndarray, " frames"],
    truth: Truth,
    camera: Camera | None,
    notes: Sequence[str],
) -> Clip:
    return Clip(
        name=files.name,
        subject=settings.subject,
        action=settings.action,
        keypoints=keypoints,
        truth=truth_of(xyz, keypoints, truth.reference),
        is_counted=counted,
        camera=camera,
        screen_width=float(keypoints.image_size[0]),
        take=files.motion,
        notes=notes,
    )
