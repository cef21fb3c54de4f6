"""What is known of a rendered clip: its camera and where every joint is, a file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

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

FEWEST_FRAMES = 10
"""With fewer, nothing can be said of what is constant in a clip."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A clip whose joints are known; rendered, or recorded (see `recorded`).

    Attributes:
        video: The file.
        xyz: Metres, axes of the camera (x right, y down, z forward); NaN where unknown.
        keypoints_px: The same joints in the picture.
        camera: Of rendered clips without distortion.
        fps: Frames a second.
    """

    video: Path
    xyz: Float64[np.ndarray, "frames joints 3"]
    keypoints_px: Float64[np.ndarray, "frames joints 2"]
    camera: Camera
    fps: float

    @property
    def shown(self) -> Bool[np.ndarray, "frames joints"]:
        """Which joints are known to lie within the picture, hidden or not."""
        inside = (self.keypoints_px >= 0) & (self.keypoints_px < self.camera.image_size)
        return np.logical_and(inside[..., 0], inside[..., 1])


def camera_that_sees(
    half_picture: Float64[np.ndarray, 2], longer_side_px: int, source: str
) -> Camera:
    """Return a camera without distortion.

    Args:
        half_picture: Tangents of half the field of view, across and down.
        longer_side_px: Width or height of its pictures, whichever is more.
        source: In words, where it comes from.
    """
    focal = longer_side_px / 2 / half_picture.max()
    width, height = (2 * int(side) for side in np.round(half_picture * focal))
    matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Camera(matrix=matrix, distortion=np.zeros(0), image_size=(width, height), source=source)


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
    drawn_with: Mapping[str, object],
) -> None:
    """Write where the joints of a video are, as `pose3d eval --truth` reads it.

    Args:
        video: The video beside which it is written.
        xyz: Metres, axes of the camera.
        camera: Of the video.
        fps: Frames a second.
        drawn_with: Settings of the clip, plain values.

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
        "made_by": f"pose3d {__version__} data render",
        "drawn_with": dict(drawn_with),
    }
    write_arrays(video.with_name(video.stem + TRUTH), arrays, meta)


def drawn_with(truth: Path) -> Mapping[str, object]:
    """Return the settings a clip was drawn with.

    Raises:
        InputError: A damaged file.
    """
    try:
        with np.load(truth, allow_pickle=False) as arrays:
            settings: Mapping[str, object] = json.loads(str(arrays["meta"]))["drawn_with"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{truth}: damaged; delete it to render its clip again") from error
    return settings


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


def is_rendered(folder: Path) -> bool:
    """Return whether a folder holds clips of `pose3d data render`, even if damaged."""
    for path in sorted(folder.glob(f"*{TRUTH}"))[:1]:
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {"K", "image_size"} <= set(arrays)
        except (OSError, ValueError, BadZipFile):
            return True
    return False


def read_all(folder: Path) -> list[Rendered]:
    """Read every clip of a folder, in the order of names.

    Raises:
        InputError: A folder without rendered clips, or a damaged one.
    """
    truths = sorted(folder.glob(f"*{TRUTH}")) if folder.is_dir() else []
    if not truths:
        raise InputError(
            f"{folder}: no rendered clips here; make some with `pose3d data render -o {folder}`"
        )
    return [read_rendered(path) for path in truths]
