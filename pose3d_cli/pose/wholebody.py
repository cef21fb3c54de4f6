"""Names of COCO-WholeBody's joints beyond the body: feet, face, hands.

Source: Jin et al. 2020 (arXiv 2007.11858): 17 joints of COCO, 6 of the feet, 68 of the face, 21 of
each hand. Points of the face have names, so that each knows its pair on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping

FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)


def _sided(side: str, name: str, numbers: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"{side}_{name}_{number}" for number in numbers)


# In the order of the 68 points: numbers rise from the temple, the outer corner of an eye or of the
# mouth inwards, upper before lower.
FACE = (
    *_sided("right", "jaw", (1, 2, 3, 4, 5, 6, 7, 8)), "chin",
    *_sided("left", "jaw", (8, 7, 6, 5, 4, 3, 2, 1)),
    *_sided("right", "brow", (1, 2, 3, 4, 5)), *_sided("left", "brow", (5, 4, 3, 2, 1)),
    "nose_bridge_1", "nose_bridge_2", "nose_bridge_3", "nose_bridge_4",
    *_sided("right", "nostril", (1, 2)), "nose_base", *_sided("left", "nostril", (2, 1)),
    *_sided("right", "lid", (1, 2, 3, 4, 5, 6)), *_sided("left", "lid", (4, 3, 2, 1, 6, 5)),
    *_sided("right", "lip", (1, 2, 3)), "upper_lip", *_sided("left", "lip", (3, 2, 1, 4, 5)),
    "lower_lip", *_sided("right", "lip", (5, 4)),
    *_sided("right", "inner_lip", (1, 2)), "upper_inner_lip",
    *_sided("left", "inner_lip", (2, 1, 3)), "lower_inner_lip", "right_inner_lip_3",
)  # fmt: skip

_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HANDS = tuple(
    f"{side}_{part}"
    for side in ("left", "right")
    for part in ("palm", *(f"{finger}_{n}" for finger in _FINGERS for n in (1, 2, 3, 4)))
)


def parents() -> Mapping[str, str]:
    """Return the parent of each joint: ankle, nose, wrist, or the joint before of a finger."""
    found = {joint: f"{joint.partition('_')[0]}_ankle" for joint in FEET}
    found |= dict.fromkeys(FACE, "nose")
    for joint in HANDS:
        side, _, part = joint.partition("_")
        finger, _, number = part.partition("_")
        if part == "palm":
            found[joint] = f"{side}_wrist"
        else:
            found[joint] = f"{side}_{finger}_{int(number) - 1}" if number != "1" else f"{side}_palm"
    return found
