"""From any rig's joints to the 17 of H36M, by name: metres, Z up, known faults mended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.motion import Motion
from pose3d_cli.pose.skeleton import H36M17

# Names after prefix, side and marks are gone; the first that a rig has is taken. In rigs that know
# both, `arm` is the shoulder joint and `shoulder` the collar bone.
_LIMBS: Mapping[str, tuple[str, ...]] = {
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "knee": ("leg", "lowerleg", "lowleg", "shin", "calf", "tibia", "knee"),
    "ankle": ("foot", "ankle"),
    "shoulder": ("arm", "upperarm", "uparm", "humerus", "shldr", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "radius", "elbow"),
    "wrist": ("hand", "wrist"),
}
_TRUNK: Mapping[str, tuple[str, ...]] = {
    "thorax": ("lowerneck", "neck", "neck1", "neck01", "neck0"),
    "skull": ("head",),
    "crown": ("headend", "headtopend", "headtop", "headnub", "headendsite", "headsite"),
}

_UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "inch/0.45": 0.0254 / 0.45}
_ADULT_LEG_M = 0.83
_LEG_RANGE_M = (0.5, 1.2)

THORAX_BONE_M = 0.116
"""Length of the bone between chest and neck that conversions of the CMU motions lose."""

FOREARM_TO_UPPER_ARM = 0.905
"""What a forearm measures; CMU's own range from 0.92 to 1.05, converted ones from 0.6."""

_HEAD_M = 0.27
_HEAD_RANGE_M = (0.2, 0.36)

# Middle of the face: shares of the way from the base of the neck to the vertex, up and in front.
_FACE_UP, _FACE_FORWARD = 0.58, 0.31


@dataclass(frozen=True, kw_only=True, eq=False)
class RiggedPose:
    """A motion on the H36M17 skeleton.

    Attributes:
        xyz: Metres, Z up.
        notes: What was guessed and what was mended.
    """

    xyz: Float32[np.ndarray, "frames 17 3"]
    notes: tuple[str, ...]


def to_h36m(motion: Motion, *, metres_per_unit: float | None = None) -> RiggedPose:
    """Find the 17 joints by their names, in metres and Z up, and mend what is known to be wrong.

    Args:
        motion: As read, any axes and unit.
        metres_per_unit: Length of the file's unit. None takes what the file says, or else guesses
            by the length of the legs.

    Raises:
        InputError: A joint that cannot be found, a rest pose known to be wrong, or legs that no
            unit makes those of a person.
    """
    names = [_plain(name) for name in motion.joints]
    if {"abdomen", "chest", "lshldr", "rshldr"} <= set(names):
        raise InputError(
            f"{motion.path}: a DAZ rig; the DAZ-friendly conversion of the CMU motions has wrong "
            "rest offsets (forearm 20 degrees off). Take the original or another conversion"
        )
    place = _find_joints(motion, names)
    unit, unit_note = _unit(motion, place, metres_per_unit)
    motion = replace(motion, xyz=motion.xyz * unit, rest=motion.rest * unit)
    notes = [*motion.notes, unit_note]
    is_cmu = ("left", "hipjoint") in {_side(name) for name in names}
    if is_cmu and _thorax_bone_is_lost(motion, place):
        motion = _with_thorax_bone(motion, place)
        notes.append(f"lost thorax bone of {THORAX_BONE_M} m put back")
    xyz = _joints17(motion, place)
    if is_cmu:
        xyz = _with_forearms(xyz)
        notes.append(f"forearms set to {FOREARM_TO_UPPER_ARM} of the upper arms")
    xyz, up = _z_up(xyz)
    return RiggedPose(xyz=xyz.astype(np.float32), notes=(*notes, f"up was {up}"))


def _plain(name: str) -> str:
    """Return `leftupleg` for `mixamorig:LeftUpLeg`, `lthigh` for `Bip01 L Thigh`."""
    name = name.rsplit(":", 1)[-1]
    name = re.sub(
        r"^(mixamorig\d*|bip0*1|character\d*|valvebiped|def|j_bip)[ _.-]*", "", name, flags=re.I
    )
    return re.sub(r"[^a-z0-9]", "", re.sub(r"(?i)[ _.-](l|r)$", r"\1side", name).lower())


def _side(name: str) -> tuple[str, str]:
    """Return side and part of a plain name; the side is "" where it has none."""
    for side, letter in (("left", "l"), ("right", "r")):
        for mark in (side, letter):
            if name.startswith(mark) and name[len(mark) :] in _PARTS:
                return side, name[len(mark) :]
        for mark in (side, f"{letter}side"):
            if name.endswith(mark) and name[: -len(mark)] in _PARTS:
                return side, name[: -len(mark)]
    return "", name


_PARTS = frozenset(part for parts in _LIMBS.values() for part in parts) | {"hipjoint"}


def _find_joints(motion: Motion, names: Sequence[str]) -> dict[str, int]:
    """Return the place of each limb joint, `thorax`, `skull` and, if there, `crown`."""
    known: dict[tuple[str, str], int] = {}
    for at, name in enumerate(names):
        known.setdefault(_side(name), at)
    wanted = {
        f"{side}_{joint}": [(side, part) for part in parts]
        for side in ("left", "right")
        for joint, parts in _LIMBS.items()
    } | {joint: [("", part) for part in parts] for joint, parts in _TRUNK.items()}
    place = {}
    for joint, spellings in wanted.items():
        found = [known[spelling] for spelling in spellings if spelling in known]
        if found:
            place[joint] = found[0]
    missing = [joint for joint in wanted if joint not in place and joint != "crown"]
    if missing:
        raise InputError(
            f"{motion.path}: no joint found for {', '.join(missing)} among "
            f"{', '.join(motion.joints)}"
        )
    return place


def _unit(motion: Motion, place: Mapping[str, int], given: float | None) -> tuple[float, str]:
    chain = ("hip", "knee", "ankle")
    legs = [[motion.rest[place[f"{side}_{j}"]] for j in chain] for side in ("left", "right")]
    leg = float(np.linalg.norm(np.diff(legs, axis=1), axis=-1).sum() / 2)
    said = given or motion.metres_per_unit
    if said and _LEG_RANGE_M[0] < leg * said < _LEG_RANGE_M[1]:
        return said, f"unit {said:.6g} m ({'given' if given else 'from the file'})"
    if given or not leg > 0:
        raise InputError(f"{motion.path}: legs of {leg * (given or 1):.3g} m are not a person's")
    name = min(_UNITS_M, key=lambda unit: abs(np.log(leg * _UNITS_M[unit] / _ADULT_LEG_M)))
    if not _LEG_RANGE_M[0] < leg * _UNITS_M[name] < _LEG_RANGE_M[1]:
        raise InputError(
            f"{motion.path}: legs of {leg:.3g} units are a person's in none of "
            f"{', '.join(_UNITS_M)}; say the unit"
        )
    return _UNITS_M[name], f"unit guessed {name}: legs of {leg * _UNITS_M[name]:.2f} m"


def _thorax_bone_is_lost(motion: Motion, place: Mapping[str, int]) -> bool:
    """Whether neck and collar bones all begin where the bone below them does."""
    chest = motion.parents[place["thorax"]]
    above = [joint for joint, parent in enumerate(motion.parents) if parent == chest]
    return bool(np.abs(motion.rest[above] - motion.rest[chest]).max() < 1e-3)


def _with_thorax_bone(motion: Motion, place: Mapping[str, int]) -> Motion:
    """Move neck, shoulders and all that hangs on them up by the bone that is lost."""
    chest = motion.parents[place["thorax"]]
    up = motion.rest[chest] - motion.rest[0]
    step = up / np.linalg.norm(up) * THORAX_BONE_M
    moved = np.zeros(len(motion.joints), dtype=bool)
    for joint, parent in enumerate(motion.parents):
        moved[joint] = parent == chest or (parent >= 0 and moved[parent])
    return replace(
        motion,
        rest=motion.rest + moved[:, None] * step,
        xyz=motion.xyz + moved[:, None] * (motion.turn[:, chest] @ step)[:, None],
    )


def _joints17(motion: Motion, place: Mapping[str, int]) -> Float64[np.ndarray, "frames 17 3"]:
    at = {joint: motion.xyz[:, place[joint]] for joint in place}
    at["pelvis"] = (at["left_hip"] + at["right_hip"]) / 2
    at["spine"] = _middle_of_back(motion, place, at["pelvis"])
    at["head"], at["nose"] = _head(motion, place)
    return np.stack([at[joint] for joint in H36M17.joints], axis=1)


def _middle_of_back(
    motion: Motion, place: Mapping[str, int], pelvis: Float64[np.ndarray, "frames 3"]
) -> Float64[np.ndarray, "frames 3"]:
    """Return the point half way along the line from the pelvis up the back to the neck."""
    chain = [place["thorax"]]
    while motion.parents[chain[-1]] > 0:
        chain.append(motion.parents[chain[-1]])
    knots = np.stack([pelvis, *(motion.xyz[:, joint] for joint in reversed(chain))], axis=1)
    piece = np.linalg.norm(np.diff(knots, axis=1), axis=-1)
    before = np.cumsum(piece, axis=1) - piece
    rest = np.clip(piece.sum(1, keepdims=True) / 2 - before, 0, piece)
    share = rest / np.maximum(piece, 1e-9)
    return pelvis + (share[..., None] * np.diff(knots, axis=1)).sum(1)


def _head(
    motion: Motion, place: Mapping[str, int]
) -> tuple[Float64[np.ndarray, "frames 3"], Float64[np.ndarray, "frames 3"]]:
    """Return vertex and middle of the face, fixed to the skull as it is at rest."""
    rest, skull = motion.rest, place["skull"]
    neck = rest[place["thorax"]]
    up = rest[place.get("crown", skull)] - neck
    length = float(np.linalg.norm(up))
    # Some rigs end at the skull's base or in the air: theirs is the direction, ours the length.
    is_head = "crown" in place and _HEAD_RANGE_M[0] < length < _HEAD_RANGE_M[1]
    up *= (length if is_head else _HEAD_M) / max(length, 1e-9)
    forward = np.cross(rest[place["left_hip"]] - rest[place["right_hip"]], up)
    forward *= np.linalg.norm(up) / np.maximum(np.linalg.norm(forward), 1e-9)
    crown, face = (
        motion.xyz[:, skull] + motion.turn[:, skull] @ (point - rest[skull])
        for point in (neck + up, neck + _FACE_UP * up + _FACE_FORWARD * forward)
    )
    return crown, face


def _with_forearms(
    xyz: Float64[np.ndarray, "frames 17 3"],
) -> Float64[np.ndarray, "frames 17 3"]:
    mended = xyz.copy()
    for side in ("left", "right"):
        shoulder, elbow, wrist = (
            H36M17.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist")
        )
        upper = np.linalg.norm(xyz[:, elbow] - xyz[:, shoulder], axis=-1, keepdims=True)
        fore = xyz[:, wrist] - xyz[:, elbow]
        length = np.maximum(np.linalg.norm(fore, axis=-1, keepdims=True), 1e-9)
        mended[:, wrist] = xyz[:, elbow] + fore / length * upper * FOREARM_TO_UPPER_ARM
    return mended


def _z_up(
    xyz: Float64[np.ndarray, "frames 17 3"],
) -> tuple[Float64[np.ndarray, "frames 17 3"], str]:
    """Turn the axis along which necks are above ankles to Z; Y, BVH's habit, if none is clear."""
    ankles = [H36M17.index("left_ankle"), H36M17.index("right_ankle")]
    tall = xyz[:, H36M17.index("thorax")] - xyz[:, ankles].mean(1)
    mean = tall.mean(0) / np.maximum(np.linalg.norm(tall, axis=-1).mean(), 1e-9)
    axis = int(np.abs(mean).argmax()) if np.abs(mean).max() > 0.6 else 1
    sign = -1.0 if mean[axis] < -0.6 else 1.0
    order = [(axis + 1) % 3, (axis + 2) % 3, axis]
    # A cyclic change of axes is a turn; turning the body upside down is half a turn about x.
    return xyz[..., order] * np.array([1.0, sign, sign]), f"{'-' if sign < 0 else ''}{'XYZ'[axis]}"
