"""Settings of `pose3d eval --dataset`. Imports no torch, since the command line needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class BenchmarkSettings:
    """How `pose3d eval --dataset` measures."""

    protocol: str = ""
    """What is averaged over what, what is left out, in which unit; by default the data set's usual
    one."""
    split: Literal["test", "val", "train"] = "test"
    """Part of the data set; `train` flatters weights that learnt from it."""
    keypoints: str = ""
    """2D that is lifted, of those the data set has (h36m: cpn, gt, sh or detectron; mocap: noisy,
    clean or hidden)."""
    windows: Literal["", "video", "tiles", "centred"] = ""
    """How windows are laid: as over a video, side by side, or one round each frame; by default as
    the protocol says."""
    mirror: bool = True
    """Lift the mirror image too and take the mean, as published figures do."""
    limit: int = 0
    """Measure so many clips only, for a quick look; 0 for all."""
    seed: int = 1234
    """Start of the random numbers of a data set drawn by chance (mocap)."""
    takes: int = 128
    """Takes of a data set drawn by chance (mocap)."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""

    def __post_init__(self) -> None:
        if self.limit < 0 or self.takes < 1 or self.seed < 0:
            raise ValueError("limit and seed must be at least 0, takes at least 1")
