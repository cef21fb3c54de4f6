"""Recorded motion on its floor before still cameras that are held askew, seen as a detector sees.

Unlike the windows that lifters learn from, people go where they went, so that their feet tell of
the floor; nobody's limbs are exchanged, so that what they do has a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic.cameras import View
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.takes import TAKE_HZ, as_keypoints, take_camera
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.place import NEAREST_M
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.world import rotation_with_up

PITCH_DEG, ROLL_DEG = (-10.0, 40.0), (-15.0, 15.0)
"""How far cameras look down, and how far they are rolled."""

STATURE_M = 1.70
"""Everybody is made as tall as the lifter takes people to be: size is not what is measured."""

_LONGEST_S = 6.0
_SHORTEST_S = 0.8
_DISTANCE_M = (2.5, 8.0)
_FOV_DEG = (40.0, 75.0)
_ASPECT = 16 / 9
_INSIDE = 0.95
"""Share of all joints that are in the picture."""
_OFF_CENTRE = 0.35
_FARTHER = 1.15
_STAYS = [H36M17.index(joint) for joint in ("pelvis", "left_ankle", "right_ankle")]
_STAYS_M = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class AskewView:
    """One clip before a camera.

    Attributes:
        name: Of the clip.
        activity: Its category, or "stand" where pelvis and feet stay where they are.
        keypoints: What a detector saw.
        xyz: The truth in metres, camera axes.
        up: Away from the centre of the earth, camera axes, of length one.
        camera_height_m: Height of the camera above z = 0 of the motion.
        pitch_deg: How far the camera looks down.
        roll_deg: How far it is turned about its axis.
    """

    name: str
    activity: str
    keypoints: Keypoints2D
    xyz: Float64[np.ndarray, "frames 17 3"]
    up: Float64[np.ndarray, " 3"]
    camera_height_m: float
    pitch_deg: float
    roll_deg: float

    @property
    def camera(self) -> Camera:
        """The camera that the keypoints are pixels of."""
        return take_camera()


def up_of(pitch_deg: float, roll_deg: float) -> Float64[np.ndarray, " 3"]:
    """Return up in the axes of a camera that looks down by `pitch_deg` and is rolled."""
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def askew_views(
    clips: Sequence[MocapClip], *, views: int, seed: int, noise: bool = True
) -> Iterator[AskewView]:
    """Yield each clip before `views` cameras; the same arguments give the same views.

    Args:
        clips: Single poses and clips under 0.8 s are left out.
        views: Cameras a clip.
        seed: Start of the random numbers.
        noise: Whether a detector's errors are added.
    """
    for number, clip in enumerate(clips):
        if clip.static or len(clip) < _SHORTEST_S * clip.fps:
            continue
        for view in range(views):
            random = np.random.default_rng([seed, number, view])
            yield _view(clip, random, noise=noise)


def _view(clip: MocapClip, random: np.random.Generator, *, noise: bool) -> AskewView:
    motion = _stretch(clip, random)
    pitch_deg, roll_deg = float(random.uniform(*PITCH_DEG)), float(random.uniform(*ROLL_DEG))
    up = up_of(pitch_deg, roll_deg)
    to_camera = rotation_with_up(up).T @ _about_z(random.uniform(0, 2 * np.pi))
    half = np.tan(np.radians(random.uniform(*_FOV_DEG)) / 2)
    half_picture = half * np.array([1.0, 1 / _ASPECT])[:: random.choice([1, -1])]
    turned = motion @ to_camera.T
    middle = turned[:, 0].mean(0)
    towards = np.append(random.uniform(-_OFF_CENTRE, _OFF_CENTRE, 2) * half_picture, 1.0)
    distance = float(np.exp(random.uniform(*np.log(_DISTANCE_M))))
    xyz = turned - middle + distance * towards
    while not _is_inside(xyz, half_picture):
        distance *= _FARTHER
        xyz = turned - middle + distance * towards
    camera_at = to_camera.T @ (middle - distance * towards)
    return AskewView(
        name=clip.name,
        activity=_activity(clip, motion),
        keypoints=_seen(xyz, half_picture, random, noise=noise),
        xyz=xyz,
        up=up,
        camera_height_m=float(camera_at[2]),
        pitch_deg=pitch_deg,
        roll_deg=roll_deg,
    )


def _stretch(clip: MocapClip, random: np.random.Generator) -> Float64[np.ndarray, "frames 17 3"]:
    """Return some seconds of a clip at `TAKE_HZ`, of somebody of usual height."""
    frames = min(len(clip), round(_LONGEST_S * clip.fps))
    first = int(random.integers(len(clip) - frames + 1))
    at = first + np.arange(0, frames - 1e-6, clip.fps / TAKE_HZ)
    xyz = clip.xyz[np.minimum(np.round(at).astype(int), len(clip) - 1)].astype(np.float64)
    return xyz * (STATURE_M / stature(clip.xyz))


def _about_z(angle: float) -> Float64[np.ndarray, "3 3"]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _is_inside(
    xyz: Float64[np.ndarray, "frames 17 3"], half_picture: Float64[np.ndarray, " 2"]
) -> bool:
    if xyz[..., 2].min() < 10 * NEAREST_M:
        return False
    inside = (np.abs(xyz[..., :2] / xyz[..., 2:]) < half_picture).all(-1)
    return bool(inside.mean() >= _INSIDE)


def _activity(clip: MocapClip, motion: Float64[np.ndarray, "frames 17 3"]) -> str:
    """Return what somebody does; who stands may do anything with arms and trunk."""
    way = np.ptp(motion[:, _STAYS, :2], axis=0).max()
    rises = np.ptp(motion[:, H36M17.index("pelvis"), 2])
    is_up = clip.category not in ("sit", "lie")
    return "stand" if is_up and way < _STAYS_M and rises < _STAYS_M / 2 else clip.category


def _seen(
    xyz: Float64[np.ndarray, "frames 17 3"],
    half_picture: Float64[np.ndarray, " 2"],
    random: np.random.Generator,
    *,
    noise: bool,
) -> Keypoints2D:
    root = xyz[:, :1]
    view = View(
        torch.from_numpy(xyz - root).float()[None],
        torch.from_numpy(root[:, 0]).float()[None],
        torch.from_numpy(half_picture).float()[None],
    )
    if noise:
        chance = torch.Generator().manual_seed(int(random.integers(2**31)))
        rays, score = detect(view, TAKE_HZ, chance)
    else:
        rays = torch.from_numpy(xyz[..., :2] / xyz[..., 2:]).float()[None]
        score = torch.ones(rays.shape[:-1])
    return as_keypoints(rays[0], score[0], take_camera(), TAKE_HZ)
