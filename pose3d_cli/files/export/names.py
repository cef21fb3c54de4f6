"""What joints of the rig are called, and in which unit, in the files of other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MIXAMO = {
    "pelvis": "Hips", "lower_back": "Spine", "spine": "Spine1",
    "neck": "Neck", "head": "Head", "crown": "HeadTop_End",
}  # fmt: skip
_LIMBS = {
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
    "hand": "HandTop_End", "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "toe": "Toe_End",
}  # fmt: skip

NAMES: Mapping[str, str] = _MIXAMO | {
    f"{side}_{joint}": f"{side.capitalize()}{name}"
    for side in ("left", "right")
    for joint, name in _LIMBS.items()
}
"""Joint of the rig to its name; those that Mixamo and most other programs use."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Names and units of a BVH.

    Attributes:
        names: Joint of the rig to its name.
        metres_per_unit: Length of the file's unit.
    """

    names: Mapping[str, str]
    metres_per_unit: float = 1.0


PRESETS: Mapping[str, Preset] = {
    "blender": Preset(names=NAMES),
    "mixamo": Preset(
        names={joint: f"mixamorig:{name}" for joint, name in NAMES.items()}, metres_per_unit=0.01
    ),
    # The motions of CMU are told in inches, divided by 0.45.
    "cmu": Preset(
        names={**NAMES, "lower_back": "LowerBack", "spine": "Spine"}, metres_per_unit=0.0254 / 0.45
    ),
}

_MARKERS = {
    "pelvis": "Hip", "spine": "Spine", "thorax": "Neck", "nose": "Nose", "head": "Head",
}  # fmt: skip

MARKERS: Mapping[str, str] = _MARKERS | {
    f"{side}_{joint}": f"{side[0].upper()}{joint.capitalize()}"
    for side in ("left", "right")
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
}
"""Joint of H36M17 to the marker of the same place in Halpe26; `Spine` has none there."""
