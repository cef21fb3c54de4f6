"""People whose joint rotations are known, because they are made of them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose3d_cli.files.results import META_KEYS, ClipResult, PersonResult
from pose3d_cli.pose.rig.motion import forward_kinematics
from pose3d_cli.pose.rig.skeleton import JOINTS, Rig, places_in_h36m, rig_of
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import World

# A T-pose: X to the left of who looks along Z, Y up. Metres.
_LEFT = {
    "hip": (0.12, 1.0, 0), "knee": (0.12, 0.55, 0), "ankle": (0.12, 0.1, 0),
    "shoulder": (0.17, 1.46, 0), "elbow": (0.45, 1.46, 0), "wrist": (0.7, 1.46, 0),
}  # fmt: skip
_MIDDLE = {
    "pelvis": (0, 1, 0), "spine": (0, 1.25, 0), "thorax": (0, 1.5, 0),
    "nose": (0, 1.66, 0.09), "head": (0, 1.77, 0),
}  # fmt: skip
_PLACES = _MIDDLE | {
    f"{side}_{joint}": (sign * x, y, z)
    for side, sign in (("left", 1), ("right", -1))
    for joint, (x, y, z) in _LEFT.items()
}
T_POSE = np.array([[_PLACES[joint] for joint in H36M17.joints]], np.float64)


def adult() -> Rig:
    """Return the bones of the T-pose."""
    return rig_of(T_POSE)


def posed(n_frames: int = 1, **degrees) -> np.ndarray:
    """Return joints (frames, 17, 3) with some joints of the rig turned.

    Args:
        n_frames: Length.
        degrees: Joint to rotation vectors in degrees, (3,) or (frames, 3), against its parent.
    """
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (n_frames, len(JOINTS), 1))
    for joint, vector in degrees.items():
        vectors = np.broadcast_to(np.asarray(vector, np.float64), (n_frames, 3))
        turn[:, JOINTS.index(joint)] = Rotation.from_rotvec(np.deg2rad(vectors)).as_quat()
    root = np.tile([0.0, 1.0, 0.0], (n_frames, 1))
    return forward_kinematics(adult().offset, root, turn)[:, places_in_h36m()]


def walking_round(n_frames: int, fps: float = 30.0) -> np.ndarray:
    """Return somebody who walks a full circle, arms and legs swinging and bending."""
    t = np.arange(n_frames) / fps
    none = np.zeros(n_frames)
    swing = 30 * np.sin(6 * t)
    bend = 25 - 25 * np.cos(12 * t)
    xyz = posed(
        n_frames,
        pelvis=np.stack([none, 360 * t / t[-1] if n_frames > 1 else none, none], -1),
        left_hip=np.stack([-swing, none, none], -1),
        right_hip=np.stack([swing, none, none], -1),
        left_knee=np.stack([bend, none, none], -1),
        right_knee=np.stack([bend, none, none], -1),
        left_shoulder=np.stack([none, none, swing - 60], -1),
        right_shoulder=np.stack([none, -swing, 70 + none], -1),
        left_elbow=np.stack([none, -bend, none], -1),
        right_elbow=np.stack([none, bend, none], -1),
        spine=np.stack([10 + none, swing / 3, none], -1),
        neck=np.stack([none, -swing, none], -1),
    )
    turned = np.deg2rad(360 * t / max(t[-1], 1e-9))
    return xyz + np.stack([np.cos(turned), none, -np.sin(turned)], -1)[:, None]


def turning_oddly(n_frames: int) -> np.ndarray:
    """Return somebody in a pose with no angle at 0, who leans, turns and moves about."""
    t = np.linspace(0, 1, n_frames)[:, None]
    pelvis = np.array([20.0, -30.0, 12.0]) + t * np.array([15.0, 200.0, -25.0])
    xyz = posed(
        n_frames,
        pelvis=pelvis,
        left_hip=(-40, 15, 20),
        right_hip=(10, -25, -8),
        left_knee=(50, 0, 0),
        right_knee=(30, 0, 0),
        left_shoulder=(10, -30, -50),
        right_shoulder=(-20, 15, 65),
        left_elbow=(0, -60, 0),
        right_elbow=(0, 45, 0),
        spine=(12, 9, 6),
    )
    return xyz + t[..., None] * np.array([1.0, 0.2, -2.0])


def result_of(
    people: dict[int, np.ndarray],
    *,
    fps: float = 30.0,
    time_s: np.ndarray | None = None,
    rows: dict[int, np.ndarray] | None = None,
) -> ClipResult:
    """Return a result with people whose joints are in axes of animation.

    Args:
        people: Number to joints (frames, 17, 3).
        fps: Nominal.
        time_s: Of all frames of the clip.
        rows: Number to the frames somebody is in; all of them where it is not said.
    """
    rows = {number: np.arange(len(xyz)) for number, xyz in people.items()} | (rows or {})
    n_frames = max((int(own[-1]) + 1 for own in rows.values()), default=1)
    world = World()
    return ClipResult(
        people=[
            PersonResult(
                person=number,
                rows=rows[number].astype(np.int64),
                xyz_camera=world.to_camera(xyz[..., [0, 2, 1]] * [1, -1, 1]).astype(np.float32),
                xyz_root=(xyz - xyz[:, :1]).astype(np.float32),
                keypoints_px=np.zeros((len(xyz), 17, 2), np.float32),
                score=np.ones((len(xyz), 17), np.float32),
            )
            for number, xyz in people.items()
        ],
        time_s=np.arange(n_frames) / fps if time_s is None else time_s,
        frame=np.arange(n_frames),
        joint_names=H36M17.joints,
        parents=H36M17.parent_index.astype(np.int64),
        meta=dict.fromkeys(META_KEYS, "known") | {"fps": fps},
        world=world,
    )
