"""A take's files as a clip: keypoints of the right person, with the truth at each of their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float32, Float64

from pose3d_cli.errors import InputError, Pose3DError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.take_file import TakeFile, read_take_files
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.clip import Clip
from pose3d_cli.learn.recordings.clock import times_of, truth_at
from pose3d_cli.learn.recordings.find import KEYPOINTS, TakeFiles
from pose3d_cli.learn.recordings.person import pick_person
from pose3d_cli.learn.recordings.truth import Truth, read_truth, seen_by_camera
from pose3d_cli.pose.align import HIPS
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Frame, Keypoints2D, PoseSequence

_HIPS = [H36M17.index(hip) for hip in HIPS]
_FEWEST_JOINTS = 3
_MOST_FRAMES = 2_000_000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A take as a clip, with what a reader of its figures should know."""

    clip: Clip
    notes: tuple[str, ...]


def load_take(files: TakeFiles) -> Loaded:
    """Read a take.

    Raises:
        InputError: A file that cannot be read, or files that do not belong together.
        MissingExtraError: A truth that needs a package which is not installed.
    """
    settings = read_take_files(files.settings)
    people = _people(files, settings)
    truth = read_truth(files.truth, files.cameras, is_shared=bool(files.motion))
    return _together(files, settings, people, truth)


def faults_of(files: TakeFiles) -> list[str]:
    """Return what is wrong with a take, a line each; of files that can be read, how they fit."""
    faults: list[str] = []
    settings = _tried(lambda: read_take_files(files.settings), faults)
    if settings is None:
        return faults + _faults_of_truth(files)
    people = _tried(lambda: _people(files, settings), faults)
    is_shared = bool(files.motion)
    truth = _tried(lambda: read_truth(files.truth, files.cameras, is_shared=is_shared), faults)
    if people is not None and truth is not None:
        _tried(lambda: _together(files, settings, people, truth), faults)
    return faults


def _faults_of_truth(files: TakeFiles) -> list[str]:
    faults: list[str] = []
    is_shared = bool(files.motion)
    _tried(lambda: read_truth(files.truth, files.cameras, is_shared=is_shared), faults)
    return faults


def _tried(work: Callable[[], T], faults: list[str]) -> T | None:
    try:
        return work()
    except Pose3DError as error:
        faults.append(str(error))
        return None


def _people(files: TakeFiles, settings: TakeFile) -> list[Keypoints2D]:
    """Return everybody in the keypoints; the video or the settings say what JSON does not."""
    if files.keypoints.name.endswith(KEYPOINTS):
        return read_keypoints(files.keypoints)
    fps, size = settings.fps, settings.image_size
    if files.video is not None:
        with open_video(files.video) as video:
            fps, size = video.fps, video.size_px
    if fps is None or size is None:
        raise InputError(
            f"{files.keypoints}: does not say its frame rate and picture's size; put the video "
            f"beside it as {files.name}.mp4, or fps and image_size into {files.name}.toml"
        )
    return read_keypoints(files.keypoints, fps=fps, image_size=size)


def _together(
    files: TakeFiles, settings: TakeFile, people: list[Keypoints2D], truth: Truth
) -> Loaded:
    camera = settings.camera(people[0].image_size)
    truth = seen_by_camera(truth, settings)
    picked, chosen = pick_person(
        files.keypoints,
        people,
        truth,
        camera,
        wanted=settings.person,
        offset_s=settings.offset_s,
    )
    mended, flipped = mend_flips(picked)
    keypoints = _every_frame(files, convert(mended, H36M17))
    times = times_of(truth, keypoints, settings.offset_s)
    xyz, reached = truth_at(truth, times, keypoints.time_s)
    counted = reached & _is_enough(xyz)
    if not counted.any():
        raise InputError(_why_none(files, keypoints, times, reached))
    notes = [*truth.notes, *chosen, *_notes(files, camera, counted, reached, flipped)]
    return Loaded(
        clip=_clip(files, settings, keypoints, xyz, counted, truth, camera), notes=tuple(notes)
    )


def _every_frame(files: TakeFiles, keypoints: Keypoints2D) -> Keypoints2D:
    """Return keypoints with a row for each frame from the first to the last.

    So that frames in which the person was not found are among those that should be measured.
    """
    first, last = int(keypoints.frames[0]), int(keypoints.frames[-1])
    if last - first >= _MOST_FRAMES:
        raise InputError(f"{files.keypoints}: frames {first} to {last} are of no single video")
    frames = np.arange(first, last + 1)
    rows = keypoints.frames - frames[0]
    xy = np.full((len(frames), *keypoints.xy.shape[1:]), np.nan, np.float32)
    score = np.zeros(xy.shape[:2], np.float32)
    xy[rows], score[rows] = keypoints.xy, keypoints.score
    time_s = np.interp(frames, keypoints.frames, keypoints.time_s)
    return replace(keypoints, xy=xy, score=score, frames=frames, time_s=time_s)


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
    flipped: int,
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
    if flipped:
        notes.append(f"{files.keypoints}: left and right were changed over in {flipped} frames")
    return notes


def _clip(
    files: TakeFiles,
    settings: TakeFile,
    keypoints: Keypoints2D,
    xyz: Float32[np.ndarray, "frames 17 3"],
    counted: Bool[np.ndarray, " frames"],
    truth: Truth,
    camera: Camera | None,
) -> Clip:
    reference: Frame = truth.reference
    return Clip(
        name=files.name,
        subject=settings.subject,
        action=settings.action,
        keypoints=keypoints,
        truth=PoseSequence(
            xyz=xyz,
            frames=keypoints.frames,
            time_s=keypoints.time_s,
            fps=keypoints.fps,
            skeleton=H36M17,
            frame=reference,
            is_metric=True,
        ),
        is_counted=counted,
        camera=camera,
        screen_width=float(keypoints.image_size[0]),
        take=files.motion,
    )
