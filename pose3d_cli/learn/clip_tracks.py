"""Clips of a data set as networks of the papers take them: screen coordinates in, targets out.

What is to be answered is what the papers teach. Where a data set has a rule for what a unit of the
screen is in metres, or truth that is in that unit already, networks answer in units of the screen:
MotionBERT's form of Human3.6M, and MPI-INF-3DHP. Elsewhere they answer in metres, in axes of the
camera, as VideoPose3D's do. The pelvis is the origin of each frame either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import Clip
from pose3d_cli.pose.camera import pixels_to_screen
from pose3d_cli.pose.skeleton import H36M17

Units = Literal["screen,root", "m,root"]

_ROOT = H36M17.index("pelvis")


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """A clip as arrays: 0.4 kB a frame.

    Attributes:
        name: Of the clip.
        take: What it is one view of.
        fps: Frames a second.
        units: Of the target.
        axes: Those of the camera, or of the picture, where depth has the scale of the pelvis's.
        x: Screen coordinates and score, all 0 where unseen.
        target: Joints relative to the pelvis; NaN where unknown, or where the data set does not
            measure.
        metres_per_unit: Metres of a unit of the target in each frame; None where nobody knows.
    """

    name: str
    take: str
    fps: float
    units: Units
    axes: Literal["camera", "picture"]
    x: Float32[np.ndarray, "frames 17 3"]
    target: Float32[np.ndarray, "frames 17 3"]
    metres_per_unit: Float32[np.ndarray, " frames"] | None

    def __len__(self) -> int:
        return len(self.x)


def track_of(clip: Clip) -> Track:
    """Return a clip as a network takes it.

    Raises:
        InputError: Its truth is in axes of a room in which nobody knows where the camera stands.
    """
    if clip.truth.frame == "world":
        raise InputError(
            f"{clip.name}: its truth is in axes of a room, and it is unknown where the camera "
            "stands in it, so no lifter can learn from it; give rotation and translation"
        )
    units: Units = "m,root"
    if clip.metres_per_unit is not None or not clip.truth.is_metric:
        units = "screen,root"
    return Track(
        name=clip.name,
        take=clip.take or clip.name,
        fps=clip.keypoints.fps,
        units=units,
        axes="camera" if clip.truth.frame == "camera" or units == "m,root" else "picture",
        x=_input(clip),
        target=_target(clip),
        metres_per_unit=_metres_per_unit(clip),
    )


def _input(clip: Clip) -> Float32[np.ndarray, "frames 17 3"]:
    points = clip.keypoints
    screen = pixels_to_screen(points.xy, points.image_size, clip.screen_width)
    is_seen = np.isfinite(screen).all(-1, keepdims=True)
    x = np.concatenate([screen, points.score[..., None]], -1)
    return np.where(is_seen, x, 0).astype(np.float32)


def _target(clip: Clip) -> Float32[np.ndarray, "frames 17 3"]:
    xyz = clip.truth.xyz.astype(np.float64)
    target = xyz - xyz[:, _ROOT : _ROOT + 1]
    if clip.truth.is_metric and clip.metres_per_unit is not None:
        target /= clip.metres_per_unit[:, None, None]
    known = np.isfinite(target).all(-1) & clip.is_counted[:, None]
    return np.where(known[..., None], target, np.nan).astype(np.float32)


def _metres_per_unit(clip: Clip) -> Float32[np.ndarray, " frames"] | None:
    if clip.metres_per_unit is not None:
        return clip.metres_per_unit.astype(np.float32)
    return np.ones(len(clip), np.float32) if clip.truth.is_metric else None
