"""Regions: the turned square of the picture in which the landmark network looks for one person.

A region is told by two points: the middle of the hips, and a point on the circle round the
person in the direction of the head.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

MARGIN = 1.25  # the square is this much wider than the circle
_MIN_TILE_PX = 96  # who is small in a smaller square could be seen by nobody


def side_px(roi: Float[np.ndarray, "2 2"]) -> float:
    """Return the side of a region's square in pixels."""
    return float(2 * MARGIN * np.hypot(*(roi[1] - roi[0])))


def roi_to_crop(roi: Float[np.ndarray, "2 2"], crop_px: int) -> Float64[np.ndarray, "2 3"]:
    """Return the affine map from picture pixels to a crop in which the region stands upright."""
    along = roi[1].astype(np.float64) - roi[0]
    scale = crop_px / side_px(roi)
    up_x, up_y = along / np.hypot(*along)
    # Takes the direction of the head, (up_x, up_y), to (0, -1).
    turn = scale * np.array([[-up_y, up_x], [-up_x, -up_y]])
    shift = crop_px / 2 - turn @ roi[0]
    return np.concatenate([turn, shift[:, None]], axis=1)


def cut(
    image: UInt8[np.ndarray, "height width 3"], to_crop: Float64[np.ndarray, "2 3"], crop_px: int
) -> UInt8[np.ndarray, "crop crop 3"]:
    """Return the crop; beyond the border the picture's edge is repeated, as in training."""
    # A crop much smaller than its region would alias: cut it at twice the size, then average.
    finer = 2 if np.hypot(*to_crop[:, 0]) < 0.5 else 1
    size = (finer * crop_px, finer * crop_px)
    crop = cv2.warpAffine(
        image, finer * to_crop, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return (
        crop if finer == 1 else cv2.resize(crop, (crop_px, crop_px), interpolation=cv2.INTER_AREA)
    )


def crop_to_picture(
    xy: Float[np.ndarray, "points 2"], to_crop: Float64[np.ndarray, "2 3"]
) -> Float32[np.ndarray, "points 2"]:
    """Return points of a crop in pixels of the picture."""
    turn, shift = to_crop[:, :2], to_crop[:, 2]
    return np.linalg.solve(turn, (xy - shift).T).T.astype(np.float32)


def tiles(width: int, height: int) -> list[tuple[int, int, int]]:
    """Return squares (left, top, side) to search: the whole picture, then parts of it.

    The network sees 224 px, so small people are found only in parts. These are as wide as the
    short side; a nearly square picture needs none.
    """
    long, short = max(width, height), min(width, height)
    whole = ((width - long) // 2, (height - long) // 2, long)
    return [whole] if long < 1.2 * short else [whole, *_parts(width, height, short)]


def small_tiles(width: int, height: int) -> list[tuple[int, int, int]]:
    """Return squares to search for small people, half as wide as the picture's short side."""
    side = min(width, height) // 2
    return _parts(width, height, side) if side >= _MIN_TILE_PX else []


def _parts(width: int, height: int, side: int) -> list[tuple[int, int, int]]:
    """Return squares that cover a picture and overlap by at least a third."""
    return [(x, y, side) for x in _starts(width, side) for y in _starts(height, side)]


def _starts(length: int, side: int) -> list[int]:
    n_parts = 1 + int(np.ceil((length - side) / (2 / 3 * side)))
    starts: list[int] = np.linspace(0, length - side, n_parts).round().astype(int).tolist()
    return starts
