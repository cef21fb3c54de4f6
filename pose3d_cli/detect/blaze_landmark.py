"""The BlazePose landmark network: one region of the picture to the 33 keypoints of one person.

Source: Bazarevsky et al. 2020 (arXiv 2006.10204); outputs read off the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from pose3d_cli.detect.blaze_net import BlazeNet
from pose3d_cli.detect.blaze_roi import crop_to_picture, cut, roi_to_crop, side_px
from pose3d_cli.pose.boxes import closeness

_N_POINTS = 39  # 33 keypoints, then helpers
_N_KEYPOINTS = 33
_ROI_POINTS = slice(33, 35)
_MAP_SIDE = 64
_WINDOW = 7
_MIN_PEAK = 0.5
# A joint this far outside the picture, in sides of the region, counts for nothing.
_OUTSIDE_REACH = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Landmarks:
    """One person's keypoints.

    Attributes:
        xy: Pixels.
        score: Confidence in [0, 1].
        roi: Where to look for the person in the next picture.
        presence: How surely this is a person, in [0, 1].
    """

    xy: Float32[np.ndarray, "33 2"]
    score: Float32[np.ndarray, " 33"]
    roi: Float32[np.ndarray, "2 2"]
    presence: float


def sharpen(
    xy: Float[np.ndarray, "points 2"], heat: Float32[np.ndarray, "side side points"]
) -> Float[np.ndarray, "points 2"]:
    """Move points, in the unit square, to the middle of the heat around them where it is clear."""
    side = heat.shape[0]
    cell = np.clip((xy * side).astype(int), 0, side - 1)
    step = np.arange(_WINDOW) - _WINDOW // 2
    rows, columns = cell[:, 1, None] + step, cell[:, 0, None] + step
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[
        :, None
    ]
    point = np.arange(len(xy))[:, None, None]
    at = (np.clip(rows, 0, side - 1)[:, :, None], np.clip(columns, 0, side - 1)[:, None], point)
    weight = np.where(inside, 1 / (1 + np.exp(-heat[at])), 0)
    total = weight.sum((1, 2))
    moved = np.stack(
        [(weight * columns[:, None]).sum((1, 2)), (weight * rows[:, :, None]).sum((1, 2))], axis=1
    )
    clear = weight.max((1, 2)) >= _MIN_PEAK
    return np.where(clear[:, None], moved / np.maximum(total, 1e-9)[:, None] / side, xy)


class KeypointFinder:
    """Finds the keypoints of the person a region points at.

    Args:
        net: The network `pose_landmark_full.tflite`.
    """

    def __init__(self, net: BlazeNet) -> None:
        self._net = net

    def find(
        self, image: UInt8[np.ndarray, "height width 3"], roi: Float[np.ndarray, "2 2"]
    ) -> Landmarks:
        """Return the keypoints of the person in a region of an RGB picture."""
        crop_px = self._net.side_px
        to_crop = roi_to_crop(roi, crop_px)
        self._net.run(cut(image, to_crop, crop_px).astype(np.float32) / 255)
        raw = self._net.output(1, _N_POINTS * 5)[0].reshape(_N_POINTS, 5).astype(np.float64)
        heat = self._net.output(1, _MAP_SIDE, _MAP_SIDE, _N_POINTS)[0]
        xy = crop_to_picture(sharpen(raw[:, :2] / crop_px, heat) * crop_px, to_crop)
        # Visible in the picture, and present in the crop: both as logits.
        sure = (1 / (1 + np.exp(-raw[:_N_KEYPOINTS, 3:5]))).prod(-1)
        height, width = image.shape[:2]
        near = closeness(xy[:_N_KEYPOINTS], width, height, _OUTSIDE_REACH * side_px(roi))
        presence = float(self._net.output(1, 1)[0, 0])
        return Landmarks(
            xy=xy[:_N_KEYPOINTS],
            score=(sure * near * presence).astype(np.float32),
            roi=xy[_ROI_POINTS],
            presence=presence,
        )
