"""A small pack of made-up motion, for tests that train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pose3d_cli.files.mocap_pack import MocapClip, write_pack
from pose3d_cli.learn.synthetic.postures import draw_postures


def tiny_pack(folder: Path) -> Path:
    """Write two clips to learn from and two held out; return the folder."""
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
        for split in ("train", "val")
        for i in range(2)
    ]
    write_pack(folder, clips)
    return folder
