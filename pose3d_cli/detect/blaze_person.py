"""The BlazePose person detector: where in the picture people stand, as regions.

Source: Bazarevsky et al. 2020 (arXiv 2006.10204); anchors and outputs read off the network.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from pose3d_cli.detect.blaze_net import BlazeNet
from pose3d_cli.detect.blaze_roi import small_tiles, tiles
from pose3d_cli.pose.boxes import keep_best

_GRIDS = ((28, 2), (14, 2), (7, 6))  # cells a side, anchors a cell
_N_ANCHORS = sum(side * side * per_cell for side, per_cell in _GRIDS)
_N_NUMBERS = 12  # box centre and size, then four points
_MAX_OVERLAP = 0.3
_MIN_SCORE_SMALL = 0.7

Found = tuple[Float32[np.ndarray, "people 2 2"], Float32[np.ndarray, " people"]]
"""A region for each person, and how sure it is."""


def anchors() -> Float64[np.ndarray, "anchors 2"]:
    """Return the anchor centres, the picture being the unit square."""
    found = []
    for side, per_cell in _GRIDS:
        y, x = np.mgrid[:side, :side]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / side
        found.append(np.repeat(centres, per_cell, axis=0))
    return np.concatenate(found)


class PersonFinder:
    """Finds people over the whole picture and in overlapping parts of it.

    Args:
        net: The network `pose_detection.tflite`.
        min_score: Least confidence, in [0, 1].
    """

    def __init__(self, net: BlazeNet, *, min_score: float = 0.5) -> None:
        self._net = net
        self._min_score = min_score
        self._anchors = anchors()

    def find(self, image: UInt8[np.ndarray, "height width 3"]) -> Found:
        """Return a region for each person found and how sure it is, the surest first."""
        height, width = image.shape[:2]
        return self._in_squares(image, tiles(width, height), self._min_score)

    def find_small(self, image: UInt8[np.ndarray, "height width 3"]) -> Found:
        """Return the same of people whom `find` misses as too small, and of others again.

        Of a large person a small square shows a part, which may look like a whole one.
        """
        height, width = image.shape[:2]
        least = max(self._min_score, _MIN_SCORE_SMALL)
        return self._in_squares(image, small_tiles(width, height), least)

    def _in_squares(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        squares: Sequence[tuple[int, int, int]],
        min_score: float,
    ) -> Found:
        if not squares:
            return np.zeros((0, 2, 2), np.float32), np.zeros(0, np.float32)
        found = [self._in_square(image, *square, min_score) for square in squares]
        box, score, roi = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = keep_best(box, score, _MAX_OVERLAP)
        return roi[kept].astype(np.float32), score[kept].astype(np.float32)

    def _in_square(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        left: int,
        top: int,
        side: int,
        min_score: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return boxes (n, 4), scores (n,) and regions (n, 2, 2) in pixels of the picture."""
        scale = self._net.side_px / side
        to_square = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        size = (self._net.side_px, self._net.side_px)
        picture = cv2.warpAffine(image, to_square, size, flags=cv2.INTER_LINEAR)
        self._net.run(picture.astype(np.float32) / 127.5 - 1)
        logit = self._net.output(1, _N_ANCHORS, 1)[0, :, 0].astype(np.float64)
        score = 1 / (1 + np.exp(-np.clip(logit, -100, 100)))
        sure = score > min_score
        numbers = self._net.output(1, _N_ANCHORS, _N_NUMBERS)[0, sure].astype(np.float64)
        points = numbers.reshape(-1, 6, 2) / self._net.side_px
        centre, half = points[:, 0] + self._anchors[sure], points[:, 1] / 2
        origin = np.array([left, top])
        box = np.concatenate([centre - half, centre + half], axis=1) * side + np.tile(origin, 2)
        roi = (points[:, 2:4] + self._anchors[sure, None]) * side + origin
        return box, score[sure], roi
