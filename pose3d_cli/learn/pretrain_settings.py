"""Settings of pre-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sampler = Literal["mixed", "span"]
Token = Literal["unseen", "own"]
Target = Literal["change", "output", "coordinates"]


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """What `--stage pretrain` learns from; another stage does not look at it."""

    keypoints: str = ""
    """Folder of keypoint files of your own videos (`pose3d data detect`) to learn from too."""
    keypoint_share: float = 0.5
    """Share of the windows that come from there; the others are generated."""
    test_2d: bool = False
    """Learn from the 2D of the test subjects too, as some papers do; the weights say so."""
    mask: Sampler = "mixed"
    """Which tokens are masked: stretches of joints, of frames and single ones, or spans of joints
    in the order of the skeleton."""
    mask_ratio: float = 0.6
    """Share of the tokens to mask."""
    token: Token = "unseen"
    """What stands for a masked token: the lifter's token of a joint that was never seen, so that it
    knows what to do with one, or a vector of its own, as in the paper."""
    copies: int = 3
    """Differently masked copies of a window for one look of the teacher."""
    target: Target = "change"
    """Predict what the teacher's blocks add to masked tokens, what they put out, or, to compare,
    the tokens' 2D coordinates."""
    target_blocks: int = 0
    """Last blocks of the teacher whose mean is predicted; 0 takes half of them."""
    ema_start: float = 0.999
    """Share of the old teacher that a step keeps, at first."""
    ema_end: float = 0.9999
    """The same, at last."""
    ema_rise: float = 0.3
    """Share of the steps over which it rises from the one to the other."""

    def __post_init__(self) -> None:
        for name in ("mask_ratio", "ema_rise"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} ({getattr(self, name)}) must be above 0, at most 1")
        for name in ("ema_start", "ema_end"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} ({getattr(self, name)}) must be between 0 and 1")
        if not 0 <= self.keypoint_share <= 1:
            raise ValueError(f"keypoint_share ({self.keypoint_share}) must be between 0 and 1")
        if self.copies < 1:
            raise ValueError(f"copies ({self.copies}) must be at least 1")
        if self.target_blocks < 0:
            raise ValueError(f"target_blocks ({self.target_blocks}) must be at least 0")

    def decay(self, step: int, steps: int) -> float:
        """Return the share of the teacher that `step` (from 0) of `steps` keeps."""
        share = min(step / max(self.ema_rise * steps, 1), 1.0)
        return self.ema_start + (self.ema_end - self.ema_start) * share
