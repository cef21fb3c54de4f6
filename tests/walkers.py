"""Somebody who walks before a level camera, with bones of known length and feet that stand."""

from __future__ import annotations

import numpy as np

from pose3d_cli.pose.clean.motion import Motion, joint
from pose3d_cli.pose.skeleton import H36M17

THIGH, SHANK, HIP = 0.44, 0.42, 0.13
STEP_S = 0.5
SPEED = 1.0
_UPPER = {
    "spine": (0, -0.25, 0), "thorax": (0, -0.5, 0), "nose": (0.05, -0.62, 0),
    "head": (0, -0.75, 0), "left_shoulder": (0, -0.48, 0.17), "left_elbow": (0, -0.2, 0.2),
    "left_wrist": (0.1, 0.05, 0.2), "right_shoulder": (0, -0.48, -0.17),
    "right_elbow": (0, -0.2, -0.2), "right_wrist": (0.1, 0.05, -0.2),
}  # fmt: skip


def walk(seconds=4.0, fps=30.0, *, slide=0.0, time_s=None, start_s=0.0):
    """Walk along x, 5 m before the camera; standing feet slide by `slide` m/s along x."""
    if time_s is None:
        time_s = start_s + np.arange(round(seconds * fps)) / fps
    n = len(time_s)
    root = np.stack([SPEED * time_s - 2, np.zeros(n), np.full(n, 5.0)], -1)
    pose = np.zeros((n, 17, 3))
    for name, place in _UPPER.items():
        pose[:, joint(name)] = place
    for side, across, phase in (("left", HIP, 0.0), ("right", -HIP, STEP_S)):
        hip = np.array([0, 0, across])
        ankle = ankle_path(time_s, across, phase, slide) - root
        pose[:, joint(f"{side}_hip")] = hip
        pose[:, joint(f"{side}_ankle")] = ankle
        pose[:, joint(f"{side}_knee")] = _knee(hip, ankle)
    return Motion(time_s=time_s, root=root, pose=pose, score=np.ones((n, 17)))


def stands(time_s, phase):
    """Whether a foot stands: the first half of every second, from its phase on."""
    return (time_s - phase) % (2 * STEP_S) < STEP_S


def ankle_path(time_s, across, phase, slide=0.0):
    """An ankle that rests for half a second and swings a metre in the next, camera axes."""
    since = (time_s - phase) / (2 * STEP_S)
    number, part = np.floor(since), since % 1
    swing = np.clip((part - 0.5) / 0.5, 0, 1)
    forth = number + swing - np.sin(2 * np.pi * swing) / (2 * np.pi)
    middle = np.clip(part, 0, 0.5) - 0.25
    x = SPEED * (2 * STEP_S * forth + STEP_S / 2 + phase) - 2 + slide * middle * 2 * STEP_S
    height = 0.12 * np.sin(np.pi * swing) ** 2
    return np.stack([x, 0.76 - height, np.full(len(x), 5.0 + across)], -1)


def _knee(hip, ankle):
    line = ankle - hip
    far = np.linalg.norm(line, axis=-1, keepdims=True)
    along = (THIGH**2 - SHANK**2 + far**2) / (2 * far)
    ahead = np.array([1.0, 0, 0]) - line[:, :1] * line / far**2
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    return hip + along * line / far + np.sqrt(THIGH**2 - along**2) * ahead


def bone_lengths_of(motion):
    """Lengths of all bones but the pelvis' own, which is none: (frames, 16)."""
    parent = H36M17.parent_index
    return np.linalg.norm(motion.pose[:, 1:] - motion.pose[:, parent[1:]], axis=-1)
