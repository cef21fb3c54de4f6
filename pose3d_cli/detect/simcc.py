"""The crop that RTMPose looks at, and its answer: a histogram along each axis of the crop.

Source: Jiang et al. 2023 (arXiv 2303.07399), Li et al. 2022 (SimCC, arXiv 2107.03332).
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from pose3d_cli.errors import WeightsError
from pose3d_cli.pose.skeleton import COCO17, HALPE26, WHOLEBODY133, Skeleton

_SKELETONS: Mapping[int, Skeleton] = {
    len(skeleton.joints): skeleton for skeleton in (COCO17, HALPE26, WHOLEBODY133)
}
_PADDING = 1.25  # of boxes, as in training
_BINS_PER_PX = 2
# Of RGB. The published conversion of these networks wants RGB too, whatever programs feed it.
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_SPREAD = np.array([58.395, 57.12, 57.375], np.float32)


def to_crop(box: Float[np.ndarray, " 4"], size_px: tuple[int, int]) -> Float64[np.ndarray, "2 3"]:
    """Return the affine map from picture pixels to the crop of a box.

    Args:
        box: Left, top, right, bottom in pixels; it is widened, and made as wide for its height as
            the crop is.
        size_px: Width and height of the crop.
    """
    low, high = box[:2].astype(np.float64), box[2:].astype(np.float64)
    size = np.array(size_px, np.float64)
    scale = float((size / np.maximum((high - low) * _PADDING, 1e-3)).min())
    shift = size / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def crops(
    image: UInt8[np.ndarray, "height width 3"],
    maps: Float64[np.ndarray, "persons 2 3"],
    size_px: tuple[int, int],
) -> Float32[np.ndarray, "persons 3 crop_height crop_width"]:
    """Return the crops of an RGB picture, scaled as the networks want them."""
    cut = [cv2.warpAffine(image, one, size_px, flags=cv2.INTER_LINEAR) for one in maps]
    scaled = (np.stack(cut).astype(np.float32) - _MEAN) / _SPREAD
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def decode(
    along_x: Float32[np.ndarray, "persons joints x_bins"],
    along_y: Float32[np.ndarray, "persons joints y_bins"],
    maps: Float64[np.ndarray, "persons 2 3"],
) -> tuple[Float32[np.ndarray, "persons joints 2"], Float32[np.ndarray, "persons joints"]]:
    """Return keypoints in pixels of the picture and their scores.

    A score is the lower of the two peaks, cut to [0, 1]; where it is not above zero there is no
    keypoint: NaN and 0.
    """
    peak = np.minimum(along_x.max(-1), along_y.max(-1))
    place = np.stack([along_x.argmax(-1), along_y.argmax(-1)], axis=-1) / _BINS_PER_PX
    scale, shift = maps[:, None, 0, :1], maps[:, None, :, 2]
    is_seen: Bool[np.ndarray, "persons joints"] = peak > 0
    xy = np.where(is_seen[..., None], (place - shift) / scale, np.nan)
    return xy.astype(np.float32), np.clip(peak, 0, 1).astype(np.float32)


def input_size(x_bins: int, y_bins: int) -> tuple[int, int]:
    """Return width and height of the crop that a network with so many bins looks at."""
    return x_bins // _BINS_PER_PX, y_bins // _BINS_PER_PX


def skeleton_of(n_joints: int, where: str) -> Skeleton:
    """Return the joints of a network that finds so many.

    Raises:
        WeightsError: No known set has so many.
    """
    if n_joints not in _SKELETONS:
        known = ", ".join(f"{n} ({skeleton.name})" for n, skeleton in _SKELETONS.items())
        raise WeightsError(f"{where}: finds {n_joints} keypoints; known sets have {known}")
    return _SKELETONS[n_joints]
