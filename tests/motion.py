"""A small pack of made-up motion and a small run, for tests that train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pose3d_cli.files.mocap_pack import MocapClip, write_pack
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.postures import ANGLES, draw_postures, pose_of

TINY = TrainSettings(
    preset="tiny",
    steps=8,
    single_frames=0.5,
    batch=4,
    single_batch=8,
    warmup=2,
    validate_every=4,
    checkpoint_every=2,
    precision="fp32",
)
"""Seconds of training, both phases, two checkpoints in each."""


def tiny_pack(folder: Path, splits: Sequence[str] = ("train", "val")) -> Path:
    """Write two clips for each split; return the folder."""
    random = torch.Generator().manual_seed(0)
    clips = [
        MocapClip(
            name=f"{split}{i}",
            subject=split,
            split=split,
            category="everyday",
            licence="CC0",
            fps=50.0,
            xyz=(draw_postures(1, 80, 3.0, random)[0].numpy() * 0.3).astype(np.float32),
        )
        for split in splits
        for i in range(2)
    ]
    write_pack(folder, clips)
    return folder


def quiet(_progress: object) -> None:
    """Watch a run without a word."""


def standing(frames=60, seed=0):
    """A clip of somebody who stands, arms hanging, and sways a little."""
    pose = pose_of(torch.zeros(1, frames, len(ANGLES)))[0].numpy() * 0.3
    pose[..., 0] += 0.05 * np.sin(np.arange(frames) / 9)[:, None] * (seed + 1)
    return MocapClip(
        name=f"stand{seed}",
        subject="s",
        split="train",
        category="everyday",
        licence="CC0",
        fps=50.0,
        xyz=pose.astype(np.float32),
    )
