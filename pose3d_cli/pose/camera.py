"""Cameras and the coordinates they give: pixels, screen, rays and camera, each with its inverse.

Pixels are counted from the top-left corner of the upright picture, x right and y down. Rays are
(x/z, y/z) in camera axes: x right, y down, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.errors import SettingsError
from pose3d_cli.pose.lens import distort, undistort

DEFAULT_FOV_DEG = 55.0
"""Assumed where nothing is known: between a phone's video (about 60) and a longer lens."""

FILM_LONG_SIDE_MM = 36.0
"""Longer side of the frame of 35 mm film, to which equivalent focal lengths refer."""

DISTORTION_LENGTHS = (0, 4, 5, 8, 12)
"""Lengths of the coefficient list that OpenCV's order gives a meaning; tilt (14) is not one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A pinhole camera with a lens.

    Attributes:
        matrix: Pixels: focal lengths on the diagonal, principal point in the last column.
        distortion: Coefficients in OpenCV's order (k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4); empty
            for a lens without distortion.
        image_size: Width and height of the upright picture in pixels.
        source: In words, where these figures come from.
    """

    matrix: np.ndarray
    distortion: Float64[np.ndarray, " coefficients"]
    image_size: tuple[int, int]
    source: str

    def __post_init__(self) -> None:
        _check_matrix(self.matrix)
        if self.distortion.shape not in [(n,) for n in DISTORTION_LENGTHS]:
            lengths = ", ".join(str(n) for n in DISTORTION_LENGTHS)
            raise ValueError(
                f"distortion has shape {self.distortion.shape}; known are {lengths} coefficients "
                "in OpenCV's order (a fisheye model is not supported)"
            )
        if not np.isfinite(self.distortion).all():
            raise ValueError("distortion has coefficients that are no numbers")
        if min(self.image_size) < 1:
            raise ValueError(f"image size {self.image_size} has no area")

    @property
    def focal_px(self) -> Float64[np.ndarray, " 2"]:
        """Focal length across and down, in pixels."""
        return self.matrix.diagonal()[:2]

    @property
    def centre_px(self) -> Float64[np.ndarray, " 2"]:
        """Principal point in pixels."""
        return self.matrix[:2, 2]


def _check_matrix(matrix: np.ndarray) -> None:
    if matrix.shape != (3, 3):
        raise ValueError(f"matrix has shape {matrix.shape}; expected 3 rows of 3 numbers")
    if not np.isfinite(matrix).all():
        raise ValueError("matrix has entries that are no numbers")
    if np.any(matrix.diagonal()[:2] <= 0):
        raise ValueError(
            f"focal lengths are {matrix[0, 0]:g} and {matrix[1, 1]:g} px; both must be positive"
        )
    if matrix[1, 0] or not np.array_equal(matrix[2], [0, 0, 1]):
        raise ValueError("matrix must be [[fx, skew, cx], [0, fy, cy], [0, 0, 1]]")


def _simple_camera(focal_px: float, image_size: tuple[int, int], source: str) -> Camera:
    width, height = image_size
    matrix = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]], np.float64)
    return Camera(matrix=matrix, distortion=np.zeros(0), image_size=image_size, source=source)


def camera_from_fov(
    fov_deg: float, image_size: tuple[int, int], source: str | None = None
) -> Camera:
    """Return the camera that sees `fov_deg` degrees across the longer side of the picture.

    The longer side, so that a phone held upright has the same lens as one held level; in a
    landscape picture this is the usual horizontal field of view.

    Raises:
        SettingsError: An angle outside 1 to 170 degrees.
    """
    if not 1 <= fov_deg <= 170:
        raise SettingsError(f"--fov {fov_deg:g}: must lie between 1 and 170 degrees")
    focal_px = max(image_size) / 2 / np.tan(np.radians(fov_deg) / 2)
    words = f"--fov {fov_deg:g} (degrees across the longer side)"
    return _simple_camera(float(focal_px), image_size, source or words)


def camera_from_focal35(focal_mm: float, image_size: tuple[int, int]) -> Camera:
    """Return the camera of a 35 mm equivalent focal length, 36 mm along the longer side.

    Raises:
        SettingsError: A focal length outside 2 to 2000 mm.
    """
    if not 2 <= focal_mm <= 2000:
        raise SettingsError(f"--focal35 {focal_mm:g}: must lie between 2 and 2000 mm")
    focal_px = max(image_size) * focal_mm / FILM_LONG_SIDE_MM
    return _simple_camera(focal_px, image_size, f"--focal35 {focal_mm:g} (mm)")


def default_camera(image_size: tuple[int, int]) -> Camera:
    """Return the camera assumed where the user says nothing."""
    words = (
        f"assumed {DEFAULT_FOV_DEG:g} degrees across the longer side; "
        "give --fov, --focal35 or --intrinsics if you know better"
    )
    return camera_from_fov(DEFAULT_FOV_DEG, image_size, words)


def scale_camera(camera: Camera, image_size: tuple[int, int]) -> Camera:
    """Return the same camera for its picture shrunk or enlarged to `image_size`.

    Raises:
        ValueError: The shapes of the pictures differ, so that no scale relates them.
    """
    ratio = np.array(image_size) / np.array(camera.image_size)
    # Even sizes are rounded by encoders: one pixel of a side may be lost on the way.
    slack = 1.5 * max(1 / min(image_size), 1 / min(camera.image_size))
    if abs(ratio[0] / ratio[1] - 1) > slack:
        raise ValueError(
            f"calibrated at {_words(camera.image_size)}, but the picture is {_words(image_size)}, "
            "which has another shape (cropped or turned)"
        )
    matrix = np.diag([*ratio, 1.0]) @ camera.matrix
    return replace(camera, matrix=matrix, image_size=image_size)


def _words(image_size: tuple[int, int]) -> str:
    return f"{image_size[0]}x{image_size[1]}"


def camera_record(camera: Camera) -> dict[str, object]:
    """Return `camera` as plain values for a JSON record."""
    return {
        "matrix": camera.matrix.tolist(),
        "distortion": camera.distortion.tolist(),
        "image_size": list(camera.image_size),
        "source": camera.source,
    }


def pixels_to_rays(
    xy: Float[np.ndarray, "*batch 2"], camera: Camera
) -> Float[np.ndarray, "*batch 2"]:
    """Map pixels to rays (x/z, y/z), the lens undone; computed in float64, given in xy's type.

    A pixel that no ray reaches through this lens gets a ray at the edge of what the lens maps, so
    rays are finite where `xy` is; they are NaN where it is NaN.
    """
    fx, fy = camera.focal_px
    centred = xy.astype(np.float64) - camera.centre_px
    y = centred[..., 1] / fy
    x = (centred[..., 0] - camera.matrix[0, 1] * y) / fx
    return undistort(np.stack([x, y], -1), camera.distortion).astype(xy.dtype)


def rays_to_pixels(
    rays: Float[np.ndarray, "*batch 2"], camera: Camera
) -> Float[np.ndarray, "*batch 2"]:
    """Undo `pixels_to_rays`."""
    bent = distort(rays.astype(np.float64), camera.distortion)
    return (bent @ camera.matrix[:2, :2].T + camera.centre_px).astype(rays.dtype)


def camera_to_pixels(
    xyz: Float[np.ndarray, "*batch 3"], camera: Camera
) -> Float[np.ndarray, "*batch 2"]:
    """Map points in camera axes, in any unit, to pixels; NaN for points behind the camera."""
    depth = np.where(xyz[..., 2:] > 0, xyz[..., 2:], np.nan)
    return rays_to_pixels(xyz[..., :2] / depth, camera)


def pixels_to_screen(
    xy: Float[np.ndarray, "*batch 2"], image_size: tuple[int, int], width: float | None = None
) -> Float[np.ndarray, "*batch 2"]:
    """Map pixels to [-1, 1], 0 in the middle of the picture; both axes share one scale.

    Args:
        xy: Pixels.
        image_size: Width and height of the picture in pixels.
        width: Pixels that map to [-1, 1]. None takes the longer side; the papers' x / w * 2 - 1
            takes the width even of Human3.6M's pictures of 1000x1002.
    """
    return (xy - np.array(image_size, xy.dtype) / 2) * (2 / (width or max(image_size)))


def screen_to_pixels(
    xy: Float[np.ndarray, "*batch 2"], image_size: tuple[int, int], width: float | None = None
) -> Float[np.ndarray, "*batch 2"]:
    """Undo `pixels_to_screen`."""
    return xy * ((width or max(image_size)) / 2) + np.array(image_size, xy.dtype) / 2
