"""Clips with a known truth, and lifters with a known error, for tests of benchmarks."""

from __future__ import annotations

import numpy as np
import torch

from pose3d_cli.learn.clip import clip_of
from pose3d_cli.lift.weights import WeightsAbout
from pose3d_cli.pose.camera import camera_from_fov, camera_to_pixels
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import PoseSequence

SIZE = (1000, 1000)


def body(frames=12, seed=0):
    """A person of random joints who moves a little, pelvis at the origin, metres."""
    random = np.random.default_rng(seed)
    xyz = 0.4 * random.standard_normal((1, 17, 3)) + 0.02 * random.standard_normal((frames, 17, 3))
    return (xyz - xyz[:, :1]).astype(np.float32)


def make_clip(xyz=None, *, name="a", action="walk", subject="S1", **changes):
    """A clip of a person 5 m before a camera of 55 degrees, seen without error."""
    xyz = body() if xyz is None else xyz
    camera = camera_from_fov(55.0, SIZE)
    pixels = camera_to_pixels(np.nan_to_num(xyz) + np.array([0, 0, 5]), camera).astype(np.float32)
    values = {
        "name": name,
        "subject": subject,
        "action": action,
        "xy": pixels,
        "score": np.ones(xyz.shape[:2], np.float32),
        "xyz": xyz,
        "frame": "root",
        "fps": 50.0,
        "image_size": SIZE,
        "camera": camera,
    }
    return clip_of(**values | changes)


class Screened(torch.nn.Module):
    """A network that answers with its input, z being the score."""

    def forward(self, x):
        return x


def screen_about(frames=9, rate_hz=50.0, units="screen,root"):
    """The header of a network of the papers: screen coordinates in and out."""
    return WeightsAbout(
        lifter="none",
        config={"frames": frames},
        input="screen",
        units=units,
        rate_hz=rate_hz,
        licence="none",
    )


def sequence(keypoints, xyz):
    """A pose for each row of keypoints."""
    return PoseSequence(
        xyz=xyz.astype(np.float32),
        frames=keypoints.frames,
        time_s=keypoints.time_s,
        fps=keypoints.fps,
        skeleton=H36M17,
        frame="root",
        is_metric=True,
    )
