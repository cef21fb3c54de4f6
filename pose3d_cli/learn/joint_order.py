"""Whether joints can be in the order that they are taken for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pose3d_cli.pose.skeleton import H36M17, other_side

_SAME_LENGTH = 1.4
_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))

_MOST_ABOVE = 0.35
"""How far from the middle of the hips a pelvis may be, as a share of the way to the thorax.

Human3.6M's lies between the hips; that of a model fitted to markers may lie higher in the trunk.
"""


def joint_order_fault(xyz: Float[np.ndarray, "*batch 17 3"], *, is_pelvis_own: bool = False) -> str:
    """Return why joints cannot be in h36m17's order, or "" if they can.

    Two things are true of people in any unit and posture: the pelvis lies between the hips, and
    left and right limbs are equally long. They tell other orders of 17 joints, but not left from
    right.

    Args:
        xyz: Any unit and axes; joints that are NaN throughout are let off, frames with others that
            are NaN are not looked at.
        is_pelvis_own: Whether the data set's pelvis may be one that is not between the hips.
    """
    poses = xyz.reshape(-1, len(H36M17.joints), 3).astype(np.float64)
    known = np.asarray(np.isfinite(poses).all(-1).any(0))
    poses = np.where(known[:, None], poses, 0)
    poses = poses[np.isfinite(poses).all((1, 2))]
    if not known.any() or not len(poses):
        return ""
    at = {joint: poses[:, place] for place, joint in enumerate(H36M17.joints)}

    def apart(a: str, b: str) -> float:
        return float(np.median(np.linalg.norm(at[a] - at[b], axis=-1)))

    at["middle of the hips"] = (at["left_hip"] + at["right_hip"]) / 2
    most = apart("left_hip", "right_hip") / 2
    if is_pelvis_own:
        most = _MOST_ABOVE * apart("thorax", "middle of the hips")
    if apart("pelvis", "middle of the hips") > most:
        lies = "is not near" if is_pelvis_own else "does not lie between"
        return f"what should be the pelvis {lies} what should be the hips"
    for start, end in _LIMBS:
        left = apart(f"left_{start}", f"left_{end}")
        right = apart(other_side(f"left_{start}"), other_side(f"left_{end}"))
        if max(left, right) > _SAME_LENGTH * min(left, right):
            return f"from {start} to {end}, left and right differ in length"
    return ""
