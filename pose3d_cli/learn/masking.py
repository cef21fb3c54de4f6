"""Which embedded joints a student does not see. Written once, for every lifter that embeds joints.

Source: `mixed` is ours, after data2vec 2 (arXiv 2212.07525, inverse blocks) and Skeleton2vec
(arXiv 2401.00921, tubes); `span` is what the public snapshot of arXiv 2504.01764 does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pose3d_cli.learn.pretrain_settings import Sampler

_KINDS = 3  # tubes, blocks, single tokens
_RUNS = 6  # runs of frames in a window, on average
_SPAN = 5  # joints, in the order of the skeleton


def mixed(
    windows: int, frames: int, joints: int, ratio: float, random: torch.Generator
) -> Bool[Tensor, "windows frames joints"]:
    """Mask joints over a stretch of time, whole frames, or single tokens: one of these a window.

    Neighbouring frames are nearly equal, so that a token that is masked alone can be copied from
    the next frame; tubes and blocks leave nothing to copy.

    Args:
        windows: How many masks to draw.
        frames: Frames of a window.
        joints: Joints of a frame.
        ratio: Share of the tokens to mask; whole frames come as near to it as they can.
        random: Source of chance.
    """
    order = torch.stack(
        [
            _tubes(windows, frames, joints, random),
            _blocks(windows, frames, joints, random),
            torch.rand(windows, frames, joints, generator=random),
        ]
    )
    kind = torch.randint(_KINDS, (windows,), generator=random)
    tokens = torch.full((windows,), round(ratio * frames * joints))
    tokens = torch.where(kind == 1, round(ratio * frames) * joints, tokens)
    return _first(order[kind, torch.arange(windows)].flatten(1), tokens).view(
        windows, frames, joints
    )


def span(
    windows: int, frames: int, joints: int, ratio: float, random: torch.Generator
) -> Bool[Tensor, "windows frames joints"]:
    """Mask spans of five successive joints in each frame, as many in all frames of a window.

    Spans overlap and the frames of a window are brought down to the smallest count among them: of
    17 joints 6 are masked at any `ratio` from 0.6 to 0.8, and the last one never is.

    Args:
        windows: How many masks to draw.
        frames: Frames of a window.
        joints: Joints of a frame.
        ratio: Nominal share.
        random: Source of chance.
    """
    rows = windows * frames
    starts = joints - _SPAN
    spans = (ratio * joints / _SPAN + torch.rand(rows, generator=random)).long().clamp(1, starts)
    begun = _first(torch.rand(rows, starts, generator=random), spans)
    mask = torch.zeros(rows, joints, dtype=torch.bool)
    for place in range(_SPAN):
        mask[:, place : place + starts] |= begun
    fewest = mask.view(windows, -1, joints).sum(-1).amin(-1).repeat_interleave(frames)
    order = torch.rand(rows, joints, generator=random) + ~mask
    return _first(order, fewest).view(windows, frames, joints)


SAMPLERS: Mapping[Sampler, Callable[..., Bool[Tensor, "windows frames joints"]]] = {
    "mixed": mixed,
    "span": span,
}


def _first(
    order: Float[Tensor, "rows items"], count: Int[Tensor, " rows"]
) -> Bool[Tensor, "rows items"]:
    """Choose the `count` items of each row that come first in its order."""
    return order.argsort(-1).argsort(-1) < count[:, None]


def _tubes(
    windows: int, frames: int, joints: int, random: torch.Generator
) -> Float[Tensor, "windows frames joints"]:
    """Order tokens joint by joint, each over a stretch of a quarter of the window or more."""
    length = frames * (0.25 + 0.75 * torch.rand(windows, 1, joints, generator=random))
    start = (frames - length) * torch.rand(windows, 1, joints, generator=random)
    time = torch.arange(frames)[:, None] + 0.5
    is_outside = (time < start) | (time > start + length)
    joint = torch.rand(windows, 1, joints, generator=random).argsort(-1)
    return joint + joints * is_outside + _in_time(frames)


def _blocks(
    windows: int, frames: int, joints: int, random: torch.Generator
) -> Float[Tensor, "windows frames joints"]:
    """Order tokens run by run of successive whole frames."""
    begins = torch.rand(windows, frames, generator=random) < _RUNS / frames
    run = begins.long().cumsum(-1)
    order = torch.rand(windows, frames + 1, generator=random).argsort(-1).gather(1, run)
    return (order[..., None] + _in_time(frames)).expand(-1, -1, joints)


def _in_time(frames: int) -> Float[Tensor, "frames 1"]:
    """Order what is equal otherwise by time, so that a stretch cut short stays one stretch."""
    return torch.arange(frames)[:, None] / (2 * frames)
