"""Calibrate a camera by an annotation: by pixels, and the points in space that they are of.

Some data sets say where people's joints are, in space and in the picture, and not which camera
relates the two. It follows from the pairs. What is calibrated is the annotation, with all its
frames at once; no pose is fitted, and nothing that a lifter says plays a part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float64
from scipy.linalg import rq

from pose3d_cli.pose.camera import Camera, camera_to_pixels

_LEAST_PAIRS = 12
_ROUNDS = 5
_OUTLIER = 5.0
"""Times the usual residual (robust standard deviation) beyond which a pair has no say."""

_LEAST_SHARE = 0.7
"""Of pairs that must agree: with more outliers than this leaves, nothing is believed."""

_LARGE = 0.01
"""Residual, as a share of how far the pixels spread, that could change a focal length by as much.

It bounds both ways in which pairs can fail: a model that does not hold, and people who hardly move.
"""

_FINEST_PX, _FINEST_PROJECTION_PX = 0.05, 0.01
"""No annotation is trusted to be finer than the one, and no projection than the other."""

_MOST_PAIRS = 6000
_ROUGHLY = 0.1
"""Residual of a first guess, as a share of the pixels' spread, that a lens may leave."""
_MOST_RESIDUAL_PX = 0.5
_MOST_TURN_RAD = 1e-3
"""Uncertainty of a camera's orientation: a millimetre at a joint one metre from the pelvis."""


def fit_camera(
    xy: Float[np.ndarray, "*batch 2"],
    xyz: Float[np.ndarray, "*batch 3"],
    image_size: tuple[int, int],
) -> Camera | None:
    """Return the camera without distortion that maps points in its own axes to their pixels.

    Two straight lines, x = fx X/Z + cx and y = fy Y/Z + cy, each by least squares over the pairs
    that agree with most others.

    Args:
        xy: Pixels; pairs with NaN are left out.
        xyz: Camera axes (x right, y down, z forward), any unit.
        image_size: Width and height of the picture in pixels.

    Returns:
        None where the pairs do not determine a camera: too few, too little apart, too many that
        disagree, a residual above a hundredth of their spread, or axes that run the other way.
    """
    pixels, points = _pairs(xy, xyz)
    in_front = points[:, 2] > 0
    pixels, points = pixels[in_front], points[in_front]
    if len(pixels) < _LEAST_PAIRS:
        return None
    rays = points[:, :2] / points[:, 2:]
    across, down = (_line(rays[:, axis], pixels[:, axis]) for axis in (0, 1))
    if across is None or down is None:
        return None
    matrix = np.array([[across[0], 0, across[1]], [0, down[0], down[1]], [0, 0, 1]])
    camera = Camera(matrix=matrix, distortion=np.zeros(0), image_size=image_size, source="")
    return _sourced(camera, pixels, points)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedCamera:
    """A camera and where it stands.

    Attributes:
        camera: Intrinsics.
        rotation: From the world's axes to the camera's.
        translation: The world's origin in the camera's axes, unit of the points it was fitted to.
    """

    camera: Camera
    rotation: Float64[np.ndarray, "3 3"]
    translation: Float64[np.ndarray, " 3"]

    def to_camera(self, xyz: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """Return points of the world in the camera's axes."""
        moved = xyz.astype(np.float64) @ self.rotation.T + self.translation
        return moved.astype(xyz.dtype)


def fit_placed_camera(
    xy: Float[np.ndarray, "*batch 2"],
    xyz: Float[np.ndarray, "*batch 3"],
    image_size: tuple[int, int],
) -> PlacedCamera | None:
    """Return the camera, lens, place and orientation that map points of a world to their pixels.

    The lens has five coefficients. Leaving it straight where it is not would turn the camera by
    degrees, since a pan and a shift of the principal point look alike.

    Args:
        xy: Pixels, projected and not detected: a twentieth of a pixel of noise is too much for a
            single walk across a room. Pairs with NaN are left out.
        xyz: The world's axes, any of them up but right-handed, any unit.
        image_size: Width and height of the picture in pixels.

    Returns:
        None where the pairs do not determine a camera: too few, all in one plane, a residual above
        half a pixel, an orientation uncertain by a milliradian, or a mirrored world.

    Source: direct linear transformation, Hartley & Zisserman 2004, 7.1; Zhang 2000 as in OpenCV.
    """
    pixels, points = _pairs(xy, xyz)
    if len(pixels) < _LEAST_PAIRS:
        return None
    if len(pixels) > _MOST_PAIRS:
        # By chance, always the same: every so-manieth pair could be of one joint alone.
        some = np.random.default_rng(0).choice(len(pixels), _MOST_PAIRS, replace=False)
        pixels, points = pixels[some], points[some]
    start = _straight_camera(pixels, points)
    return None if start is None else _refined(start, pixels, points, image_size)


def _pairs(
    xy: Float[np.ndarray, "*batch 2"], xyz: Float[np.ndarray, "*batch 3"]
) -> tuple[Float64[np.ndarray, "pairs 2"], Float64[np.ndarray, "pairs 3"]]:
    pixels, points = xy.reshape(-1, 2), xyz.reshape(-1, 3)
    known = np.isfinite(pixels).all(1) & np.isfinite(points).all(1)
    return pixels[known].astype(np.float64), points[known].astype(np.float64)


def _line(
    rays: Float64[np.ndarray, " pairs"], pixels: Float64[np.ndarray, " pairs"]
) -> tuple[float, float] | None:
    """Return slope and height of the line most pairs lie on, None where it is not determined."""
    line = _median_line(rays, pixels)
    agrees = np.ones(len(rays), bool)
    for _ in range(_ROUNDS):
        residual = np.abs(pixels - line[0] * rays - line[1])
        agrees = residual <= _OUTLIER * max(1.4826 * float(np.median(residual)), _FINEST_PX)
        if agrees.sum() < _LEAST_SHARE * len(rays):
            return None
        line = _least_squares(rays[agrees], pixels[agrees])
    residual = pixels[agrees] - line[0] * rays[agrees] - line[1]
    spread = line[0] * float(rays[agrees].std())  # below 0 where the axis runs the other way
    is_large = max(float(residual.std()), _FINEST_PX) > _LARGE * spread
    return None if is_large else line


def _median_line(
    rays: Float64[np.ndarray, " pairs"], pixels: Float64[np.ndarray, " pairs"]
) -> tuple[float, float]:
    """Return a line that a quarter of wrong pairs cannot bend: Theil and Sen's, of far pairs."""
    order = np.argsort(rays, kind="stable")
    half = len(rays) // 2
    near, far = order[:half], order[-half:]
    across = rays[far] - rays[near]
    apart = across > 0
    if not apart.any():
        return 0.0, float(np.median(pixels))
    slope = float(np.median((pixels[far] - pixels[near])[apart] / across[apart]))
    return slope, float(np.median(pixels - slope * rays))


def _least_squares(
    rays: Float64[np.ndarray, " pairs"], pixels: Float64[np.ndarray, " pairs"]
) -> tuple[float, float]:
    centred = rays - rays.mean()
    variance = float(centred @ centred)
    slope = float(centred @ pixels) / variance if variance > 0 else 0.0
    return slope, float(pixels.mean() - slope * rays.mean())


def _sourced(
    camera: Camera, pixels: Float64[np.ndarray, "pairs 2"], points: Float64[np.ndarray, "pairs 3"]
) -> Camera:
    """Return the camera with words on how well it fits."""
    off = np.linalg.norm(camera_to_pixels(points, camera) - pixels, axis=1)
    words = (
        f"fitted to the annotation: {len(pixels)} pairs of pixels and points in space, "
        f"median residual {np.nanmedian(off):.2g} px"
    )
    return replace(camera, source=words)


def _straight_camera(
    pixels: Float64[np.ndarray, "pairs 2"], points: Float64[np.ndarray, "pairs 3"]
) -> Float64[np.ndarray, "3 3"] | None:
    """Return the matrix of intrinsics of a first guess without distortion, if there is one."""
    mean, size = points.mean(0), float(points.std())
    mean_px, size_px = pixels.mean(0), float(pixels.std())
    if not (size > 0 and size_px > 0):
        return None
    x, y = ((pixels - mean_px) / size_px).T[..., None]
    at = np.append((points - mean) / size, np.ones((len(points), 1)), axis=1)
    none = np.zeros_like(at)
    rows = np.concatenate([np.hstack([at, none, -x * at]), np.hstack([none, at, -y * at])])
    projection = np.linalg.svd(rows, full_matrices=False)[2][-1].reshape(3, 4)
    projection *= np.sign(np.median(at @ projection[2]))  # in front of the camera
    shown = at @ projection.T
    off = np.abs(shown[:, :2] / shown[:, 2:] - np.concatenate([x, y], axis=1))
    if not np.median(off) <= _ROUGHLY:
        return None
    upper, rotation = rq(projection[:, :3])
    signs = np.sign(upper.diagonal())
    if not signs.all() or np.linalg.det(rotation * signs[:, None]) < 0:
        return None
    scale = np.array([[size_px, 0, mean_px[0]], [0, size_px, mean_px[1]], [0, 0, 1]])
    matrix = scale @ (upper * signs)
    matrix /= matrix[2, 2]
    matrix[0, 1] = 0
    return np.asarray(matrix)


def _refined(
    matrix: Float64[np.ndarray, "3 3"],
    pixels: Float64[np.ndarray, "pairs 2"],
    points: Float64[np.ndarray, "pairs 3"],
    image_size: tuple[int, int],
) -> PlacedCamera | None:
    """Return the camera with its lens, from a first guess of its intrinsics, if it is sure."""
    middle = points.mean(0)
    try:
        fit = cv2.calibrateCameraExtended(
            [(points - middle).astype(np.float32)],
            [pixels.astype(np.float32)],
            image_size,
            matrix,
            np.zeros(5),
            flags=cv2.CALIB_USE_INTRINSIC_GUESS,
        )
    except cv2.error:
        return None
    residual, matrix, lens, turns, moves, _, uncertain, _ = fit
    turn_rad = float(np.max(uncertain[:3])) * max(1.0, _FINEST_PROJECTION_PX / max(residual, 1e-9))
    if not (residual <= _MOST_RESIDUAL_PX and turn_rad <= _MOST_TURN_RAD):
        return None
    rotation = cv2.Rodrigues(turns[0])[0]
    camera = Camera(
        matrix=np.asarray(matrix), distortion=lens.ravel(), image_size=image_size, source=""
    )
    origin = moves[0].ravel() - rotation @ middle
    placed = PlacedCamera(camera=camera, rotation=rotation, translation=origin)
    return replace(placed, camera=_sourced(camera, pixels, placed.to_camera(points)))
