"""When feet stand: ankles that hardly move across the view, near the lowest a foot goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from pose3d_cli.pose.clean.motion import Motion, joint
from pose3d_cli.pose.clean.runs import runs_of
from pose3d_cli.pose.clean.smooth import low_pass
from pose3d_cli.pose.world import World

ANKLES = (joint("left_ankle"), joint("right_ankle"))

BEGINS = 0.4
"""A foot that stirs less than this surely stands, in metres a second; see `stir`."""

ENDS = 0.7
"""It stands on until it stirs more than this."""

SHORTEST_S = 0.1
"""What is shorter is no contact."""

LONGEST_S = 10.0
"""Longer ones are parted: whoever stands for long is placed a little elsewhere in time."""

_RESETTLES_S = 0.4  # between the parts

_PER_METRE = 4.0  # metres a second that a metre of height counts for
_LOWEST_S = 1.0  # to each side: some foot stands in this time, unless nobody does
_STEADY_HZ = 5.0


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A foot that stands.

    Attributes:
        foot: Place in `ANKLES`.
        first: Its first frame.
        stop: The frame after its last.
    """

    foot: int
    first: int
    stop: int


def find_contacts(motion: Motion, world: World) -> list[Contact]:
    """Return when each foot stands; nothing of a person who could not be placed.

    Args:
        motion: A stretch.
        world: Where up is. The floor need not be known: what counts is the height over the lowest
            ankle within a second.
    """
    if len(motion) < 3 or not np.isfinite(motion.xyz[:, ANKLES]).all():
        return []
    moved = stir(motion, world)
    found = []
    for foot in range(len(ANKLES)):
        for first, stop in runs_of(moved[:, foot] < ENDS):
            is_sure = (moved[first:stop, foot] < BEGINS).any()
            if is_sure and motion.time_s[stop - 1] - motion.time_s[first] >= SHORTEST_S:
                pieces = _pieces(motion.time_s, first, stop)
                found += [Contact(foot=foot, first=a, stop=b) for a, b in pieces]
    return found


def stir(motion: Motion, world: World) -> Float64[np.ndarray, "frames 2"]:
    """Return how far each foot is from standing, in metres a second.

    Its speed across the view, which is known better than that along it, and its height over the
    lowest ankle within a second, at four metres a second a metre.
    """
    xyz = low_pass(motion.xyz[:, ANKLES], motion.time_s, _STEADY_HZ)
    ray = xyz / np.linalg.norm(xyz, axis=-1, keepdims=True)
    velocity = np.gradient(xyz, motion.time_s, axis=0)
    along = (velocity * ray).sum(-1, keepdims=True)
    speed = np.linalg.norm(velocity - along * ray, axis=-1)
    height = world.from_camera(xyz)[..., 2]
    frames = round(_LOWEST_S / float(np.median(np.diff(motion.time_s))))
    lowest = minimum_filter1d(height.min(1), 2 * frames + 1, mode="nearest")
    lowest = uniform_filter1d(lowest, frames + 1, mode="nearest")
    return np.asarray(speed + _PER_METRE * np.abs(height - lowest[:, None]))


def standing(contacts: list[Contact], frames: int) -> Bool[np.ndarray, "frames 2"]:
    """Return which foot stands in which frame."""
    stands = np.zeros((frames, len(ANKLES)), bool)
    for contact in contacts:
        stands[contact.first : contact.stop, contact.foot] = True
    return stands


def _pieces(time_s: Float64[np.ndarray, " frames"], first: int, stop: int) -> list[tuple[int, int]]:
    """Part a long contact at whole multiples of `LONGEST_S`: the same in any part of a clip."""
    if time_s[stop - 1] - time_s[first] <= LONGEST_S:
        return [(first, stop)]
    since = time_s[first:stop] / LONGEST_S
    stays = np.abs(since - np.round(since)) * LONGEST_S > _RESETTLES_S / 2
    return [(first + a, first + b) for a, b in runs_of(stays)]
