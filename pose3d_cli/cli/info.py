"""`pose3d info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, facts

EXAMPLES = {
    "info": [
        "pose3d info clip_pose3d/clip.npz",
        "pose3d info runs/xs/checkpoint.pt",
        "pose3d info weights.safetensors --json",
    ]
}


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file or folder of ours.")],
    screen: Screen,
) -> None:
    """Say what a file holds.

    Results, keypoints, tables, run.json, videos, weights, checkpoints, packed motion, cameras,
    settings and ground truth.
    """
    from pose3d_cli.pipeline.info import describe_file

    about = describe_file(file, load_checkpoint=_load_checkpoint)
    screen.show(about, facts(about))


def _load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; here, since `pipeline` knows nothing of training."""
    from pose3d_cli.learn.checkpoint import load_checkpoint  # loads torch

    return load_checkpoint(path)
