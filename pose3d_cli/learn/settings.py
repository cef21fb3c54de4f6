"""Settings of a training run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

_LARGEST = 2**63  # what a random generator takes as its start

# What values make sense, in words; the names are of settings.
_RULES: tuple[tuple[Callable[[float], bool], str, tuple[str, ...]], ...] = (
    (
        lambda value: value >= 1,
        "at least 1",
        (
            "steps",
            "batch",
            "single_batch",
            "single_spread",
            "accumulate",
            "validate_every",
            "checkpoint_every",
        ),
    ),
    (
        lambda value: 0 < value < math.inf,
        "a number above 0",
        ("lr", "window_lr", "clip", "rate_hz"),
    ),
    (
        lambda value: 0 <= value < _LARGEST,
        "a number, at least 0 and below 2**63",
        (
            "learnt_lr",
            "final_lr",
            "warmup",
            "weight_decay",
            "scale_loss",
            "velocity_loss",
            "freeze",
            "seed",
            "passes",
            "stride",
        ),
    ),
    (
        lambda value: 0 <= value <= 1,
        "between 0 and 1",
        ("single_frames", "score_loss", "short_clips", "hidden_limbs"),
    ),
    (lambda value: 0 < value <= 1, "above 0 and at most 1", ("layer_decay", "labels", "decay")),
)

Precision = Literal["auto", "bf16", "fp32"]
Kind = Literal["muon", "adamw", "amsgrad"]
Schedule = Literal["cosine", "exponential"]


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """What a run is made of; written into its checkpoints and weights."""

    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = (("steps", "passes"),)

    lifter: str = "dualstream"
    """Name of the lifter."""
    preset: str = "xs"
    """Named settings of the lifter."""
    network: str = ""
    """Changes to the preset, such as `frames=81,streams=gcn`."""
    stage: Literal["pretrain", "finetune", "upright"] = "finetune"
    """`pretrain` learns from 2D alone what goes with what, `finetune` learns 3D from pairs;
    `upright` is no lifter: it learns to say which way is up."""
    short_clips: float = 0.0
    """Share of the windows that show a clip too short to fill them, reflected as it is lifted."""
    detector_noise: str = "measured"
    """How the generator's detector errs: as `measured`, as `blazepose` or `movenet` alone, with
    plain `gaussian` noise, or as a .toml file of `pose3d bench detector --write-noise` says."""
    hidden_limbs: float = 0.0
    """Share of fine-tuning's windows in which some arms or legs are never seen."""
    labels: float = 1.0
    """Share of the training clips whose 3D is looked at; pre-training sees the 2D of all."""
    steps: int = 6000
    """Optimiser steps, both phases together; `--time-budget` may set it from measured speed."""
    passes: float = 0.0
    """Passes over the windows of a data set, which say how many steps there are in place of
    `steps`; of packed motion there is no end to pass to."""
    stride: int = 0
    """Frames from the start of one window of a data set to that of the next; 0 takes a third of a
    window."""
    single_frames: float = 0.75
    """Share of the steps that learn from frames alone before time is added (0 for lifters that
    cannot)."""
    batch: int = 32
    """Windows in a step."""
    single_batch: int = 128
    """Windows in a step of the single-frame phase."""
    single_spread: int = 3
    """Frames drawn from each window in that phase, spread over its length."""
    accumulate: int = 1
    """Batches whose gradients are added up for a step: a larger batch than memory holds."""
    optimiser: Kind = "muon"
    """`muon` learns more in a step where matrices are small; `adamw` is cheaper where they are
    large; `amsgrad` is AdamW that never lets its view of a gradient's size shrink."""
    lr: float = 1e-3
    """Highest learning rate."""
    window_lr: float = 5e-4
    """Highest learning rate once time is added."""
    learnt_lr: float = 0.1
    """Share of `window_lr` for what single frames have taught already; the units over frames,
    which are new then, learn at the full rate."""
    layer_decay: float = 1.0
    """Learning rate of a block as a share of the next one's; 1 lets all learn alike."""
    freeze: int = 0
    """Blocks, from the first, that stay as they are, and the embedding with them."""
    schedule: Schedule = "cosine"
    """How the learning rate falls: as half a cosine in each phase, or after each pass over a data
    set to a share of what it was (`exponential`)."""
    decay: float = 0.99
    """That share, for `exponential`."""
    final_lr: float = 0.02
    """Learning rate at the end of a phase, as a share of its highest, for `cosine`."""
    warmup: int = 100
    """Steps over which the learning rate rises at the start of a phase."""
    weight_decay: float = 0.01
    """Weight decay of matrices; scales, biases and codes have none."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    scale_loss: float = 0.5
    """Weight of the scale-free position error (N-MPJPE)."""
    score_loss: float = 0.0
    """How much less a joint counts whose 2D score is low: 0 not at all, 1 in proportion to it."""
    velocity_loss: float = 20.0
    """Weight of the velocity error; counts only once time is added."""
    precision: Precision = "auto"
    """Arithmetic of the forward pass, the rest is fp32; auto: bf16 where the hardware has it."""
    compile: bool = False
    """Compile the network (needs a C++ compiler); pays in long runs."""
    tensorboard: bool = False
    """Write the log for TensorBoard too (needs `pose3d[tensorboard]`)."""
    rate_hz: float = 25.0
    """Frames a second of the windows; those of a data set keep its own."""
    seed: int = 0
    """Start of all random numbers."""
    validate_every: int = 250
    """Steps between measurements on held-out subjects."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        for makes_sense, words, names in _RULES:
            for name in names:
                value = getattr(self, name)
                if not makes_sense(value):
                    raise ValueError(f"{name} ({value}) must be {words}")
        if self.schedule == "exponential" and not self.passes:
            raise ValueError("schedule (exponential) falls with each pass; give passes, too")

    @property
    def single_steps(self) -> int:
        """Steps of the single-frame phase; only fine-tuning has one."""
        if self.stage != "finetune":
            return 0
        return round(self.steps * self.single_frames)
