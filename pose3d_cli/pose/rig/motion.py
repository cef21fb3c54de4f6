"""A person's motion as an animation: a root's path and turning joints, at any time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.spatial.transform import Rotation, Slerp

from pose3d_cli.pose.resample import poses_at
from pose3d_cli.pose.rig.rotations import rotations
from pose3d_cli.pose.rig.skeleton import PARENT_INDEX, Rig, places_in_h36m, rig_of
from pose3d_cli.pose.rig.turns import continuous
from pose3d_cli.pose.skeleton import H36M17

Fill = Literal["lines", "hold"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RigMotion:
    """What an animation file holds of a person.

    Attributes:
        rig: Bones.
        time_s: Seconds, rising.
        root: Path of the pelvis, metres, axes of animation.
        turn: Local rotation of each joint as quaternions (x, y, z, w), continuous in sign.
    """

    rig: Rig
    time_s: Float64[np.ndarray, " frames"]
    root: Float64[np.ndarray, "frames 3"]
    turn: Float64[np.ndarray, "frames bones 4"]

    def at(self, time_s: Float64[np.ndarray, " samples"], fill: Fill = "lines") -> RigMotion:
        """Return the motion at other times; the ends are held before and after.

        Args:
            time_s: Seconds, rising.
            fill: Between two moments `lines`: evenly from one to the other; `hold`: as the former.
        """
        if np.array_equal(time_s, self.time_s):
            return self
        if fill == "hold" or len(self.time_s) == 1:
            row = np.searchsorted(self.time_s, time_s + 1e-9, side="right") - 1
            row = np.maximum(row, 0)
            return replace(self, time_s=time_s, root=self.root[row], turn=self.turn[row])
        inside = np.clip(time_s, self.time_s[0], self.time_s[-1])
        turn = [
            Slerp(self.time_s, Rotation.from_quat(self.turn[:, joint]))(inside).as_quat()
            for joint in range(self.turn.shape[1])
        ]
        return replace(
            self,
            time_s=time_s,
            root=poses_at(self.root, self.time_s, inside),
            turn=continuous(np.stack(turn, axis=1)),
        )

    @property
    def joints(self) -> Float64[np.ndarray, "frames bones 3"]:
        """Where each joint of the rig is, in metres."""
        return forward_kinematics(self.rig.offset, self.root, self.turn)


def forward_kinematics(
    offset: Float64[np.ndarray, "bones 3"],
    root: Float64[np.ndarray, "frames 3"],
    turn: Float64[np.ndarray, "frames bones 4"],
) -> Float64[np.ndarray, "frames bones 3"]:
    """Return where the joints of a rig are.

    Args:
        offset: From each joint's parent to the joint, nobody turned.
        root: Path of the root.
        turn: Local rotations as quaternions (x, y, z, w).
    """
    xyz = np.zeros((len(root), len(offset), 3))
    world: list[Rotation] = []
    for joint, parent in enumerate(PARENT_INDEX):
        local = Rotation.from_quat(turn[:, joint])
        if parent < 0:
            xyz[:, joint] = root
            world.append(local)
        else:
            xyz[:, joint] = xyz[:, parent] + world[parent].apply(offset[joint])
            world.append(world[parent] * local)
    return xyz


@dataclass(frozen=True, kw_only=True, eq=False)
class Animated:
    """A motion, and what was done to get it.

    Attributes:
        motion: From the first to the last moment with a pose.
        is_filled: Which of its frames have no pose of their own.
        moved_m: How far constant bones move joints, on average and at most.
    """

    motion: RigMotion
    is_filled: Bool[np.ndarray, " frames"]
    moved_m: tuple[float, float]


def animate(
    xyz: Float[np.ndarray, "frames 17 3"],
    time_s: Float64[np.ndarray, " frames"],
    *,
    fps: float,
    fill: Fill = "lines",
) -> Animated:
    """Return a person's motion; frames at either end without a pose are left out.

    Args:
        xyz: Joints of H36M17 in metres, axes of animation; a frame with a NaN has no pose.
        time_s: Seconds, rising.
        fps: Frames a second, roughly.
        fill: What stands in frames without a pose: see `RigMotion.at`.

    Raises:
        ValueError: No frame with a pose.
    """
    rig = rig_of(xyz)
    known = np.isfinite(xyz).all((1, 2))
    rows = np.flatnonzero(known)
    whole = xyz[rows].astype(np.float64)
    motion = RigMotion(
        rig=rig,
        time_s=time_s[rows],
        root=whole[:, H36M17.index("pelvis")],
        turn=rotations(whole, rig, fps=fps),
    )
    moved = np.linalg.norm(motion.joints[:, places_in_h36m()] - whole, axis=-1)
    span = slice(rows[0], rows[-1] + 1)
    return Animated(
        motion=motion.at(time_s[span], fill),
        is_filled=~known[span],
        moved_m=(float(moved.mean()), float(moved.max())),
    )
