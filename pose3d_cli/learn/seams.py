"""Whether motion jumps where windows meet: velocity errors there and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.validate import held_out_batch
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import lay_windows
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_FOCAL_PX = 1000.0
_SIZE_PX = (4000, 4000)


@dataclass(frozen=True, kw_only=True)
class Seams:
    """Velocity errors of whole clips.

    Attributes:
        border_mm: Mean error of the steps into or out of a window's first or last frame, mm a
            frame.
        inside_mm: Mean error of all other steps.
        ratio: The first over the second; 1 where windows leave no trace.
    """

    border_mm: float
    inside_mm: float
    ratio: float


def measure_seams(
    lifter: WindowedLifter,
    clips: Sequence[MocapClip],
    *,
    takes: int = 48,
    windows_a_take: int = 4,
    seed: int = 4321,
) -> Seams:
    """Lift generated takes of several windows' length and compare steps at borders with others.

    Args:
        lifter: As it is used on videos.
        clips: Held-out motion.
        takes: How many takes are drawn.
        windows_a_take: Length of a take in windows.
        seed: Of the generator.
    """
    frames = lifter.window * windows_a_take
    batch = held_out_batch(clips, frames, lifter.about.rate_hz, takes, seed)
    truth = turn_back(batch.rotation, batch.target).numpy()
    lifted = np.stack([_lift(lifter, batch, take) for take in range(takes)])
    wrong = np.diff(lifted, axis=1) - np.diff(truth, axis=1)
    error = np.linalg.norm(wrong, axis=-1).mean((0, 2)) * 1000
    border = border_steps(frames, lifter.window)
    at_border, inside = float(error[border].mean()), float(error[~border].mean())
    return Seams(border_mm=at_border, inside_mm=inside, ratio=at_border / inside)


def border_steps(frames: int, window: int) -> Bool[np.ndarray, " steps"]:
    """Return which steps from frame to frame enter or leave a window somewhere in the clip."""
    windows = lay_windows(frames, window)
    border = np.zeros(frames - 1, bool)
    for index in windows.index:
        for step in (index.min() - 1, index.max()):
            if 0 <= step < frames - 1:
                border[step] = True
    return border


def _lift(
    lifter: WindowedLifter, batch: Batch, take: int
) -> Float32[np.ndarray, "frames joints 3"]:
    """Lift one take of a batch as if it were a clip of a camera with a long known focal length."""
    rays, score = batch.rays[take].numpy(), batch.score[take].numpy()
    centre = np.array(_SIZE_PX) / 2
    matrix = np.array([[_FOCAL_PX, 0, centre[0]], [0, _FOCAL_PX, centre[1]], [0, 0, 1]])
    camera = Camera(matrix=matrix, distortion=np.zeros(0), image_size=_SIZE_PX, source="generated")
    keypoints = Keypoints2D(
        xy=(rays * _FOCAL_PX + centre).astype(np.float32),
        score=score.astype(np.float32),
        frames=np.arange(len(rays), dtype=np.int64),
        time_s=np.arange(len(rays)) / lifter.about.rate_hz,
        fps=lifter.about.rate_hz,
        image_size=_SIZE_PX,
        skeleton=H36M17,
    )
    return lifter.lift(keypoints, camera).xyz
