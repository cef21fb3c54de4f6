"""The colours of left, right and middle and of each person: the same in every picture."""

from __future__ import annotations

from typing import Literal

from pose3d_cli.pose.skeleton import Skeleton

RGB = tuple[int, int, int]
Side = Literal["left", "right", "middle"]

# Blue against orange stays apart in every common kind of colour blindness.
SIDES: dict[Side, RGB] = {
    "left": (11, 110, 184),
    "right": (236, 122, 8),
    "middle": (58, 63, 71),
}
PAPER: RGB = (247, 248, 250)
INK: RGB = (58, 63, 71)
FLOOR: RGB = (229, 233, 239)
WALL: RGB = (241, 243, 247)
SHADOW: RGB = (204, 210, 219)
GRID: RGB = (206, 212, 220)
FAINT_BELOW = 0.3
HEAD_SHARE = 0.65  # radius of a head as a share of the way from mid-face to crown

# None of them is near the blue and the orange of the sides.
_PEOPLE: tuple[RGB, ...] = (
    (0, 150, 110),
    (196, 76, 152),
    (120, 92, 200),
    (150, 130, 0),
    (140, 86, 75),
    (90, 98, 110),
)


def person_colour(person: int) -> RGB:
    """Return the colour of a person's head and label, the same through a clip."""
    return _PEOPLE[person % len(_PEOPLE)]


def side(joint: str) -> Side:
    """Return which side of the person a joint is on, from its name."""
    prefix = joint.partition("_")[0]
    if prefix == "left":
        return "left"
    return "right" if prefix == "right" else "middle"


def bone_colours(skeleton: Skeleton) -> list[RGB]:
    """Return a colour a bone, in the order of `skeleton.bones`: the side of its far end."""
    return [SIDES[side(joint)] for _, joint in skeleton.bones]


def head_pair(skeleton: Skeleton) -> tuple[str, str] | None:
    """Return the mid-face and crown joints a head is drawn from, or None where one is lacking."""
    pair = ("nose", "head")
    return pair if all(joint in skeleton.joints for joint in pair) else None


def unit(colour: RGB) -> tuple[float, float, float]:
    """Return the colour as Matplotlib wants it, in [0, 1]."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
