"""What the steps of clean-up take and give: one person's joints over a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.pose.skeleton import H36M17


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """A stretch of one person, h36m17, metres, camera axes.

    Attributes:
        time_s: Seconds, rising; unevenly where the video is.
        root: Pelvis, from the camera; NaN where the person could not be placed.
        pose: Joints relative to the pelvis; NaN where unknown.
        score: How sure the joints' keypoints are, in [0, 1].
    """

    time_s: Float64[np.ndarray, " frames"]
    root: Float64[np.ndarray, "frames 3"]
    pose: Float64[np.ndarray, "frames 17 3"]
    score: Float[np.ndarray, "frames 17"]

    def __post_init__(self) -> None:
        if not len(self.time_s) == len(self.root) == len(self.pose) == len(self.score):
            raise ValueError("times, root, pose and score must have a row a frame each")

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def xyz(self) -> Float64[np.ndarray, "frames 17 3"]:
        """Joints from the camera."""
        return self.pose + self.root[:, None]


def joint(name: str) -> int:
    """Return the place of a joint of h36m17."""
    return H36M17.index(name)
