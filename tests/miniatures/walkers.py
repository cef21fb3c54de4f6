"""People who walk about a room, and cameras that see them, for data sets in small."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from pose3d_cli.learn.synthetic.bodies import draw_lengths, with_lengths
from pose3d_cli.learn.synthetic.postures import ANGLES, draw_postures, pose_of
from pose3d_cli.pose.skeleton import H36M17


def walk(frames, fps, seed, *, radius=1.2, centre=(0.0, 0.0)):
    """Joints (frames, 17, 3) of somebody who walks in a circle: h36m17, metres, Z up."""
    random = torch.Generator().manual_seed(seed)
    postures = draw_postures(1, frames, frames / fps, random)
    pose = with_lengths(postures, draw_lengths(1, random))[0].double().numpy()
    return _led_about(pose, fps, seed, radius, centre)


def walk_with_left_arm_up(frames, fps, seed):
    """The same, upright, facing where they go, with the left arm held up high."""
    angles = torch.zeros(1, frames, len(ANGLES))
    angles[..., ANGLES.index("left_arm_abduction")] = np.radians(150)
    random = torch.Generator().manual_seed(seed)
    pose = with_lengths(pose_of(angles), draw_lengths(1, random))[0].double().numpy()
    return _led_about(pose, fps, seed, 1.2, (0.0, 0.0))


def _led_about(pose, fps, seed, radius, centre):
    angle = seed + np.arange(len(pose)) / fps * 1.3
    sway = 0.95 + 0.03 * np.sin(7 * angle)
    place = np.stack([radius * np.cos(angle), 0.8 * radius * np.sin(angle), sway], -1)
    place[:, :2] += centre
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(len(pose))
    # Bodies face y; who walks in a circle faces along it.
    turns = np.array([[cos, -sin, zero], [sin, cos, zero], [zero, zero, zero + 1]])
    return np.einsum("ijt,tkj->tki", turns, pose) + place[:, None]


@dataclass(frozen=True, eq=False)
class Eye:
    """A camera in the room: intrinsics, OpenCV's distortion, world to camera, picture size."""

    matrix: np.ndarray
    distortion: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    size: tuple[int, int]

    def to_camera(self, xyz):
        return xyz @ self.rotation.T + self.translation

    def project(self, xyz):
        """Pixels of world points, by OpenCV."""
        turn = cv2.Rodrigues(self.rotation)[0]
        points = np.ascontiguousarray(xyz, np.float64).reshape(-1, 1, 3)
        pixels = cv2.projectPoints(points, turn, self.translation, self.matrix, self.distortion)[0]
        return pixels.reshape(*xyz.shape[:-1], 2)


def stand(at, *, focal, centre, size, towards=(0.0, 0.0, 0.9), distortion=(), roll_deg=2.0):
    """An eye at a place in the room that looks towards another, a little askew."""
    forward = np.subtract(towards, at)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    roll = np.radians(roll_deg)
    askew = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation = askew @ rotation
    matrix = np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1.0]])
    bent = np.zeros(5)
    bent[: len(distortion)] = distortion
    return Eye(matrix, bent, rotation, -rotation @ np.array(at), size)


def named(xyz):
    """Joints by name."""
    return {joint: xyz[..., place, :] for place, joint in enumerate(H36M17.joints)}
