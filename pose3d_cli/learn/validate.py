"""Error on held-out subjects through the generator, with fixed seeds: a yardstick of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic.generator import Batch, Generator, GeneratorConfig
from pose3d_cli.pose.measures import mpjpe, p_mpjpe


def fixed_batch(
    clips: Sequence[MocapClip],
    frames: int,
    rate_hz: float,
    windows: int,
    seed: int = 1234,
    *,
    noise: bool = True,
) -> Batch:
    """Return windows that are the same in every call with the same arguments."""
    config = GeneratorConfig(frames=frames, rate_hz=rate_hz, seed=seed, noise=noise)
    return Generator(clips, config).draw(windows)


def held_out_error(
    network: nn.Module, batch: Batch, device: torch.device, *, over_time: bool, at_once: int = 32
) -> dict[str, float]:
    """Return MPJPE and P-MPJPE over all joints and frames of a batch, in millimetres."""
    windows = torch.split(batch.x, at_once)
    with torch.inference_mode():
        poses = [network(x.to(device), over_time=over_time).float().cpu() for x in windows]
    lifted = torch.cat(poses)
    pose = (lifted - lifted[:, :, :1]).numpy().astype(np.float64)
    truth = batch.target.numpy().astype(np.float64)
    return {
        "mpjpe_mm": float(np.mean(mpjpe(pose, truth)) * 1000),
        "p_mpjpe_mm": float(np.mean(p_mpjpe(pose, truth)) * 1000),
    }
