"""Answers of networks that work in units of the screen, made metres.

Such a network answers in the unit of its input, half the width of the picture. Where Human3.6M
taught it, x and y are where the picture shows a joint, seen from the pelvis, and z has the scale of
the pelvis's depth: neither axes of the camera nor a size. A data set has a rule of its own for what
a unit is; of a video only the person's stature is known, which tells it frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from pose3d_cli.lift.about import WeightsAbout
from pose3d_cli.pose.camera import Camera, pixels_to_rays
from pose3d_cli.pose.place import smooth_depth
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature, statures
from pose3d_cli.pose.types import Keypoints2D

_ROOT = H36M17.index("pelvis")


@dataclass(frozen=True, kw_only=True, eq=False)
class Screen:
    """How screen coordinates are made of pixels, and metres of an answer in their unit.

    Attributes:
        width: Pixels that map to [-1, 1]; None for the picture's longer side.
        metres_per_unit: Metres of a unit in each row of the keypoints; None where nobody knows.
    """

    width: float | None = None
    metres_per_unit: Float64[np.ndarray, " frames"] | None = None


AS_VIDEO = Screen()
"""Of a video, of which no more is known than the size of its pictures."""


def in_metres(
    xyz: Float32[np.ndarray, "frames 17 3"],
    points: Keypoints2D,
    camera: Camera | None,
    screen: Screen,
    about: WeightsAbout,
) -> Float32[np.ndarray, "frames 17 3"]:
    """Return answers in units of the screen as metres: by the data set's rule, or by stature.

    Args:
        xyz: Units of the screen, pelvis at the origin.
        points: What was lifted, h36m17; the pelvis known in every row.
        camera: Undoes the perspective. Without one, x and y stay those of the picture: good in its
            middle, while at its edge a limb that points at the camera seems to point aside.
        screen: How coordinates of the screen are made of pixels.
        about: The weights. `axes` of their `more` says `camera` of those that were taught axes of
            the camera and one scale for all.

    Returns:
        The space of the data set's truth if there is a rule, else axes of the camera and a person
        `about.stature_m` tall.
    """
    if screen.metres_per_unit is not None:
        return (xyz * screen.metres_per_unit[:, None, None]).astype(np.float32)
    if about.more.get("axes") == "camera":
        tall = stature(xyz)
        return (xyz * (about.stature_m / tall if tall > 0 else 1)).astype(np.float32)
    answer = xyz.astype(np.float64)
    if camera is not None:
        answer = _in_camera_axes(answer, points, camera, screen)
    unit_m = _metres_per_unit(answer, points, about.stature_m)
    return (answer * unit_m[:, None, None]).astype(np.float32)


def _metres_per_unit(
    xyz: Float64[np.ndarray, "frames 17 3"], points: Keypoints2D, tall_m: float
) -> Float64[np.ndarray, " frames"]:
    """Return how long a unit is, frame by frame: the farther away the person, the longer.

    A pelvis whose unit is a metre is one focal length away, so it is smoothed as depth is. Frames
    in which the person is hardly seen do not say how tall they are.
    """
    tall, seen = statures(xyz), points.score.mean(1)
    is_known = (tall > 0) & (seen >= np.median(seen) / 2)
    unit_m = np.divide(tall_m, tall, out=np.full_like(tall, np.nan), where=is_known)
    depth = np.stack([0 * unit_m, 0 * unit_m, unit_m], -1)
    return np.nan_to_num(smooth_depth(depth, points.time_s)[:, 2], nan=1.0)


def _in_camera_axes(
    xyz: Float64[np.ndarray, "frames 17 3"], points: Keypoints2D, camera: Camera, screen: Screen
) -> Float64[np.ndarray, "frames 17 3"]:
    """Return joints from the pelvis in camera axes, in the same unit, perspective undone.

    A joint lies on its ray n at the pelvis's depth d plus z; from the pelvis, on the ray m, that is
    n (d + z) - m d. In units of the screen d is the focal length.
    """
    half_px = (screen.width or max(points.image_size)) / 2
    pelvis = points.xy[:, _ROOT, None].astype(np.float64)
    towards = pixels_to_rays(pelvis + half_px * xyz[..., :2], camera)
    focal = float(camera.focal_px[0]) / half_px
    z = xyz[..., 2:]
    flat = (towards - pixels_to_rays(pelvis, camera)) * focal + towards * z
    return np.concatenate([flat, z], -1)
