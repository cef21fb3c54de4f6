"""Errors on windows of held-out subjects, and the generator's fixed windows: yardsticks of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.held_out import HeldOut
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
    network: nn.Module,
    held_out: HeldOut,
    device: torch.device,
    *,
    over_time: bool,
    at_once: int = 32,
) -> dict[str, float]:
    """Return MPJPE and P-MPJPE over all known joints and frames of windows, in millimetres."""
    lifted = _lifted(network, held_out.x, device, over_time=over_time, at_once=at_once)
    pose, truth = (
        held_out.in_metres(poses).numpy().astype(np.float64) for poses in (lifted, held_out.target)
    )
    return {
        "mpjpe_mm": float(np.nanmean(mpjpe(pose, truth)) * 1000),
        "p_mpjpe_mm": float(np.nanmean(p_mpjpe(pose, truth)) * 1000),
    }


def joint_errors_mm(
    network: nn.Module, batch: Batch, device: torch.device, *, at_once: int = 32
) -> Float[Tensor, "windows frames joints"]:
    """Return how far each joint is from the truth, root-relative, in millimetres."""
    pose = _lifted(network, batch.x, device, over_time=True, at_once=at_once)
    return (pose - batch.target).norm(dim=-1) * 1000


def _lifted(
    network: nn.Module,
    x: Float[Tensor, "windows frames joints 3"],
    device: torch.device,
    *,
    over_time: bool,
    at_once: int,
) -> Float[Tensor, "windows frames joints 3"]:
    """Return the root-relative poses of each window lifted by itself."""
    windows = torch.split(x, at_once)
    with torch.inference_mode():
        poses = [network(x.to(device), over_time=over_time).float().cpu() for x in windows]
    lifted = torch.cat(poses)
    return lifted - lifted[:, :, :1]
