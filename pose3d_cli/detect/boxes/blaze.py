"""BlazePose's person detector as one that gives boxes: always there, from weights of ours."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from pose3d_cli.detect.blaze_net import BlazeNet
from pose3d_cli.detect.blaze_person import PersonFinder
from pose3d_cli.files.shipped import shipped


class BlazeBoxes:
    """Finds people as circles round their hips that reach over head and feet.

    Args:
        threads: Threads of the runtime.
        min_score: Least confidence, in [0, 1].

    Raises:
        WeightsError: The weights are missing or unreadable.
    """

    name = "blazepose"

    def __init__(self, *, threads: int = 1, min_score: float = 0.5) -> None:
        net = BlazeNet(shipped("pose_detection.tflite"), threads=threads)
        self._people = PersonFinder(net, min_score=min_score)

    def boxes(self, image: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "persons 5"]:
        """Return the squares round these circles in pixels, and confidence."""
        region, score = self._people.find(np.ascontiguousarray(image))
        centre = region[:, 0]
        reach = np.hypot(*(region[:, 1] - centre).T)[:, None]
        box = [centre - reach, centre + reach, score[:, None]]
        return np.concatenate(box, axis=1).astype(np.float32)
