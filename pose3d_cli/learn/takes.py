"""Generated motion lifted as a video's is: windows that overlap, and the mirror image too."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

TAKE_HZ = 25.0
"""Frames a second of generated takes; lifters of other rates resample them as they do videos."""

_FOCAL_PX = 1000.0
_SIZE_PX = (4000, 4000)


def lift_takes(
    lifter: WindowedLifter, batch: Batch
) -> tuple[Float32[np.ndarray, "takes frames 17 3"], Float32[np.ndarray, "takes frames 17 3"]]:
    """Lift every take of a batch; return the poses and the truth, camera axes, metres.

    Args:
        lifter: As it is used on videos; the takes may be shorter or longer than its window.
        batch: Takes at `TAKE_HZ`.
    """
    truth = batch.pose.numpy()
    return np.stack([_lift(lifter, batch, take) for take in range(len(truth))]), truth


def _lift(
    lifter: WindowedLifter, batch: Batch, take: int
) -> Float32[np.ndarray, "frames joints 3"]:
    """Lift one take of a batch as if it were a clip of a camera with a long known focal length."""
    centre = np.array(_SIZE_PX) / 2
    matrix = np.array([[_FOCAL_PX, 0, centre[0]], [0, _FOCAL_PX, centre[1]], [0, 0, 1]])
    camera = Camera(matrix=matrix, distortion=np.zeros(0), image_size=_SIZE_PX, source="generated")
    keypoints = as_keypoints(batch.rays[take], batch.score[take], camera, TAKE_HZ)
    return lifter.lift(keypoints, camera).xyz


def as_keypoints(
    rays: Float[Tensor, "frames joints 2"],
    score: Float[Tensor, "frames joints"],
    camera: Camera,
    fps: float,
) -> Keypoints2D:
    """Return generated rays as the keypoints of a clip of a camera without distortion."""
    pixels = rays.numpy() * camera.focal_px + camera.matrix[:2, 2]
    return Keypoints2D(
        xy=pixels.astype(np.float32),
        score=score.numpy().astype(np.float32),
        frames=np.arange(len(rays), dtype=np.int64),
        time_s=np.arange(len(rays)) / fps,
        fps=fps,
        image_size=camera.image_size,
        skeleton=H36M17,
    )
