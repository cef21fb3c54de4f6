"""RTMPose by ONNX Runtime or OpenCV, from the ONNX files of OpenMMLab's SDK."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from pose3d_cli.detect import simcc
from pose3d_cli.detect.boxes.base import PictureNet
from pose3d_cli.errors import WeightsError
from pose3d_cli.pose.skeleton import Skeleton


class RTMPoseOnnx:
    """Finds keypoints in boxes.

    Args:
        net: Of `end2end.onnx` of an RTMPose of any size.

    Raises:
        WeightsError: The file is of another network.
    """

    def __init__(self, net: PictureNet) -> None:
        self._net = net
        self.size_px = width, height = net.input_size
        outputs = self._net.run(np.zeros((1, 3, height, width), np.float32))
        shapes = [output.shape for output in outputs]
        if (
            len(shapes) != 2
            or any(len(shape) != 3 for shape in shapes)
            or simcc.input_size(shapes[0][-1], shapes[1][-1]) != self.size_px
        ):
            raise WeightsError(f"{net.where}: its outputs are {shapes}, not those of an RTMPose")
        self.skeleton: Skeleton = simcc.skeleton_of(shapes[0][1], net.where)

    def keypoints(
        self, image: UInt8[np.ndarray, "height width 3"], box: Float32[np.ndarray, "persons 4"]
    ) -> tuple[Float32[np.ndarray, "persons joints 2"], Float32[np.ndarray, "persons joints"]]:
        """Return keypoints in pixels and their scores; see `PoseNet`."""
        maps = np.stack([simcc.to_crop(one, self.size_px) for one in box])
        along_x, along_y = self._net.run(simcc.crops(image, maps, self.size_px))
        return simcc.decode(along_x, along_y, maps)
