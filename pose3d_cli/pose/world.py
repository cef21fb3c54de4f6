"""The world a clip is in: upright, metric, on a floor; and how a camera stands in it.

World axes: z up, x to the right as the camera looks, y away from the camera; the origin lies on the
floor below the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float64

ASSUMED = "assumed: the camera is level"
NO_FLOOR = "unknown: z = 0 is the height of the camera"

_LEVEL = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))
"""Camera axes (x right, y down, z forward) to world axes, of a camera that is held level."""


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Where up and the floor are, as a camera sees them.

    Attributes:
        rotation: Takes vectors of camera axes to world axes.
        camera_m: Position of the camera in the world in metres; x and y are 0.
        up: How up was found, in words.
        up_sure_deg: How far it may be off, in degrees (one standard deviation); NaN if unknown.
        floor: How the floor was found, in words.
        floor_sure_m: How far it may be off, in metres (one standard deviation); NaN if unknown.
    """

    rotation: Float64[np.ndarray, "3 3"] = field(default_factory=lambda: np.array(_LEVEL))
    camera_m: Float64[np.ndarray, " 3"] = field(default_factory=lambda: np.zeros(3))
    up: str = ASSUMED
    up_sure_deg: float = np.nan
    floor: str = NO_FLOOR
    floor_sure_m: float = np.nan

    def from_camera(self, xyz: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
        """Return points of camera axes, in metres, in the world."""
        return xyz.astype(np.float64) @ self.rotation.T + self.camera_m

    def to_camera(self, xyz: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
        """Return points of the world, in metres, in camera axes."""
        return (xyz.astype(np.float64) - self.camera_m) @ self.rotation

    @property
    def camera_to_world(self) -> Float64[np.ndarray, "4 4"]:
        """The same as a matrix for homogeneous points."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, self.camera_m
        return matrix


def rotation_with_up(up: Float[np.ndarray, " 3"]) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation from camera axes to world axes.

    Args:
        up: Away from the centre of the earth, in camera axes; of any length.

    Raises:
        ValueError: The camera looks straight up or down, so that nothing is to its right.
    """
    z = up / np.linalg.norm(up)
    ahead = np.array([0.0, 0.0, 1.0]) - z[2] * z
    if np.linalg.norm(ahead) < 1e-3:
        raise ValueError("the camera looks straight up or down")
    y = ahead / np.linalg.norm(ahead)
    return np.stack([np.cross(y, z), y, z])
