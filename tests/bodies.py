"""A body of thin boxes, for tests that render people without a body model."""

import numpy as np
import torch

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.rendered.body import Body, Landmarks
from pose3d_cli.learn.rendered.segments import SEGMENTS, named
from pose3d_cli.learn.synthetic.postures import ANGLES, pose_of
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17

STARTS_AT = {
    "pelvis": "pelvis",
    "chest": "spine",
    "neck": "thorax",
    "head": "thorax",
    "clavicle": "thorax",
    "upper_arm": "shoulder",
    "forearm": "elbow",
    "thigh": "hip",
    "shin": "knee",
    "foot": "ankle",
}
BONE_M = 0.3
STANDS_AT = np.array([0.1, 0.2, 0.9])
# A tetrahedron round the origin.
_CORNERS = 0.05 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
_SIDES = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


def posture(**degrees):
    """Joints (17, 3) of a posture, metres: x to the right, y forwards, z up."""
    angles = torch.zeros(1, 1, len(ANGLES))
    for name, value in degrees.items():
        angles[0, 0, ANGLES.index(name)] = value
    return BONE_M * pose_of(angles)[0, 0].numpy().astype(np.float64)


def at_rest():
    """Joints of a body at rest: x to the left, y backwards, elbows a little bent."""
    pose = posture(left_arm_hinge=20.0, right_arm_hinge=20.0)
    return named(pose * [-1.0, -1.0, 1.0] + STANDS_AT)


def starts_at(segment):
    side, _, limb = segment.partition("_")
    if limb in ("", "clavicle"):
        return STARTS_AT[limb or segment]
    return f"{side}_{STARTS_AT[limb]}"


def boxy():
    """A tetrahedron at the start of every segment and at each end of a limb."""
    rest = at_rest()
    ends = [j for j in H36M17.joints if j.endswith(("wrist", "ankle")) or j == "head"]
    carried = [f"{j.partition('_')[0]}_{'forearm' if 'wrist' in j else 'shin'}" for j in ends]
    carried = ["head" if j == "head" else s for j, s in zip(ends, carried, strict=True)]
    holders = [*SEGMENTS, *carried]
    places = [rest[starts_at(s)] for s in SEGMENTS] + [rest[j] for j in ends]
    vertices = np.concatenate([place + _CORNERS for place in places])
    faces = np.concatenate([_SIDES + 4 * k for k in range(len(places))])
    weights = np.zeros((len(vertices), len(SEGMENTS)))
    for k, holder in enumerate(holders):
        weights[4 * k : 4 * k + 4, SEGMENTS.index(holder)] = 1.0
    origin = {s: rest[starts_at(s)] for s in SEGMENTS}
    return Body(vertices, faces, weights, rest, origin, np.full_like(vertices, 200.0))


def landmarks(body):
    none = np.zeros(0, np.int64)
    return Landmarks(eyes=body.joints["nose"], eyeballs=none, brows=none, lips=none)


class BoxyBodies:
    def draw(self, random):
        body = boxy()
        return body, landmarks(body)


def looking(size=(64, 48), focal=60.0):
    matrix = np.array([[focal, 0.0, size[0] / 2], [0.0, focal, size[1] / 2], [0.0, 0.0, 1.0]])
    return Camera(matrix=matrix, distortion=np.zeros(0), image_size=size, source="test")


def walking(frames=120):
    """Somebody who lifts the left knee and the right arm in turn; Z up, y forwards."""
    pose = [
        posture(left_leg_flexion=40.0 * np.sin(t / 9), right_arm_flexion=60.0 * np.sin(t / 7))
        for t in range(frames)
    ]
    xyz = np.stack(pose).astype(np.float32)
    return MocapClip(
        name="w", subject="s", split="test", category="walk", licence="CC0", fps=50.0, xyz=xyz
    )
