"""People who walk straight on, for scenes in which they meet."""

from __future__ import annotations

import numpy as np
import torch

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic.postures import ANGLES, pose_of


def walker(number=0, metres_a_s=1.2, seconds=4.0):
    """Somebody upright who goes one way at a steady speed and swings arms and legs."""
    frames = int(50 * seconds)
    swing = torch.sin(torch.arange(frames) / 50 * 6.0)
    angles = torch.zeros(1, frames, len(ANGLES))
    for name in (n for n in ANGLES if "flexion" in n):
        angles[..., ANGLES.index(name)] = 0.3 * swing * (1 if name.startswith("left") else -1)
    pose = pose_of(angles)[0].numpy() * 0.3
    heading = 0.7 * number
    pose[..., :2] += (np.arange(frames) / 50 * metres_a_s)[:, None, None] * [
        np.cos(heading),
        np.sin(heading),
    ]
    pose[..., 2] += 0.95
    return MocapClip(
        name=f"walk{number}",
        subject=f"s{number}",
        split="test",
        category="walk",
        licence="CC0",
        fps=50.0,
        xyz=pose.astype(np.float32),
    )
