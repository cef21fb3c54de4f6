"""What a lifter gets to see of a take: keypoints of a file or of a detector, or the true 2D."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.video import people_in
from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.take_file import TakeFile
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.recordings.find import KEYPOINTS, TakeFiles
from pose3d_cli.learn.recordings.truth import Truth
from pose3d_cli.pose.camera import Camera, camera_to_pixels
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

Seen = Literal["found", "true"]
"""What was found in the pictures, or where the truth is in them."""

_MOST_FRAMES = 2_000_000


def people_of(files: TakeFiles, settings: TakeFile, detector: Detector | None) -> list[Keypoints2D]:
    """Return everybody in a take's keypoints, or of one without these in its video.

    Args:
        files: Of the take.
        settings: Say rate and size, which JSON does not, if there is no video.
        detector: Looks at the video; None gives a person of its frames who is nowhere seen.

    Raises:
        InputError: A file that cannot be read, or JSON whose rate nobody says.
        NobodyFoundError: The detector found nobody.
    """
    if files.keypoints is None and detector is None:
        return [_nobody(files)]
    if files.keypoints is None and detector is not None:
        people = people_in(files.seen_in, detector)
        if not people:
            raise NobodyFoundError(f"{files.seen_in}: nobody was found in it; take it out")
        return people
    if files.seen_in.name.endswith(KEYPOINTS):
        return read_keypoints(files.seen_in)
    fps, size = settings.fps, settings.image_size
    if files.video is not None:
        with open_video(files.video) as video:
            fps, size = video.fps, video.size_px
    if fps is None or size is None:
        raise InputError(
            f"{files.keypoints}: does not say its frame rate and picture's size; put the video "
            f"beside it as {files.name}.mp4, or fps and image_size into {files.name}.toml"
        )
    return read_keypoints(files.seen_in, fps=fps, image_size=size)


def _nobody(files: TakeFiles) -> Keypoints2D:
    """Return keypoints for all frames of a video, none of them seen."""
    with open_video(files.seen_in) as video:
        shown = [(frame.index, frame.time_s) for frame in video]
        fps, size = video.fps, video.size_px
    frames, time_s = zip(*shown, strict=True)
    joints = (len(frames), len(H36M17.joints))
    return Keypoints2D(
        xy=np.full((*joints, 2), np.nan, np.float32),
        score=np.zeros(joints, np.float32),
        frames=np.array(frames, np.int64),
        time_s=np.array(time_s, np.float64),
        fps=fps,
        image_size=size,
        skeleton=H36M17,
    )


def every_frame(files: TakeFiles, keypoints: Keypoints2D) -> Keypoints2D:
    """Return keypoints with a row for each frame from the first to the last.

    So that frames in which the person was not found are among those that should be measured.

    Raises:
        InputError: Frame numbers so far apart that no video has them.
    """
    first, last = int(keypoints.frames[0]), int(keypoints.frames[-1])
    if last - first >= _MOST_FRAMES:
        raise InputError(f"{files.seen_in}: frames {first} to {last} are of no single video")
    frames = np.arange(first, last + 1)
    rows = keypoints.frames - frames[0]
    xy = np.full((len(frames), *keypoints.xy.shape[1:]), np.nan, np.float32)
    score = np.zeros(xy.shape[:2], np.float32)
    xy[rows], score[rows] = keypoints.xy, keypoints.score
    time_s = np.interp(frames, keypoints.frames, keypoints.time_s)
    return replace(keypoints, xy=xy, score=score, frames=frames, time_s=time_s)


def true_camera(files: TakeFiles, truth: Truth, camera: Camera | None) -> Camera:
    """Return the camera through which a truth is seen.

    Raises:
        InputError: It is unknown, or unknown where the truth is before it.
    """
    wanted = f"{files.name}: --keypoints true needs"
    if camera is None:
        raise InputError(f"{wanted} the camera; put matrix or fov into {files.name}.toml")
    if truth.reference == "root":
        raise InputError(
            f"{wanted} the person's place before the camera, but {truth.path.name} has the pelvis "
            "at the origin"
        )
    if truth.reference == "world":
        raise InputError(
            f"{wanted} the camera's place; put rotation and translation into {files.name}.toml"
        )
    return camera


def where_truth_is(
    keypoints: Keypoints2D, xyz: Float32[np.ndarray, "frames 17 3"], camera: Camera
) -> Keypoints2D:
    """Return keypoints with the truth, through the lens, in the detector's place.

    Args:
        keypoints: Say which frames.
        xyz: Metres, camera axes; a joint that is not known is not seen.
        camera: Lens and all.
    """
    xy: Float32[np.ndarray, "frames 17 2"] = camera_to_pixels(xyz, camera).astype(np.float32)
    score = np.isfinite(xy).all(-1).astype(np.float32)
    xy = np.where(score[..., None] > 0, xy, np.float32(np.nan))
    return replace(keypoints, xy=xy, score=score)
