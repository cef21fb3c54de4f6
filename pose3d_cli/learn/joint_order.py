"""Whether joints are in the order they are taken for, where a data set's pelvis is its own."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pose3d_cli.learn.recognise import joint_order_fault
from pose3d_cli.pose.skeleton import H36M17

_MOST_ABOVE = 0.35
"""How far from the middle of the hips a pelvis may be, as a share of the way to the thorax.

Human3.6M's lies between the hips; that of a model fitted to markers may lie higher in the trunk.
"""


def order_fault(xyz: Float[np.ndarray, "frames 17 3"]) -> str:
    """Return why joints cannot be in h36m17's order, or "" if they can.

    As `joint_order_fault`, but joints that a data set lacks (NaN) are let off, and the pelvis may
    be one that is not between the hips.
    """
    at = {joint: xyz[:, place].astype(np.float64) for place, joint in enumerate(H36M17.joints)}
    middle = (at["left_hip"] + at["right_hip"]) / 2
    off = np.linalg.norm(at["pelvis"] - middle, axis=-1)
    trunk = np.linalg.norm(at["thorax"] - middle, axis=-1)
    if np.nanmedian(off) > _MOST_ABOVE * np.nanmedian(trunk):
        return "what should be the pelvis is not near what should be the hips"
    limbs = xyz.astype(np.float64)
    limbs[:, H36M17.index("pelvis")] = middle
    known = np.isfinite(limbs).all(-1).any(0)
    limbs[:, ~known] = 0
    return joint_order_fault(limbs)
