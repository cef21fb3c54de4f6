"""A network for MMPose that finds the dots of `draw_figure`; a config imports it by name."""

from __future__ import annotations

import torch
from mmpose.registry import MODELS
from torch import nn
from torch.nn import functional

from tests.pose_nets import dot_colours

TOLERANCE = 1.5


@MODELS.register_module()
class DotFinder(nn.Module):
    """Gives 1 where a dot's colour is met and less than 0 where another colour is."""

    def __init__(self, joints):
        super().__init__()
        self.register_buffer("wanted", torch.from_numpy(dot_colours(joints)))

    def forward(self, x):
        smooth = functional.avg_pool2d(x, 7, 1, 3)
        apart = smooth[:, None] - self.wanted[None, :, :, None, None]
        return (1 - (apart**2).sum(2) / TOLERANCE,)
