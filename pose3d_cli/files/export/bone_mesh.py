"""A body of slim octahedra, one a bone: a skeleton that moves no mesh is taken for loose points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from pose3d_cli.pose.rig.skeleton import PARENT_INDEX, Rig

_SHORTEST_M = 0.005
_THICK, _WIDEST_M = 0.12, 0.04
_WAIST = 0.2
"""Where a bone is thickest, from its head on."""

# Head 0, waist 1 to 4, tail 5; seen from outside they run counter-clockwise.
_FACES = [(0, i, i % 4 + 1) for i in range(1, 5)] + [(5, i % 4 + 1, i) for i in range(1, 5)]


@dataclass(frozen=True, kw_only=True, eq=False)
class BoneMesh:
    """A mesh in the T-pose of a rig.

    Attributes:
        position: Metres, root at the origin.
        joint: The joint each point moves with.
        triangles: Points, three a triangle.
    """

    position: Float32[np.ndarray, "points 3"]
    joint: UInt8[np.ndarray, " points"]
    triangles: UInt16[np.ndarray, " corners"]


def bone_mesh(rig: Rig) -> BoneMesh:
    """Return a mesh with an octahedron from each joint to each of its children."""
    points: list[np.ndarray] = []
    joints: list[int] = []
    corners: list[int] = []
    for joint, parent in enumerate(PARENT_INDEX):
        if parent < 0 or np.linalg.norm(rig.offset[joint]) < _SHORTEST_M:
            continue
        corners += [6 * len(points) + corner for face in _FACES for corner in face]
        points.append(_octahedron(rig.rest[parent], rig.rest[joint]))
        joints += [parent] * 6
    return BoneMesh(
        position=np.concatenate([*points, np.zeros((0, 3))]).astype(np.float32),
        joint=np.array(joints, np.uint8),
        triangles=np.array(corners, np.uint16),
    )


def _octahedron(head: np.ndarray, tail: np.ndarray) -> np.ndarray:
    along = tail - head
    length = float(np.linalg.norm(along))
    aside = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    aside *= min(_THICK * length, _WIDEST_M) / float(np.linalg.norm(aside))
    other = np.cross(along / length, aside)
    ring = [head + _WAIST * along + step for step in (aside, -other, -aside, other)]
    return np.stack([head, *ring, tail])
