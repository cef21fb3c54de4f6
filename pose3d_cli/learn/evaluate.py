"""`pose3d eval --dataset mocap`: lifters side by side on the same generated, held-out windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pose3d_cli.errors import WeightsError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.seams import Seams, measure_seams
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.validate import held_out_batch
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.normalise import rays_to_input
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.lift.shelf import window_frames
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import lay_windows, stitch
from pose3d_cli.pose.measures import mpjpe, p_mpjpe


@dataclass(frozen=True, kw_only=True)
class MocapScore:
    """Errors of one weights file.

    Attributes:
        weights: The file.
        lifter: Its network.
        mpjpe_mm: Mean distance of joints, root-relative, all joints and frames.
        p_mpjpe_mm: The same after a similarity a frame.
        seams: Velocity errors where windows meet, and elsewhere.
    """

    weights: Path
    lifter: str
    mpjpe_mm: float
    p_mpjpe_mm: float
    seams: Seams


@dataclass(frozen=True, kw_only=True)
class MocapEvaluation:
    """What was measured and how, so that the figures mean something.

    Attributes:
        scores: One a weights file.
        split: Split of the packed motion.
        subjects: Who moves in it.
        windows: Windows drawn.
        frames: Frames in each.
        rate_hz: Frames a second.
        noise: Whether a detector's errors were added.
        seed: Of the generator.
    """

    scores: Sequence[MocapScore]
    split: str
    subjects: Sequence[str]
    windows: int
    frames: int
    rate_hz: float
    noise: bool
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        record = asdict(self)
        record["scores"] = [{**asdict(s), "weights": str(s.weights)} for s in self.scores]
        return record

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header, then a row a weights file."""
        header = ("weights", "lifter", "MPJPE mm", "P-MPJPE mm", "velocity at borders / inside")
        body = [
            (
                s.weights.name,
                s.lifter,
                f"{s.mpjpe_mm:.1f}",
                f"{s.p_mpjpe_mm:.1f}",
                f"{s.seams.border_mm:.2f} / {s.seams.inside_mm:.2f} = {s.seams.ratio:.3f}",
            )
            for s in self.scores
        ]
        return [header, *body]


def evaluate_mocap(
    files: Sequence[Path],
    data: Path,
    *,
    split: str = "test",
    windows: int = 512,
    takes: int = 48,
    seed: int = 1234,
    noise: bool = True,
    device: str = "auto",
) -> MocapEvaluation:
    """Measure weights on windows of held-out subjects, seen through the generator.

    All weights see the same windows, as long as the longest that one of them takes, and lift them
    as they would a video's (the mean with the mirror image among it); the generator's
    noise decides the figures, so they compare lifters, and tell little about a real video.

    Args:
        files: Weights to compare; lifters of single frames and of windows may be mixed.
        data: Packed motion.
        split: `val` or `test`; training subjects would flatter.
        windows: How many windows are drawn.
        takes: How many longer takes are drawn, to look at window borders.
        seed: Of the generator; the same seed gives the same windows.
        noise: Add a detector's errors.
        device: auto, cpu, cuda or mps.

    Raises:
        InputError: No clips in the split.
        WeightsError: Weights that cannot be loaded, or that want another rate or input.
    """
    where = resolve(device)
    clips = read_pack(data, split)
    about = [weights.describe(file) for file in files]
    rates = {a.rate_hz for a in about}
    if len(rates) > 1 or any(a.input != "rays" for a in about):
        raise WeightsError(
            "only weights of one rate that take rays can be compared here; "
            f"found rates {sorted(rates)} and inputs {sorted({a.input for a in about})}"
        )
    networks = [weights.load(file, where) for file in files]
    frames = max(window_frames(network) for network in networks)
    rate_hz = about[0].rate_hz
    batch = held_out_batch(clips, frames, rate_hz, windows, seed, noise=noise)
    scores = []
    for file, network, header in zip(files, networks, about, strict=True):
        lifter = WindowedLifter(network, header, where)
        error = _error(lifter, batch)
        seams = measure_seams(lifter, clips, takes=takes)
        scores.append(MocapScore(weights=file, lifter=header.lifter, seams=seams, **error))
    return MocapEvaluation(
        scores=scores,
        split=split,
        subjects=sorted({clip.subject for clip in clips}),
        windows=windows,
        frames=frames,
        rate_hz=rate_hz,
        noise=noise,
        seed=seed,
    )


def _error(lifter: WindowedLifter, batch: Batch) -> dict[str, float]:
    """Measure a lifter, as used on videos, on windows that may be longer than its own."""
    windows = lay_windows(batch.rays.shape[1], lifter.window)
    answers = []
    with torch.inference_mode():
        for index in torch.from_numpy(windows.index):
            x, rotation = rays_to_input(batch.rays[:, index], batch.score[:, index])
            parts = [lifter.answer(part) for part in torch.split(x, 32)]
            answers.append(turn_back(rotation, torch.cat(parts)).transpose(0, 1).numpy())
    pose = np.swapaxes(stitch(np.stack(answers), windows), 0, 1).astype(np.float64)
    truth = turn_back(batch.rotation, batch.target).numpy().astype(np.float64)
    pose -= pose[:, :, :1]
    return {
        "mpjpe_mm": float(np.mean(mpjpe(pose, truth)) * 1000),
        "p_mpjpe_mm": float(np.mean(p_mpjpe(pose, truth)) * 1000),
    }
