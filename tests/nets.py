"""Networks and people for the tests of lifters."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch
from torch import nn

from pose3d_cli.lift.about import UPRIGHT, WeightsAbout
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.upright import UprightConfig, UprightNet
from pose3d_cli.pose.camera import Camera, camera_from_fov, camera_to_pixels
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

IMAGE_SIZE = (1280, 720)
CAMERA = camera_from_fov(60.0, IMAGE_SIZE)


def fill_with_noise(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and running statistic a value of its own: zeros hide mistakes."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=random, dtype=torch.float64)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + noise.abs())
            elif tensor.ndim > 1:
                tensor.copy_(noise / tensor.shape[-1] ** 0.5)
            else:
                tensor.copy_(0.5 + 0.3 * noise)
    return network


def tiny(lifter: str) -> nn.Module:
    entry = LIFTERS.get(lifter)
    return fill_with_noise(entry.network(entry.presets["tiny"])).eval()


def about(lifter: str, **changes) -> WeightsAbout:
    settings = LIFTERS.get(lifter).presets["tiny"]
    values = {"input": "rays", "rate_hz": 25.0, "licence": "Apache-2.0", **changes}
    return WeightsAbout(lifter=lifter, config=asdict(settings), **values)


UPRIGHT_SETTINGS = UprightConfig(channels=16, blocks=3, frames=20)


def tiny_upright() -> UprightNet:
    network = UprightNet(UPRIGHT_SETTINGS).eval()
    fill_with_noise(network)
    return network


def about_upright(**changes) -> WeightsAbout:
    values = {"input": "rays", "rate_hz": 12.5, "licence": "Apache-2.0", "units": "direction"}
    return WeightsAbout(lifter=UPRIGHT, config=asdict(UPRIGHT_SETTINGS), **values, **changes)


def standing() -> np.ndarray:
    """Return joints of somebody who stands, arms out, metres, camera axes, pelvis at the origin."""
    place = {
        "pelvis": (0, 0), "hip": (0.13, 0), "knee": (0.15, 0.45), "ankle": (0.16, 0.88),
        "spine": (0, -0.25), "thorax": (0, -0.5), "nose": (0, -0.62), "head": (0, -0.75),
        "shoulder": (0.18, -0.48), "elbow": (0.42, -0.45), "wrist": (0.66, -0.5),
    }  # fmt: skip
    joints = []
    for joint in H36M17.joints:
        side, _, part = joint.rpartition("_")
        x, y = place[part]
        joints.append((x if side == "left" else -x, y, -0.1 if part == "nose" else 0.0))
    return np.array(joints)


class Compiled(nn.Module):
    """What `torch.compile` makes of a network: it does the same, and has no truth value."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, *args, **more):
        return self.network(*args, **more)

    def __len__(self):
        raise TypeError


def walker(
    n_frames: int, fps: float = 25.0, *, camera: Camera = CAMERA, seed: int = 0
) -> Keypoints2D:
    """Return the keypoints of somebody who waves all limbs smoothly and crosses the picture."""
    random = np.random.default_rng(seed)
    time_s = np.arange(n_frames) / fps
    phase = random.uniform(0, 6, (17, 3))
    sway = 0.1 * np.sin(3 * time_s[:, None, None] + phase)
    root = np.stack([0.4 * np.sin(time_s), 0 * time_s, 4 + 0.3 * np.cos(time_s)], -1)
    xyz = standing() + sway + root[:, None]
    return seen(camera_to_pixels(xyz, camera), time_s, fps)


def seen(xy: np.ndarray, time_s: np.ndarray, fps: float, score: float = 0.9) -> Keypoints2D:
    known = np.isfinite(xy).all(-1)
    return Keypoints2D(
        xy=xy.astype(np.float32),
        score=np.where(known, score, 0).astype(np.float32),
        frames=np.arange(len(xy)),
        time_s=np.asarray(time_s, np.float64),
        fps=fps,
        image_size=IMAGE_SIZE,
        skeleton=H36M17,
    )
