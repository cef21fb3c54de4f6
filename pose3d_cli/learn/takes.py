"""Generated motion lifted as a video's is: windows that overlap, and the mirror image too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.hidden import hide_limbs
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

TAKE_HZ = 25.0
"""Frames a second of generated takes; lifters of other rates resample them as they do videos."""

SEEN = ("noisy", "clean", "hidden")
"""What lifters get to see: a detector's errors, none, or these but neither one arm nor one leg."""

_FOCAL_PX = 1000.0
_SIZE_PX = (4000, 4000)


def seen_as(
    seen: str, clips: Sequence[MocapClip], frames: int, rate_hz: float, takes: int, seed: int
) -> tuple[Batch, Bool[Tensor, "takes joints"] | None]:
    """Return takes as lifters get to see them (see `SEEN`), and which joints are hidden."""
    batch = fixed_batch(clips, frames, rate_hz, takes, seed, noise=seen != "clean")
    return hide_limbs(batch, seed) if seen == "hidden" else (batch, None)


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
    """Lift one take of a batch as if it were a clip of a camera with a known focal length."""
    camera = take_camera()
    keypoints = as_keypoints(batch.rays[take], batch.score[take], camera, TAKE_HZ)
    return lifter.lift(keypoints, camera).xyz


def take_camera() -> Camera:
    """Return the camera that generated rays are taken to be pixels of."""
    centre = np.array(_SIZE_PX) / 2
    matrix = np.array([[_FOCAL_PX, 0, centre[0]], [0, _FOCAL_PX, centre[1]], [0, 0, 1]])
    return Camera(matrix=matrix, distortion=np.zeros(0), image_size=_SIZE_PX, source="generated")


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
