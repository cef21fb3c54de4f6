"""RTMDet: people's boxes from an ONNX file of MMDeploy.

Source: Lyu et al. 2022 (arXiv 2212.07784); outputs read off the files.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from pose3d_cli.detect.boxes.base import PictureNet, letterbox, surest_first
from pose3d_cli.detect.boxes.yolox import people_of

# Of BGR, which this network wants though RTMPose wants RGB.
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_SPREAD = np.array([57.375, 57.12, 58.395], np.float32)


class RTMDet:
    """Finds people with an RTMDet network of any size.

    Args:
        net: The network.
        name: What it is called in results.
        min_score: Least confidence, in [0, 1].
    """

    def __init__(self, net: PictureNet, *, name: str = "rtmdet", min_score: float = 0.4) -> None:
        self.name = name
        self._net, self._min_score = net, min_score

    def boxes(self, image: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "persons 5"]:
        """Return boxes in pixels and confidence, the surest first."""
        width, height = self._net.input_size
        picture, scale = letterbox(image, width, height)
        scaled = (picture[..., ::-1].astype(np.float32) - _MEAN) / _SPREAD
        outputs = self._net.run(scaled.transpose(2, 0, 1)[None])
        found = people_of(outputs, width, height, self._net.where)
        found[:, :4] /= scale
        return surest_first(found, self._min_score)
