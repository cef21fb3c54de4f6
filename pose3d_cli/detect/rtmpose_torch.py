"""RTMPose by PyTorch, from the published `.pth` files alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from pose3d_cli.detect import simcc
from pose3d_cli.detect.rtmpose_network import RTMPoseNetwork
from pose3d_cli.detect.torch_checkpoint import read_state
from pose3d_cli.detect.torch_run import device_called, with_threads
from pose3d_cli.errors import WeightsError
from pose3d_cli.pose.skeleton import Skeleton

_HALVED = 32  # the backbone's features are at a 32nd of the crop's resolution


class RTMPoseTorch:
    """Finds keypoints in boxes; all people of a picture go through the network at once.

    Args:
        path: A published RTMPose `.pth` file of any size.
        threads: Of the CPU.
        device: auto, cpu, cuda or mps.

    Raises:
        WeightsError: The file is missing, damaged, or of another network.
        DeviceError: The device is not there.
    """

    def __init__(self, path: Path, *, threads: int = 1, device: str = "auto") -> None:
        self._threads, self._device = threads, device_called(device)
        state = read_state(path)
        try:
            self._network = RTMPoseNetwork({name: value.shape for name, value in state.items()})
            trouble = self._network.load_state_dict(state, strict=False)
        except (KeyError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{path}: not the weights of an RTMPose ({error})") from error
        if trouble.missing_keys:
            raise WeightsError(f"{path}: not a whole RTMPose: {trouble.missing_keys[0]} is missing")
        head = self._network.head
        self.size_px = simcc.input_size(head.cls_x.out_features, head.cls_y.out_features)
        width, height = self.size_px
        if (width // _HALVED) * (height // _HALVED) != head.mlp[1].in_features:
            raise WeightsError(f"{path}: not an RTMPose of {width}x{height} crops")
        self.skeleton: Skeleton = simcc.skeleton_of(head.final_layer.out_channels, str(path))
        self._network.to(self._device).eval()

    def keypoints(
        self, image: UInt8[np.ndarray, "height width 3"], box: Float32[np.ndarray, "persons 4"]
    ) -> tuple[Float32[np.ndarray, "persons joints 2"], Float32[np.ndarray, "persons joints"]]:
        """Return keypoints in pixels and their scores; see `PoseNet`."""
        maps = np.stack([simcc.to_crop(one, self.size_px) for one in box])
        crops = torch.from_numpy(simcc.crops(image, maps, self.size_px)).to(self._device)
        with torch.inference_mode(), with_threads(self._threads):
            along_x, along_y = (part.float().cpu().numpy() for part in self._network(crops))
        return simcc.decode(along_x, along_y, maps)
