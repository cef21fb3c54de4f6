"""The ground of OpenSim: X forward, Y up, Z right; forward is away from the camera.

Which way is forward is free, since gravity knows but up; the world's y is taken, so that who walks
away from the camera walks along X.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64


def ground_axes(xyz: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
    """Return points of the world (z up, y away from the camera) in the axes of OpenSim's ground."""
    return np.asarray(xyz[..., [1, 2, 0]], dtype=np.float64)
