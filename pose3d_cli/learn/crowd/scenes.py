"""Recorded walks laid into one scene before one camera, so that people meet or do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.pose.boxes import around, iou
from pose3d_cli.pose.camera import Camera, camera_from_fov, camera_to_pixels

KINDS = ("apart", "crossing", "turning")
"""Nobody near another; walking past each other twice; meeting, and going back as they came."""

FPS = 25.0
SIZE_PX = (640, 360)

_STRETCH_S = 3.0
_LEAST_WAY_M = 2.0
_TRIES = 200
_APART = 0.02
"""Greatest IoU of people who are apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """People before a camera.

    Attributes:
        kind: One of `KINDS`.
        xyz: Joints in metres, camera axes.
        xy: The same in pixels.
        camera: Without distortion, `FPS` pictures a second.
        colours: Of each person's limbs and trunk, RGB.
    """

    kind: str
    xyz: Float64[np.ndarray, "people frames 17 3"]
    xy: Float64[np.ndarray, "people frames 17 2"]
    camera: Camera
    colours: Float64[np.ndarray, "people 2 3"]


def walks(clips: Sequence[MocapClip]) -> list[Float64[np.ndarray, "frames 17 3"]]:
    """Return the stretch of each clip that leads farthest, if it is a walk at all.

    Returns:
        Three seconds at `FPS` each, metres, Z up, from the origin along +x on the whole.

    Raises:
        InputError: No clip in which somebody goes anywhere.
    """
    found = [walk for clip in clips if (walk := _walk(clip)) is not None]
    if not found:
        raise InputError(
            f"none of {len(clips)} clips shows somebody who goes {_LEAST_WAY_M:g} m within "
            f"{_STRETCH_S:g} s, so nobody can be made to meet; take another split"
        )
    return found


def _walk(clip: MocapClip) -> Float64[np.ndarray, "frames 17 3"] | None:
    count = round(_STRETCH_S * clip.fps)
    if len(clip) <= count:
        return None
    way = clip.xyz[count:, 0, :2] - clip.xyz[:-count, 0, :2]
    start = int(np.linalg.norm(way, axis=-1).argmax())
    towards = way[start].astype(np.float64)
    if np.linalg.norm(towards) < _LEAST_WAY_M:
        return None
    at = np.round(start + np.arange(round(_STRETCH_S * FPS)) * clip.fps / FPS).astype(int)
    xyz = clip.xyz[at].astype(np.float64)
    xyz[..., :2] -= xyz[0, 0, :2]
    return xyz @ _about_z(-np.arctan2(towards[1], towards[0])).T


def _about_z(angle: float) -> Float64[np.ndarray, "3 3"]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def make_scene(
    kind: str,
    walks: Sequence[Float64[np.ndarray, "frames 17 3"]],
    random: np.random.Generator,
    *,
    people: int = 2,
    alike: bool = False,
) -> Scene:
    """Draw a scene of six seconds.

    Args:
        kind: One of `KINDS`.
        walks: As `walks` returns them.
        random: Source of chance.
        people: How many.
        alike: Whether all wear the same.

    Raises:
        SettingsError: So many people find no room.
    """
    for _ in range(_TRIES):
        height, distance = random.uniform(1.0, 2.5), random.uniform(4.5, 7.5)
        chosen = [walks[int(random.integers(len(walks)))] for _ in range(people)]
        world = [_placed(kind, number, people, walk, random) for number, walk in enumerate(chosen)]
        camera = camera_from_fov(random.uniform(50, 75), SIZE_PX, "generated")
        xyz = _before_camera(np.stack(world), height, distance)
        if xyz[..., 2].min() < 0.5:
            continue
        xy = camera_to_pixels(xyz, camera)
        if (_overlap(xy) > _APART) != (kind == "apart"):
            break
    else:
        raise SettingsError(
            f"--people {people}: no scene in which they are {kind} came up in {_TRIES} tries; "
            "ask for fewer"
        )
    colours = random.uniform(0, 255, (people, 2, 3))
    colours = np.repeat(colours[:1], people, axis=0) if alike else colours
    return Scene(kind=kind, xyz=xyz, xy=xy, camera=camera, colours=colours)


def _placed(
    kind: str,
    number: int,
    people: int,
    walk: Float64[np.ndarray, "frames 17 3"],
    random: np.random.Generator,
) -> Float64[np.ndarray, "frames2 17 3"]:
    """Return a walk forth and back on the ground before the camera: x right, y away, z up."""
    half = len(walk) // 2
    if kind == "apart":  # each on a lane of their own, towards the camera or away from it
        heading, meets = random.choice([-1, 1]) * np.pi / 2, half
        place = np.array([1.8 * (number - (people - 1) / 2) + random.uniform(-0.2, 0.2), 0.0])
    else:
        heading = np.pi * (number % 2) + random.uniform(-0.4, 0.4)
        meets = half if kind == "crossing" else len(walk) - 1
        place = np.array([random.uniform(-0.3, 0.3), 0.8 * number + random.uniform(-0.2, 0.2)])
    turned = walk @ _about_z(heading).T
    turned[..., :2] += place - turned[meets, 0, :2]
    return np.concatenate([turned, turned[::-1]])


def _before_camera(
    world: Float64[np.ndarray, "people frames 17 3"], height_m: float, distance_m: float
) -> Float64[np.ndarray, "people frames 17 3"]:
    """Return the scene in the axes of a camera that looks at its middle from some height."""
    pitch = np.arctan2(height_m - 0.9, distance_m)
    c, s = np.cos(pitch), np.sin(pitch)
    away, up = world[..., 1] + distance_m, world[..., 2] - height_m
    return np.stack([world[..., 0], -s * away - c * up, c * away - s * up], axis=-1)


def _overlap(xy: Float64[np.ndarray, "people frames 17 2"]) -> float:
    """Return the greatest IoU of two people's boxes in any picture."""
    boxes = np.stack([around(person) for person in xy])
    return max(
        float(iou(boxes[:, frame], boxes[:, frame])[np.triu_indices(len(xy), 1)].max())
        for frame in range(xy.shape[1])
    )
