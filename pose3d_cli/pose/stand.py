"""The world of a clip, put together: up from bodies, how they go and their feet; then the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.feet import Contacts, Stretch, find_contacts
from pose3d_cli.pose.floor import find_floor, tilt_by_feet
from pose3d_cli.pose.up import LEVEL, Votes, fused, said_up
from pose3d_cli.pose.upright import find_up, rolled_to
from pose3d_cli.pose.world import ASSUMED, NO_FLOOR, World, rotation_with_up

_MOVING = "; the camera moves, so this holds on the whole at best"
_LOST = "; the camera moves, so it is that of the places seen, not of the world"
_NUDGE = 0.01
_ALIKE = 1.2
"""How much farther off up is than if bodies, ways and feet erred apart; by validation subjects."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    up: Float64[np.ndarray, " 3"]
    words: str
    sure_deg: float


def find_world(
    stretches: Sequence[Stretch],
    up: float | Literal["auto", "camera"] = "auto",
    *,
    said: Sequence[Votes] = (),
    camera_moves: bool = False,
) -> World:
    """Return up and the floor, once for a whole clip.

    Args:
        stretches: Everybody in it.
        up: `auto`: by bodies, how they go about and their feet; `camera`: the camera is level;
            degrees: how far it looks down, its roll by bodies and how they go about.
        said: What a network says of up that saw them go about, one for each person.
        camera_moves: Is said in the words; what is found is a mean then.
    """
    contacts = find_contacts(stretches)
    found = _up(stretches, said, contacts, up)
    floor = find_floor(contacts, found.up)
    note, lost = (_MOVING, _LOST) if camera_moves else ("", "")
    if floor is None:
        words, height_m, sure_m = NO_FLOOR, 0.0, np.nan
    else:
        words = f"by {floor.steps} steps of feet that stand, over the whole clip{lost}"
        height_m, sure_m = floor.height_m, floor.sure_m
    return World(
        rotation=_rotation(found.up),
        camera_m=np.array([0.0, 0.0, height_m]),
        up=found.words + note,
        up_sure_deg=found.sure_deg,
        floor=words,
        floor_sure_m=sure_m,
    )


def _up(
    stretches: Sequence[Stretch],
    said: Sequence[Votes],
    contacts: Contacts,
    wanted: float | Literal["auto", "camera"],
) -> _Found:
    if wanted == "camera":
        return _Found(up=LEVEL, words="--up camera: it is level", sure_deg=np.nan)
    bodies = find_up(stretches)
    going = said_up(said)
    about = ""
    # Of people who lie, whom `find_up` leaves out, it has seen too few to be asked alone.
    if bodies is not None and going is not None:
        bodies, about = fused(bodies, going), " and go about"
    if wanted == "auto":
        if bodies is None:
            return _Found(up=LEVEL, words=ASSUMED, sure_deg=np.nan)
        up, sure_deg = tilt_by_feet(bodies, contacts)
        people = f"by how bodies hold themselves{about}, {bodies.seconds:.1f} s of them"
        feet = f", and by {len(contacts)} steps of their feet" if len(contacts) else ""
        return _Found(up=up, words=people + feet, sure_deg=_ALIKE * sure_deg)
    words = f"--up {wanted:g}: it looks down by {wanted:g} degrees"
    if bodies is None:
        up = rolled_to(LEVEL, wanted)
        return _Found(up=up, words=f"{words}; not rolled, as assumed", sure_deg=np.nan)
    up = rolled_to(bodies.up, wanted)
    words = f"{words}; rolled as bodies that hold themselves{about} say"
    return _Found(up=up, words=words, sure_deg=_ALIKE * bodies.across_deg)


def _rotation(up: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation to world axes, of a camera that looks straight down too."""
    try:
        return rotation_with_up(up)
    except ValueError:  # the top of the picture is ahead then
        return rotation_with_up(up + _NUDGE * LEVEL)
