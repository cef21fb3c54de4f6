"""The native RTMPose gives what MMPose gives.

`rtmpose_toy.json` was written by MMPose 1.3.2 with the weights and the input of this test: every
24th bin along x and every 32nd along y. So do not write it anew with `--update-golden`: that would
compare the network with itself.
"""

import numpy as np
import torch

from tests.pose_nets import rtmpose_network


def test_the_histograms_are_mmposes(golden):
    picture = np.sin(np.arange(3 * 256 * 192) * 0.37).reshape(1, 3, 256, 192).astype(np.float32)
    with torch.inference_mode():
        along_x, along_y = rtmpose_network()(torch.from_numpy(picture))
    found = np.stack([along_x[0, :, ::24].numpy(), along_y[0, :, ::32].numpy()])
    golden("rtmpose_toy", found, atol=2e-3)
