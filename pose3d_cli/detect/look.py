"""What somebody looks like: the colours of the clothes, coarsely."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

_ACROSS = (0.25, 0.75)
_DOWN = (0.15, 0.6)
_POINTS = 40  # of the crop, along each side: more tell nothing new
_BINS = (8, 3, 3)
"""Of hue, saturation and brightness."""
_FEWEST = 50


def look(
    image: UInt8[np.ndarray, "height width 3"], box: Float32[np.ndarray, " 4"]
) -> Float32[np.ndarray, " bins"] | None:
    """Return a histogram of the colours in the middle of a box, where trunk and thighs are.

    Args:
        image: RGB.
        box: Left, top, right, bottom in pixels; may reach beyond the picture.

    Returns:
        Shares that sum to 1; None where too little of the box is in the picture.
    """
    height, width = image.shape[:2]
    low, size = box[:2].astype(float), (box[2:] - box[:2]).astype(float)
    x = np.clip(low[0] + size[0] * np.array(_ACROSS), 0, width).astype(int)
    y = np.clip(low[1] + size[1] * np.array(_DOWN), 0, height).astype(int)
    if (x[1] - x[0]) * (y[1] - y[0]) < _FEWEST:
        return None
    step_x, step_y = (max(1, int(side[1] - side[0]) // _POINTS) for side in (x, y))
    crop = np.ascontiguousarray(image[y[0] : y[1] : step_y, x[0] : x[1] : step_x])
    hsv = cv2.cvtColor(crop, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256])
    return np.asarray(counts.ravel() / counts.sum(), np.float32)
