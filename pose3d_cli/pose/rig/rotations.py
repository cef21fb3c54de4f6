"""From joint positions to joint rotations: trunk by its frames, limbs by swing and hinge.

Axes of animation: Y up, the character faces +Z, its left is at +X; metres. A rotation is local: it
turns a joint, and all that hangs on it, against its parent. At rest all are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

from pose3d_cli.pose.rig.frames import chest_frame, lower_back_frame, pelvis_frame, unit
from pose3d_cli.pose.rig.hinges import Hinge, hinge_axes
from pose3d_cli.pose.rig.skeleton import JOINTS, PARENTS, Rig
from pose3d_cli.pose.rig.turns import continuous, swing
from pose3d_cli.pose.skeleton import H36M17

Turns = dict[str, Rotation]
At = Mapping[str, Float64[np.ndarray, "frames 3"]]

_LEG = Hinge(upper=(0.0, -1.0, 0.0), axis=(1.0, 0.0, 0.0), middle_deg=-50.0)
_ARMS = {
    "left": Hinge(upper=(1.0, 0.0, 0.0), axis=(0.0, -1.0, 0.0), middle_deg=0.0),
    "right": Hinge(upper=(-1.0, 0.0, 0.0), axis=(0.0, 1.0, 0.0), middle_deg=0.0),
}


def animation_axes(
    xyz: Float[np.ndarray, "*batch 3"],
) -> Float64[np.ndarray, "*batch 3"]:
    """Return points of the world (z up) in the axes of animation (Y up).

    x stays X. Programs that turn Y-up files to their own Z up give the world's axes back.
    """
    x, y, z = np.moveaxis(xyz.astype(np.float64), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def constant_bones(
    xyz: Float[np.ndarray, "frames 17 3"], rig: Rig
) -> Float64[np.ndarray, "frames 17 3"]:
    """Return joints with the bones of `rig`, each in its direction in `xyz`, pelvis in its place.

    The hips lie to both sides of the pelvis on a line in the direction from hip to hip.
    """
    at = _named(xyz)
    length = {name: float(np.linalg.norm(rig.of(name))) for name in JOINTS}
    chain = [
        ("pelvis", "spine", "spine"), ("spine", "thorax", "neck"), ("thorax", "nose", "head"),
        ("nose", "head", "crown"),
        *((parent, joint, joint) for parent, joint in H36M17.bones
          if joint.startswith(("left", "right")) and not joint.endswith("hip")),
    ]  # fmt: skip
    out = {"pelvis": at["pelvis"]}
    hips = unit(at["left_hip"] - at["right_hip"])
    out["left_hip"] = out["pelvis"] + hips * length["left_hip"]
    out["right_hip"] = out["pelvis"] - hips * length["right_hip"]
    for parent, joint, bone in chain:
        out[joint] = out[parent] + unit(at[joint] - at[parent]) * length[bone]
    return np.stack([out[joint] for joint in H36M17.joints], axis=1)


def rotations(
    xyz: Float[np.ndarray, "frames 17 3"], rig: Rig, *, fps: float
) -> Float64[np.ndarray, "frames bones 4"]:
    """Return the local rotation of each joint of a rig as quaternions (x, y, z, w).

    Forward kinematics of them, from the pelvis on, gives `constant_bones`. Wrists and ankles, whose
    turn no joint shows, go with forearm and shin.

    Args:
        xyz: Joints of H36M17, in metres, axes of animation, finite.
        rig: Bones of the person.
        fps: Frames a second, for how fast a limb may twist.

    Raises:
        ValueError: A position that is not finite.
    """
    if not np.isfinite(xyz).all():
        raise ValueError("positions must be finite; leave the frames without out")
    at = _named(xyz)
    turns = {
        "pelvis": Rotation.from_matrix(pelvis_frame(at)),
        "lower_back": Rotation.from_matrix(lower_back_frame(at)),
        "spine": Rotation.from_matrix(chest_frame(at)),
    }
    face = Hinge(upper=_direction(rig, "head"), axis=(-1.0, 0.0, 0.0), middle_deg=0.0)
    limbs = [_Limb(face, "spine", ("neck", "head"), ("thorax", "nose", "head"))]
    for side, arm in _ARMS.items():
        turns[f"{side}_collar"] = turns["spine"] * _collar(rig, side, at, turns["spine"])
        points = (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        limbs.append(_Limb(arm, "spine", points[:2], points))
        points = (f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        limbs.append(_Limb(_LEG, "pelvis", points[:2], points))
    for limb in limbs:
        turns |= _limb_turns(limb, rig, at, turns[limb.base], fps)
    local = np.stack([_local(turns, joint) for joint in JOINTS], axis=1)
    return continuous(local)


@dataclass(frozen=True)
class _Limb:
    """A hinge in a rig: what its twist is told against, the joints that turn, the joints seen."""

    hinge: Hinge
    base: str
    joints: tuple[str, ...]
    seen: tuple[str, ...]


def _named(xyz: Float[np.ndarray, "frames 17 3"]) -> At:
    return {joint: xyz[:, i].astype(np.float64) for i, joint in enumerate(H36M17.joints)}


def _direction(rig: Rig, joint: str) -> tuple[float, float, float]:
    """Return the direction of a joint from its parent at rest; up where they coincide."""
    x, y, z = unit(rig.of(joint)[None], np.array([[0.0, 1.0, 0.0]]))[0].tolist()
    return x, y, z


def _collar(rig: Rig, side: str, at: At, chest: Rotation) -> Rotation:
    """Return how a collar bone is turned against the chest: it takes the shoulder to its place."""
    rest = np.array([_direction(rig, f"{side}_shoulder")])
    now = unit(chest.inv().apply(at[f"{side}_shoulder"] - at["thorax"]), rest)
    return swing(np.broadcast_to(rest, now.shape), now, np.array([0.0, 0.0, 1.0]))


def _limb_turns(limb: _Limb, rig: Rig, at: At, base: Rotation, fps: float) -> Turns:
    """Return how the two joints of a limb are turned, against the world."""
    hinge, points = limb.hinge, [at[joint] for joint in limb.seen]
    rest = np.array([hinge.upper])
    upper, lower = (
        unit(base.inv().apply(end - start), rest) for start, end in itertools.pairwise(points)
    )
    axis = hinge_axes(hinge, upper, lower, fps)
    at_rest = _axes(rest, np.array([hinge.axis], np.float64))
    first = base * Rotation.from_matrix(_axes(upper, axis) @ at_rest.swapaxes(1, 2))
    tip = next(joint for joint, parent in PARENTS.items() if parent == limb.joints[1])
    straight = first.apply(_direction(rig, tip))
    second = swing(straight, base.apply(lower), base.apply(axis)) * first
    return dict(zip(limb.joints, (first, second), strict=True))


def _axes(
    one: Float64[np.ndarray, "frames 3"], other: Float64[np.ndarray, "frames 3"]
) -> Float64[np.ndarray, "frames 3 3"]:
    return np.stack([one, other, np.cross(one, other)], axis=-1)


def _local(turns: Turns, joint: str) -> Float64[np.ndarray, "frames 4"]:
    """Return how a joint is turned against its parent; one nothing is told of, not at all."""
    parent = PARENTS[joint]
    if joint not in turns:
        return np.tile([0.0, 0.0, 0.0, 1.0], (len(turns["pelvis"]), 1))
    turn = turns[parent].inv() * turns[joint] if parent else turns[joint]
    return turn.as_quat()
