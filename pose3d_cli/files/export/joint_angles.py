"""Joint angles of a person: how segments are turned, and what counts as 0.

Anatomical axes of a segment: X forward, Y up, Z to the person's right. All are parallel, and all
angles 0, in who stands upright with hanging arms. Angles between two segments are those of the
turns about the parent's Z, then about X, then about the child's own Y, as OpenSim's models and the
recommendation of the ISB for the hip have them: with Z the limb goes forwards, with X aside, and
with Y about itself. Trunk and pelvis in the world turn about the vertical first, then about X, then
about Z (Baker 2001), so that tilt is theirs whichever way they face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial.transform import Rotation

from pose3d_cli.files.export.euler import euler_angles
from pose3d_cli.pose.rig.motion import RigMotion
from pose3d_cli.pose.rig.skeleton import JOINTS

Degrees = Float64[np.ndarray, " frames"]

# Axes of the rig are X left, Y up, Z forward; those of animation are x right as the camera looks,
# y up, z to the camera. Ground: X away from the camera, Y up, Z right.
_ANATOMY = Rotation.from_matrix([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
_GROUND = Rotation.from_matrix([[0, 0, -1], [0, 1, 0], [1, 0, 0]])

SIDES = ("right", "left")
_OUTWARDS = {"right": 1.0, "left": -1.0}
"""Sign with which X and Y count, so that both sides name the same motion alike."""

_HANGING = {
    side: Rotation.from_euler("z", -90 * sign, degrees=True) for side, sign in _OUTWARDS.items()
}
"""From hanging arms to the T-pose of the rig, in axes of the rig."""

_ELBOW = {"right": (0.0, 1.0, 0.0), "left": (0.0, -1.0, 0.0)}
_KNEE = (1.0, 0.0, 0.0)
"""What they bend about, in axes of the rig."""

_TWIST_SHOWS_DEG = 8.0
"""Bend of a limb from which on its plane, and so the turn of its first bone, can be seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ball:
    """A joint that turns about three axes, in degrees.

    Attributes:
        z: With it the child goes forwards.
        x: With it the child goes aside.
        y: With it the child turns about itself.
    """

    z: Degrees
    x: Degrees
    y: Degrees

    def mirrored(self, side: str) -> Ball:
        """Return the same with the signs of a side."""
        sign = _OUTWARDS[side]
        return Ball(z=self.z, x=sign * self.x, y=sign * self.y)


class Body:
    """The segments of a person whose bones turn, and the angles between them.

    Args:
        motion: As an animation.
    """

    def __init__(self, motion: RigMotion) -> None:
        self._turn = {
            joint: Rotation.from_quat(motion.turn[:, place]) for place, joint in enumerate(JOINTS)
        }
        self._chest = self._turn["lower_back"] * self._turn["spine"]

    def pelvis(self, order: str) -> Ball:
        """Return how the pelvis is turned in the ground: `YXZ`, or `ZXY` as OpenSim has it."""
        return _ball(_GROUND * self._turn["pelvis"] * _ANATOMY.inv(), order)

    def trunk(self) -> Ball:
        """Return how the chest is turned in the ground, by Y, X, Z."""
        return _ball(_GROUND * self._turn["pelvis"] * self._chest * _ANATOMY.inv(), "YXZ")

    def back(self) -> Ball:
        """Return how the chest is turned against the pelvis."""
        return _ball(_anatomical(self._chest), "ZXY")

    def hip(self, side: str) -> Ball:
        """Return how a thigh is turned against the pelvis."""
        return _ball(_anatomical(self._turn[f"{side}_hip"]), "ZXY").mirrored(side)

    def shoulder(self, side: str) -> Ball:
        """Return how an upper arm is turned against the chest; the collar bone's part is in it."""
        return _ball(_anatomical(self._arm(side)), "ZXY").mirrored(side)

    def elevation(self, side: str) -> Degrees:
        """Return the angle between an upper arm and the chest's downward axis, 0 to 180."""
        up = self._arm(side).apply([0.0, 1.0, 0.0])[:, 1]
        return np.rad2deg(np.arccos(np.clip(up, -1, 1)))

    def knee(self, side: str) -> Degrees:
        """Return how far a knee is bent."""
        return _bend(self._turn[f"{side}_knee"], _KNEE)

    def elbow(self, side: str) -> Degrees:
        """Return how far an elbow is bent."""
        return _bend(self._turn[f"{side}_elbow"], _ELBOW[side])

    def _arm(self, side: str) -> Rotation:
        """Return how an upper arm is turned from where it hangs, in axes of the chest."""
        seen = self._turn[f"{side}_collar"] * self._turn[f"{side}_shoulder"]
        return seen * _HANGING[side]


def shows_twist(bend: Degrees) -> Bool[np.ndarray, " frames"]:
    """Return where a limb is bent enough to show how its first bone is turned about itself."""
    return bend >= _TWIST_SHOWS_DEG


def _anatomical(turn: Rotation) -> Rotation:
    return _ANATOMY * turn * _ANATOMY.inv()


def _ball(turn: Rotation, order: str) -> Ball:
    """Return the angles of a turn; of all that say the same, those that are least on the whole."""
    angles = plainest(euler_angles(turn.as_quat(), order))
    return Ball(**{axis.lower(): column for axis, column in zip(order, angles.T, strict=True)})


def plainest(angles: Float64[np.ndarray, "frames 3"]) -> Float64[np.ndarray, "frames 3"]:
    """Return a continuous run of angles in degrees, by whole turns and flips as near to 0 as fits.

    Each turn is said by two sets of angles, and by those with whole turns added. A run must not
    change from one to the other, for that is a jump; but where it begins is free.

    Args:
        angles: About three axes, the second between the others; radians.
    """
    flipped = angles * [1, -1, 1] + np.pi
    both = [
        run - np.round(np.median(run, 0) / (2 * np.pi)) * 2 * np.pi for run in (angles, flipped)
    ]
    far = [np.abs(run).sum(-1).mean() for run in both]
    return np.rad2deg(both[int(np.argmin(far))])


def _bend(turn: Rotation, axis: tuple[float, float, float]) -> Degrees:
    """Return how far a hinge is turned about its axis, -180 to 180."""
    quaternion = turn.as_quat()
    sign = np.where(quaternion[:, 3] < 0, -1.0, 1.0)
    along = quaternion[:, :3] @ np.array(axis)
    return np.rad2deg(2 * np.arctan2(sign * along, sign * quaternion[:, 3]))
