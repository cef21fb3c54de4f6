"""Recordings of real people with 3D truth, as clips that a detector can be measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.take_file import read_take_files
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.recordings.clock import times_of, truth_at
from pose3d_cli.learn.recordings.find import TakeFiles, find_filmed
from pose3d_cli.learn.recordings.truth import read_truth, seen_by_camera
from pose3d_cli.learn.rendered.truth import Rendered, is_rendered, read_all
from pose3d_cli.pose.camera import camera_to_pixels
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D


def read_known(folder: Path) -> list[Rendered]:
    """Return the clips of a folder whose joints are known, rendered or recorded.

    Raises:
        InputError: A folder without such clips, or a file that cannot be used.
        MissingExtraError: A truth that needs a package which is not installed.
    """
    if not folder.is_dir() or is_rendered(folder):
        return read_all(folder)
    takes = find_filmed(folder)
    if not takes:
        raise InputError(
            f"{folder}: no clips with a truth here: neither rendered ones (make some with "
            f"`pose3d data render -o {folder}`) nor videos beside their truth, as `pose3d eval "
            "--dataset folder` takes them"
        )
    return [_read(files) for files in takes]


def _read(files: TakeFiles) -> Rendered:
    """Read a take: its video's frames, and where the joints are in each of them.

    Raises:
        InputError: A file that cannot be read, no calibration, or a truth in other axes than the
            camera's.
    """
    video = files.video or Path()
    rows = _rows(video)
    settings = read_take_files(files.settings)
    camera = settings.camera(rows.image_size)
    if camera is None:
        raise InputError(
            f"{video}: no calibration; put matrix and distortion into {video.stem}.toml"
        )
    truth = read_truth(files.truth, files.cameras, is_shared=bool(files.motion))
    truth = seen_by_camera(truth, settings)
    if truth.reference != "camera":
        raise InputError(
            f"{files.truth}: not in axes of the camera, so its place in the picture is unknown; "
            f"put rotation and translation into {video.stem}.toml"
        )
    times = times_of(truth, rows, settings.offset_s)
    xyz = truth_at(truth, times, rows.time_s)[0].astype(np.float64)
    return Rendered(video, xyz, camera_to_pixels(xyz, camera), camera, rows.fps)


def _rows(video: Path) -> Keypoints2D:
    """Return a row for each frame of a video: its time, and no keypoint yet."""
    with open_video(video) as frames:
        time_s = np.array([frame.time_s for frame in frames])
        count, joints = len(time_s), len(H36M17.joints)
        return Keypoints2D(
            xy=np.full((count, joints, 2), np.nan, np.float32),
            score=np.zeros((count, joints), np.float32),
            frames=np.arange(count),
            time_s=time_s,
            fps=frames.fps,
            image_size=frames.size_px,
            skeleton=H36M17,
        )
