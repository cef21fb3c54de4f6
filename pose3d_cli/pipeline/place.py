"""Root-relative poses to people standing before the camera, in metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from pose3d_cli.lift.base import Lifter
from pose3d_cli.pipeline.mend import Mended
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.place import place_person
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D


@dataclass(frozen=True, eq=False)
class Placed:
    """A stretch of one person in 3D.

    Attributes:
        person: Identity.
        keypoints: On h36m17, as lifted.
        xyz_root: Metres, camera axes, pelvis at the origin.
        xyz_camera: Metres, camera axes, camera at the origin; NaN if it could not be placed.
    """

    person: int
    keypoints: Keypoints2D
    xyz_root: Float32[np.ndarray, "frames joints 3"]
    xyz_camera: Float32[np.ndarray, "frames joints 3"]


def lift_people(
    people: Sequence[Mended], lifter: Lifter, camera: Camera, scale: float, reporter: Reporter
) -> list[Placed]:
    """Lift every stretch of everybody and place it before the camera.

    Args:
        people: Mended keypoints.
        lifter: Gives root-relative poses in metres.
        camera: Of the whole clip.
        scale: Height of the person over that of the lifter's people.
        reporter: Shows progress.
    """
    reporter.stage("lift", sum(len(person.stretches) for person in people))
    stretches = [(p.person, stretch) for p in people for stretch in p.stretches]
    poses = lifter.lift_each((stretch for _, stretch in stretches), camera)
    placed = []
    for (person, stretch), pose in zip(stretches, poses, strict=True):
        xyz = pose.xyz * np.float32(scale)
        placed.append(_place(person, convert(stretch, H36M17), xyz, camera))
        reporter.advance()
    return placed


def _place(
    person: int,
    keypoints: Keypoints2D,
    xyz: Float32[np.ndarray, "frames joints 3"],
    camera: Camera,
) -> Placed:
    root = place_person(xyz, keypoints, camera)
    in_camera = (xyz + root[:, None]).astype(np.float32)
    return Placed(person, keypoints, xyz, in_camera)
