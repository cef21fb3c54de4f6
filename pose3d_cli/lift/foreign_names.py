"""What MotionAGFormer calls the tensors of the dual-stream network, and how it orders joints."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import Tensor

_FIXED = {
    "embed": "joints_embed",
    "joint_code": "pos_embed",
    "norm": "norm",
    "represent": "rep_logit.fc",
    "head": "head",
}
_PARTS = {
    "attention.qkv": "mixer.qkv",
    "attention.out": "mixer.proj",
    "convolution.own": "mixer.U",
    "convolution.neighbour": "mixer.V",
    "convolution.norm": "mixer.batch_norm",
    "mlp.0": "mlp.fc1",
    "mlp.2": "mlp.fc2",
    "scale1": "layer_scale_1",
    "scale2": "layer_scale_2",
    "norm1": "norm1",
    "norm2": "norm2",
}
_STREAMS = {"attention": "att", "graph": "graph"}
_AXES = {"over_joints": "spatial", "over_frames": "temporal"}
_UNIT = re.compile(
    rf"blocks\.(?P<block>\d+)\.(?P<stream>{'|'.join(_STREAMS)})\.(?P<axis>{'|'.join(_AXES)})"
    rf"\.(?P<part>{'|'.join(map(re.escape, _PARTS))})(?P<leaf>\.\w+|)"
)
_OF_JOINTS = re.compile(r"joint_code|.*\.graph\.over_joints\.convolution\.norm\.(?!num_).*")


def their_name(ours: str) -> str:
    """Return what MotionAGFormer calls a tensor of the dual-stream network."""
    if unit := _UNIT.fullmatch(ours):
        stream, axis, part = _STREAMS[unit["stream"]], _AXES[unit["axis"]], _PARTS[unit["part"]]
        return f"layers.{unit['block']}.{stream}_{axis}.{part}{unit['leaf']}"
    if fusion := re.fullmatch(r"blocks\.(\d+)\.fuse\.(\w+)", ours):
        return f"layers.{fusion[1]}.fusion.{fusion[2]}"
    name, dot, leaf = ours.partition(".")
    return f"{_FIXED[name]}{dot}{leaf}"


def in_our_order(name: str, theirs: Tensor, place: Sequence[int]) -> Tensor:
    """Return a tensor in the shape and the order of joints that the dual-stream network has.

    Args:
        name: What the dual-stream network calls it.
        theirs: As the checkpoint holds it.
        place: Where the checkpoint's order has each joint of ours.
    """
    if name == "joint_code":
        theirs = theirs.reshape(theirs.shape[-2:])
    if _OF_JOINTS.fullmatch(name) and len(theirs) == len(place):
        return theirs[place]
    return theirs
