"""A body: a skinned mesh with clothes, and where it has its joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.learn.rendered.segments import (
    SEGMENTS,
    Point,
    Rotation,
    named,
    parent_of,
    rotations,
)
from pose3d_cli.pose.skeleton import H36M17

Vertices = Float64[np.ndarray, "vertices 3"]

# The segment that carries each joint; the spine's joint lies between pelvis and thorax.
_CARRIED_BY = {
    "pelvis": "pelvis",
    "thorax": "neck",
    "nose": "head",
    "head": "head",
    "hip": "pelvis",
    "knee": "shin",
    "ankle": "foot",
    "shoulder": "upper_arm",
    "elbow": "forearm",
    "wrist": "forearm",
}


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What clothing needs to know of a body beyond its joints.

    Attributes:
        eyes: Point between the eyes.
        eyeballs, brows, lips: Vertices of each.
    """

    eyes: Point
    eyeballs: Int64[np.ndarray, " eyeballs"]
    brows: Int64[np.ndarray, " brows"]
    lips: Int64[np.ndarray, " lips"]


@dataclass(frozen=True, eq=False)
class Body:
    """A body at rest: x to its left, y backwards, z up, metres.

    Attributes:
        vertices: Of the skin or the clothes on it.
        faces: Three vertices each.
        weights: Share of each segment (in the order of `SEGMENTS`) in each vertex' motion.
        joints: Human3.6M joints by name.
        origin: Point that each segment turns about.
        colour: RGB of each vertex, 0 to 255.
    """

    vertices: Vertices
    faces: Int64[np.ndarray, "faces 3"]
    weights: Float64[np.ndarray, "vertices segments"]
    joints: dict[str, Point]
    origin: dict[str, Point]
    colour: Vertices

    def posed(
        self, pose: Float64[np.ndarray, "joints 3"], root: Point
    ) -> tuple[Vertices, Float64[np.ndarray, "joints 3"]]:
        """Return vertices and Human3.6M joints of the body in a pose, in the axes of `pose`.

        The body keeps its own proportions: its joints are near those of `pose`, not the same.

        Args:
            pose: Joints to follow, metres, any axes.
            root: Where the pelvis is.
        """
        turned = rotations(self.joints, named(pose))
        place = self._places(turned, root)
        vertices = np.zeros_like(self.vertices)
        for column, segment in enumerate(SEGMENTS):
            held = self.weights[:, column] > 1e-4
            moved = (self.vertices[held] - self.origin[segment]) @ turned[segment].T
            vertices[held] += self.weights[held, column, None] * (moved + place[segment])
        joints = {
            name: place[s] + turned[s] @ (self.joints[name] - self.origin[s])
            for name in H36M17.joints
            if (s := _carrier(name)) is not None
        }
        joints["spine"] = (joints["pelvis"] + joints["thorax"]) / 2
        return vertices, np.stack([joints[name] for name in H36M17.joints])

    def _places(self, turned: dict[str, Rotation], root: Point) -> dict[str, Point]:
        """Return where the origin of each segment is."""
        place: dict[str, Point] = {}
        for segment in SEGMENTS:
            above = parent_of(segment)
            if above is None:
                place[segment] = root + turned[segment] @ (
                    self.origin[segment] - self.joints["pelvis"]
                )
            else:
                bone = self.origin[segment] - self.origin[above]
                place[segment] = place[above] + turned[above] @ bone
        return place


def _carrier(joint: str) -> str | None:
    """Return the segment that carries a joint; None for one that lies between segments."""
    side, _, kind = joint.rpartition("_")
    segment = _CARRIED_BY.get(kind)
    return segment if not side or segment == "pelvis" or segment is None else f"{side}_{segment}"
