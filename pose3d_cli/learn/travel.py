"""Recorded people who go about on a floor before a still camera, lifted and placed as videos."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32, Float64

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic.bodies import STATURE_M
from pose3d_cli.learn.synthetic.cameras import View
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.takes import TAKE_HZ, as_keypoints, take_camera
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.gaps import fill_gaps
from pose3d_cli.pose.place import place_person
from pose3d_cli.pose.resample import poses_at
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.world import World, rotation_with_up

TAKE_S = 6.0
"""Longer clips are cut into takes of this many seconds."""

_SHORTEST_S = 1.4
_ANKLE_M = 0.08  # height of an ankle over the sole
_ASPECT = 9 / 16
_INSIDE = 0.9  # of half the picture: the person is never cut off
_NEAREST_M, _FARTHEST_M = 3.0, 14.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Take:
    """A person on the way, as seen, as lifted and as it was.

    Attributes:
        name: Of the clip, and the second it begins at.
        keypoints: As lifted: flips mended, gaps filled.
        xyz_root: As lifted: metres, camera axes, pelvis at the origin.
        root: As placed: the pelvis in metres, camera axes.
        truth: All joints in metres, camera axes.
        world: How the camera stands.
    """

    name: str
    keypoints: Keypoints2D
    xyz_root: Float32[np.ndarray, "frames 17 3"]
    root: Float64[np.ndarray, "frames 3"]
    truth: Float64[np.ndarray, "frames 17 3"]
    world: World


def lift_travels(
    lifter: WindowedLifter, clips: Sequence[MocapClip], *, takes: int, seed: int = 0
) -> Iterator[Take]:
    """Yield takes, each lifted and placed; take k is always the same.

    All people are made 1.70 m tall, so that a wrong assumption of size is not among the errors.
    """
    camera = take_camera()
    for number, (name, xyz) in enumerate(cut_takes(clips)[:takes]):
        random = np.random.default_rng([seed, number])
        world, half = _stand(xyz, random)
        truth = world.to_camera(xyz)
        rays, score = _seen(truth, half, seed * 10_000 + number)
        seen = as_keypoints(rays, score, camera, TAKE_HZ)
        mended = fill_gaps(mend_flips(seen)[0])
        lifted = lifter.lift(mended, camera).xyz
        yield Take(
            name=name,
            keypoints=mended,
            xyz_root=lifted,
            root=place_person(lifted, mended, camera),
            truth=truth,
            world=world,
        )


def cut_takes(clips: Sequence[MocapClip]) -> list[tuple[str, Float64[np.ndarray, "frames 17 3"]]]:
    """Return pieces of clips at `TAKE_HZ` with their names, of people 1.70 m tall on a floor at 0.

    Pieces of all clips come in turn, so that the first ones are of many people.
    """
    pieces: list[tuple[int, str, Float64[np.ndarray, "frames 17 3"]]] = []
    for clip in clips:
        time_s = np.arange(len(clip)) / clip.fps
        even = np.arange(int(time_s[-1] * TAKE_HZ) + 1) / TAKE_HZ
        xyz = poses_at(clip.xyz.astype(np.float64), time_s, even)
        xyz = xyz * (STATURE_M / stature(xyz))
        length = round(TAKE_S * TAKE_HZ)
        for turn, start in enumerate(range(0, len(xyz), length)):
            piece = xyz[start : start + length]
            if len(piece) >= _SHORTEST_S * TAKE_HZ:
                name = f"{clip.name} at {start / TAKE_HZ:g} s"
                pieces.append((turn, name, piece - _floor(piece)))
    return [(name, piece) for _, name, piece in sorted(pieces, key=lambda piece: piece[0])]


def _floor(xyz: Float64[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, " 3"]:
    """Return a point below a piece's middle, on what its ankles stand on."""
    ankles = xyz[:, [H36M17.index("left_ankle"), H36M17.index("right_ankle")]]
    height = np.percentile(ankles[..., 2].min(1), 10) - _ANKLE_M
    return np.array([*xyz[:, 0, :2].mean(0), height])


def _stand(
    xyz: Float64[np.ndarray, "frames 17 3"], random: np.random.Generator
) -> tuple[World, Float64[np.ndarray, " 2"]]:
    """Return a camera that looks at the middle of a path from where all of it is in the picture."""
    half_width = math.tan(math.radians(random.uniform(40, 80)) / 2)
    half = np.array([half_width, half_width * _ASPECT])
    heading, height = random.uniform(0, 2 * math.pi), random.uniform(0.7, 2.4)
    roll = math.radians(random.normal(0, 2))
    turned = xyz @ _about_up(heading).T
    for distance in np.arange(_NEAREST_M, _FARTHEST_M, 0.5):
        away = turned + np.array([0, distance, 0])
        world = _aimed(height, distance, roll)
        seen = world.to_camera(away)
        rays = np.abs(seen[..., :2] / np.maximum(seen[..., 2:], 1e-6))
        if (seen[..., 2] > 1).all() and (rays < _INSIDE * half).all():
            break
    # The world is where the clip is, so the camera is turned back and moved, not the clip.
    back = _about_up(heading).T
    return (
        replace(world, rotation=back @ world.rotation, camera_m=back @ [0, -distance, height]),
        half,
    )


def _aimed(height: float, distance: float, roll: float) -> World:
    """Return the world of a camera that looks at a point a metre above the floor, far off."""
    pitch = math.atan2(height - 1.0, distance)
    level_up = np.array([0.0, -math.cos(pitch), -math.sin(pitch)])
    up = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    return World(
        rotation=rotation_with_up(up @ level_up),
        camera_m=np.array([0.0, 0.0, height]),
        up="known",
        up_sure_deg=0.0,
        floor="known",
        floor_sure_m=0.0,
    )


def _about_up(angle: float) -> Float64[np.ndarray, "3 3"]:
    """Return a rotation about the third axis: up in the world, ahead in a camera."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _seen(
    truth: Float64[np.ndarray, "frames 17 3"], half: Float64[np.ndarray, " 2"], seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rays and scores of a detector that errs as was measured."""
    joints = torch.from_numpy(truth).float()[None]
    view = View(joints - joints[:, :, :1], joints[:, :, 0], torch.from_numpy(half).float()[None])
    rays, score = detect(view, TAKE_HZ, torch.Generator().manual_seed(seed))
    return rays[0], score[0]
