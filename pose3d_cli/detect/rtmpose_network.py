"""RTMPose in plain PyTorch, so that its published weights need nothing else.

Names of parameters follow the published files; every size is read off them, so that one module
serves t, s, m, l and x, 17, 26 and 133 keypoints, 256x192 and 384x288.

Source: Jiang et al. 2023 (arXiv 2303.07399): a CSPNeXt backbone, of Lyu et al. 2022 (RTMDet,
arXiv 2212.07784), and a SimCC head with one gated attention unit, of Hua et al. 2022 (arXiv
2202.10447). Differs in: nothing; tests compare its numbers with MMPose's.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_POOLS = (5, 9, 13)
_STAGES = (1, 2, 3, 4)
_Sizes = Mapping[str, torch.Size]


class ConvUnit(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(
        self, inner: int, outer: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outer)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Return the features, at half the resolution where the stride is 2."""
        return functional.silu(self.bn(self.conv(x)))


class SeparableUnit(nn.Module):
    """A convolution for each channel, then one over channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvUnit(width, width, 5, groups=width)
        self.pointwise_conv = ConvUnit(width, width, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the features, same shape."""
        return self.pointwise_conv(self.depthwise_conv(x))


class CSPNeXtBlock(nn.Module):
    """Two convolutions, the second a wide separable one, with or without a way round them."""

    def __init__(self, width: int, *, residual: bool) -> None:
        super().__init__()
        self.conv1 = ConvUnit(width, width, 3)
        self.conv2 = SeparableUnit(width)
        self._residual = residual

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the features, same shape."""
        y = self.conv2(self.conv1(x))
        return x + y if self._residual else y


class ChannelAttention(nn.Module):
    """Weighs channels by what they are over the whole crop."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(width, width, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the features, same shape."""
        return x * functional.hardsigmoid(self.fc(functional.adaptive_avg_pool2d(x, 1)))


class CSPLayer(nn.Module):
    """Half of the channels through blocks, half past them, weighed and mixed."""

    def __init__(self, width: int, blocks: int, *, residual: bool) -> None:
        super().__init__()
        half = width // 2
        self.main_conv, self.short_conv = ConvUnit(width, half, 1), ConvUnit(width, half, 1)
        self.final_conv = ConvUnit(2 * half, width, 1)
        self.blocks = nn.Sequential(*(CSPNeXtBlock(half, residual=residual) for _ in range(blocks)))
        self.attention = ChannelAttention(2 * half)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the features, same shape."""
        both = torch.cat([self.blocks(self.main_conv(x)), self.short_conv(x)], 1)
        return self.final_conv(self.attention(both))


class PoolPyramid(nn.Module):
    """The features beside their maxima over ever wider surroundings."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvUnit(width, width // 2, 1)
        self.conv2 = ConvUnit(2 * width, width, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the features, same shape."""
        y = self.conv1(x)
        pooled = [functional.max_pool2d(y, side, 1, side // 2) for side in _POOLS]
        return self.conv2(torch.cat([y, *pooled], 1))


class CSPNeXt(nn.Module):
    """The backbone: a crop to features at a 32nd of its resolution."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        first = sizes["backbone.stem.0.conv.weight"][0]
        width = sizes["backbone.stem.2.conv.weight"][0]
        self.stem = nn.Sequential(
            ConvUnit(3, first, 3, stride=2), ConvUnit(first, first, 3), ConvUnit(first, width, 3)
        )
        for stage in _STAGES:
            wider = sizes[f"backbone.stage{stage}.0.conv.weight"][0]
            last = stage == _STAGES[-1]
            prefix = f"backbone.stage{stage}.{2 if last else 1}.blocks."
            blocks = len({name[len(prefix) :].split(".")[0] for name in sizes if prefix in name})
            pool = [PoolPyramid(wider)] if last else []
            layer = CSPLayer(wider, blocks, residual=not last)
            unit = nn.Sequential(ConvUnit(width, wider, 3, stride=2), *pool, layer)
            self.add_module(f"stage{stage}", unit)
            width = wider

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c i j"]:
        """Return the features."""
        for part in self.children():
            x = part(x)
        return x


class ScaleNorm(nn.Module):
    """Divides by the length of the vector; one learnt factor."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))
        self._per_unit = width**-0.5

    def forward(self, x: Float[Tensor, "b k d"]) -> Float[Tensor, "b k d"]:
        """Return the vectors, same shape."""
        length = x.norm(dim=-1, keepdim=True) * self._per_unit
        return x / length.clamp(min=1e-5) * self.g


class Scale(nn.Module):
    """A learnt factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "b k d"]) -> Float[Tensor, "b k d"]:
        """Return the vectors, same shape."""
        return x * self.scale


class GatedAttention(nn.Module):
    """Attention between keypoints with squared ReLU in place of softmax, gated."""

    def __init__(self, width: int, hidden: int, key: int) -> None:
        super().__init__()
        self._split, self._per_key = [hidden, hidden, key], key**-0.5
        self.uv = nn.Linear(width, 2 * hidden + key, bias=False)
        self.o = nn.Linear(hidden, width, bias=False)
        self.gamma = nn.Parameter(torch.zeros(2, key))
        self.beta = nn.Parameter(torch.zeros(2, key))
        self.ln = ScaleNorm(width)
        self.res_scale = Scale(width)

    def forward(self, x: Float[Tensor, "b k d"]) -> Float[Tensor, "b k d"]:
        """Return the vectors, same shape."""
        mixed = functional.silu(self.uv(self.ln(x)))
        gate, value, base = torch.split(mixed, self._split, -1)
        query, key = (base[..., None, :] * self.gamma + self.beta).unbind(-2)
        weight = functional.relu(query @ key.transpose(1, 2) * self._per_key) ** 2
        return self.res_scale(x) + self.o(gate * (weight @ value))


class SimCCHead(nn.Module):
    """Features to one histogram along x and one along y for each keypoint."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        joints, width, kernel, _ = sizes["head.final_layer.weight"]
        inner, flat = sizes["head.mlp.1.weight"]
        self.final_layer = nn.Conv2d(width, joints, kernel, padding=kernel // 2)
        self.mlp = nn.Sequential(ScaleNorm(flat), nn.Linear(flat, inner, bias=False))
        self.gau = GatedAttention(inner, sizes["head.gau.o.weight"][1], sizes["head.gau.gamma"][1])
        self.cls_x = nn.Linear(inner, sizes["head.cls_x.weight"][0], bias=False)
        self.cls_y = nn.Linear(inner, sizes["head.cls_y.weight"][0], bias=False)

    def forward(
        self, x: Float[Tensor, "b c i j"]
    ) -> tuple[Float[Tensor, "b k x"], Float[Tensor, "b k y"]]:
        """Return the histograms."""
        y = self.gau(self.mlp(self.final_layer(x).flatten(2)))
        return self.cls_x(y), self.cls_y(y)


class RTMPoseNetwork(nn.Module):
    """RTMPose of the sizes that a table of tensors has.

    Args:
        sizes: Shapes of the published file's tensors, by name.

    Raises:
        KeyError: A tensor that every RTMPose has is missing.
    """

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        self.backbone = CSPNeXt(sizes)
        self.head = SimCCHead(sizes)

    def forward(
        self, x: Float[Tensor, "b 3 h w"]
    ) -> tuple[Float[Tensor, "b k x"], Float[Tensor, "b k y"]]:
        """Return histograms along x and y, two bins a pixel of the crop."""
        return self.head(self.backbone(x))
