"""Human3.6M's true 2D: motion projected by the lens formula that the published files are made with.

Its tangential terms are not OpenCV's; see `h36m_cameras.camera` for what that amounts to.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from pose3d_cli.learn.h36m_cameras import CAMERAS, camera, world_to_camera
from pose3d_cli.learn.h36m_npz import KEPT


def seen_by_all(
    xyz: Float32[np.ndarray, "frames 32 3"], subject: str
) -> list[Float32[np.ndarray, "frames 17 2"]]:
    """Return where each of `CAMERAS` sees the joints of h36m17, in pixels.

    Args:
        xyz: Metres, world axes, the data set's 32 joints.
        subject: Whose recording it is: cameras stood a little otherwise for each.
    """
    world = xyz[:, KEPT]
    return [project(world_to_camera(world, subject, name), name) for name in CAMERAS]


def project(xyz: Float[np.ndarray, "*batch 3"], camera_id: str) -> Float32[np.ndarray, "*batch 2"]:
    """Return where a camera sees points, in pixels.

    With u = (X/Z, Y/Z), held within [-1, 1], and r2 = |u|^2, a pixel is
    focal (u (1 + k1 r2 + k2 r2^2 + k3 r2^3 + p.u) + p r2) + centre.

    Args:
        xyz: Camera axes.
        camera_id: One of `CAMERAS`.

    Source: the projection of VideoPose3D, of which `data_2d_h36m_gt.npz` is made.
    """
    lens = camera(camera_id)
    k1, k2, p1, p2, k3 = lens.distortion  # in OpenCV's order
    shear = np.array([p1, p2])
    points = xyz.astype(np.float64)
    rays = np.clip(points[..., :2] / points[..., 2:], -1, 1)
    r2 = (rays**2).sum(-1, keepdims=True)
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    bent = rays * (radial + (rays * shear).sum(-1, keepdims=True)) + shear * r2
    return (lens.focal_px * bent + lens.centre_px).astype(np.float32)
