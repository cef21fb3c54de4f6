"""Legs that follow their ankles; where they cannot, the pelvis gives way a little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

from pose3d_cli.pose.clean.legs import Leg, bend_leg, lacking
from pose3d_cli.pose.clean.motion import Motion, joint

_LEGS = tuple(
    (joint(f"{side}_hip"), joint(f"{side}_knee"), joint(f"{side}_ankle"))
    for side in ("left", "right")
)
_ROUNDS = 8
_GIVES_WAY_S = 0.1  # the pelvis, over this time (standard deviation)


def follow(motion: Motion, wanted: Float64[np.ndarray, "frames 2 3"]) -> Motion:
    """Return a motion whose ankles are where they are wanted, as far as its legs reach.

    Args:
        motion: A stretch, all of it placed; its bones keep their lengths.
        wanted: Of the left and the right ankle, metres, camera axes.
    """
    xyz, ahead = motion.xyz, _ahead(motion)
    legs = [Leg(hip=xyz[:, h], knee=xyz[:, k], ankle=xyz[:, a]) for h, k, a in _LEGS]
    shift = np.zeros_like(motion.root)
    frame_s = float(np.median(np.diff(motion.time_s)))
    for _ in range(_ROUNDS):
        lack = np.stack(
            [lacking(leg, leg.hip + shift, wanted[:, foot]) for foot, leg in enumerate(legs)]
        )
        worse = np.linalg.norm(lack, axis=-1).argmax(0)
        step = lack[worse, np.arange(len(shift))]
        shift += gaussian_filter1d(step, _GIVES_WAY_S / frame_s, axis=0, mode="nearest")
    root = motion.root + shift
    pose = motion.pose.copy()
    for foot, (leg, (_, knee, ankle)) in enumerate(zip(legs, _LEGS, strict=True)):
        new_knee, new_ankle = bend_leg(leg, leg.hip + shift, wanted[:, foot], ahead)
        pose[:, knee], pose[:, ankle] = new_knee - root, new_ankle - root
    return replace(motion, root=root, pose=pose)


def _ahead(motion: Motion) -> Float64[np.ndarray, "frames 3"]:
    """Return where the pelvis looks: across the hips and the spine."""
    across = motion.pose[:, joint("left_hip")] - motion.pose[:, joint("right_hip")]
    # Camera axes are right-handed: left hip to the right of the picture means facing the camera.
    ahead = np.cross(across, motion.pose[:, joint("spine")])
    return np.asarray(ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-9))
