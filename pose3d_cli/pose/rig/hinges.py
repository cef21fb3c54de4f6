"""The axis about which an elbow or a knee bends, in each frame of a clip.

A bent limb shows its plane, a straight one does not. Between frames that show it the axis goes
evenly from one to the next; it never jumps, and a limb that bends the wrong way by a little, as
noise makes it do, keeps its axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pose3d_cli.pose.rig.turns import swing

_SURE, _UNSURE = np.sin(np.deg2rad([15.0, 8.0]))
"""A plane is believed from the first bend on, until the limb is straighter than the second."""

_SMOOTH_S = 0.08
_WRONG_WAY_DEG = (35.0, 60.0)
"""Bends against the joint's own way are noise below the first, and believed above the second."""


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """A joint between two bones, at rest in the parent's axes.

    Attributes:
        upper: Direction of the first bone in the T-pose.
        axis: What the second bone turns about when the joint bends its own way (right-handed).
        middle_deg: How far the limb is turned about `axis` in the middle of what it can do; the
            direction opposite to that is out of reach, and so is the place without a least turn.
    """

    upper: tuple[float, float, float]
    axis: tuple[float, float, float]
    middle_deg: float

    def usual(self, upper: Float64[np.ndarray, "frames 3"]) -> Float64[np.ndarray, "frames 3"]:
        """Return the axis of a limb that is turned to `upper` and not twisted."""
        axis = np.array(self.axis)
        middle = Rotation.from_rotvec(np.deg2rad(self.middle_deg) * axis).apply(self.upper)
        return swing(np.broadcast_to(middle, upper.shape), upper, axis).apply(axis)


def hinge_axes(
    hinge: Hinge,
    upper: Float64[np.ndarray, "frames 3"],
    lower: Float64[np.ndarray, "frames 3"],
    fps: float,
) -> Float64[np.ndarray, "frames 3"]:
    """Return the axis of a hinge over time, at a right angle to its first bone.

    Args:
        hinge: At rest.
        upper: Unit direction of the first bone, in the axes of what the limb hangs on.
        lower: That of the second.
        fps: Frames a second.
    """
    usual = hinge.usual(upper)
    other = np.cross(upper, usual)
    measured = np.cross(upper, lower)
    # The sine of the bend, turned by how far the limb is twisted from its usual axis.
    bend = (measured * usual).sum(-1) + 1j * (measured * other).sum(-1)
    bend = bend * _trust(bend, (upper * lower).sum(-1))
    width = _SMOOTH_S * fps
    smooth = gaussian_filter1d(bend.real, width, mode="nearest") + 1j * gaussian_filter1d(
        bend.imag, width, mode="nearest"
    )
    twist = _bridged(np.angle(smooth), _is_sure(np.abs(smooth)))
    return np.cos(twist)[:, None] * usual + np.sin(twist)[:, None] * other


def _trust(
    bend: np.ndarray, cosine: Float64[np.ndarray, " frames"]
) -> Float64[np.ndarray, " frames"]:
    """Return 1, less where the joint bends against its own way by less than limbs do."""
    low, high = _WRONG_WAY_DEG
    angle_deg = np.rad2deg(np.arctan2(np.abs(bend), cosine))
    is_far = np.clip((angle_deg - low) / (high - low), 0, 1)
    # From 80 to 100 degrees of twist the rule sets in little by little.
    against = np.clip(0.5 - bend.real / (2 * 0.17 * np.maximum(np.abs(bend), 1e-12)), 0, 1)
    return 1 - against * (1 - is_far)


def _is_sure(size: Float64[np.ndarray, " frames"]) -> Bool[np.ndarray, " frames"]:
    """Return where a plane is believed, with hysteresis."""
    sure = np.zeros(len(size), dtype=bool)
    is_on = False
    for frame, value in enumerate(size.tolist()):
        is_on = value > (_UNSURE if is_on else _SURE)
        sure[frame] = is_on
    return sure


def _bridged(
    angle: Float64[np.ndarray, " frames"], sure: Bool[np.ndarray, " frames"]
) -> Float64[np.ndarray, " frames"]:
    """Return angles that go evenly, the short way, from one sure frame to the next."""
    if not sure.any():
        return np.zeros(len(angle))
    return np.interp(np.arange(len(angle)), np.flatnonzero(sure), np.unwrap(angle[sure]))
