"""What is known of a rendered clip: its camera and where every joint is, a file each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from pose3d_cli import __version__
from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import write_arrays
from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.joints3d import read_joints
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17

TRUTH = "_truth.npz"
"""What the name of a clip's truth ends in."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A clip whose joints are known.

    Attributes:
        video: The file.
        xyz: Metres, axes of the camera (x right, y down, z forward).
        keypoints_px: The same joints in the picture.
        camera: Without distortion.
        fps: Frames a second.
    """

    video: Path
    xyz: Float64[np.ndarray, "frames joints 3"]
    keypoints_px: Float64[np.ndarray, "frames joints 2"]
    camera: Camera
    fps: float

    @property
    def shown(self) -> Bool[np.ndarray, "frames joints"]:
        """Which joints lie within the picture, hidden or not."""
        inside = (self.keypoints_px >= 0) & (self.keypoints_px < self.camera.image_size)
        return np.logical_and(inside[..., 0], inside[..., 1])


def in_picture(
    xyz: Float64[np.ndarray, "frames joints 3"], camera: Camera
) -> Float64[np.ndarray, "frames joints 2"]:
    """Return pixels of points in the axes of a camera without distortion."""
    pixels = xyz @ camera.matrix.T
    return pixels[..., :2] / pixels[..., 2:]


def write_camera(path: Path, camera: Camera) -> None:
    """Write a camera as `--intrinsics` reads it.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    rows = ", ".join("[" + ", ".join(f"{v:.6g}" for v in row) + "]" for row in camera.matrix)
    width, height = camera.image_size
    with replacing(path) as new:
        new.write_text(f"matrix = [{rows}]\nimage_size = [{width}, {height}]\n", encoding="utf-8")


def write_truth(
    video: Path,
    xyz: Float64[np.ndarray, "frames joints 3"],
    camera: Camera,
    fps: float,
    *,
    seed: int,
) -> None:
    """Write where the joints of a video are, as `pose3d eval --truth` reads it.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    arrays = {
        "xyz_camera": xyz[None].astype(np.float32),
        "keypoints_px": in_picture(xyz, camera)[None].astype(np.float32),
        "person_id": np.array([0]),
        "frame": np.arange(len(xyz)),
        "time_s": np.arange(len(xyz)) / fps,
        "joint_names": np.array(H36M17.joints),
        "fps": np.array(fps),
        "K": camera.matrix,
        "image_size": np.array(camera.image_size),
    }
    meta = {
        "units": "metres",
        "axes": "camera: x right, y down, z forward",
        "made_by": f"pose3d {__version__} data render, seed {seed}",
    }
    write_arrays(video.with_name(video.stem + TRUTH), arrays, meta)


def read_rendered(path: Path) -> Rendered:
    """Read a clip's truth.

    Raises:
        InputError: A damaged file, or the truth of something else.
    """
    joints = read_joints(path)
    with np.load(path, allow_pickle=False) as arrays:
        if not {"K", "image_size"} <= set(arrays) or joints.joints != H36M17.joints:
            raise InputError(f"{path}: this is not the truth of a clip of `pose3d data render`")
        matrix = arrays["K"].astype(np.float64)
        width, height = (int(side) for side in arrays["image_size"])
    camera = Camera(
        matrix=matrix, distortion=np.zeros(0), image_size=(width, height), source="rendered"
    )
    xyz = joints.xyz[0].astype(np.float64)
    video = path.with_name(path.name.removesuffix(TRUTH) + ".mp4")
    return Rendered(video, xyz, in_picture(xyz, camera), camera, joints.fps)
