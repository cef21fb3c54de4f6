"""`pose3d eval --dataset mocap`: lifters side by side on the same generated, held-out takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import WeightsError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.seams import Seams, measure_seams
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.takes import TAKE_HZ, lift_takes
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.measures import mpjpe, p_mpjpe

_TAKE_S = 4.0


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
        takes: Takes drawn.
        frames: Frames in each.
        rate_hz: Frames a second.
        noise: Whether a detector's errors were added.
        seed: Of the generator.
    """

    scores: Sequence[MocapScore]
    split: str
    subjects: Sequence[str]
    takes: int
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
    takes: int = 128,
    seam_takes: int = 48,
    seed: int = 1234,
    noise: bool = True,
    device: str = "auto",
) -> MocapEvaluation:
    """Measure weights on takes of held-out subjects, seen through the generator.

    All weights lift the same takes, which last four seconds, as they would a video (windows that
    overlap, the mean with the mirror image). The generator's noise decides the figures, so they
    compare lifters, and tell little about a real video.

    Args:
        files: Weights to compare; lifters of single frames and of windows may be mixed.
        data: Packed motion.
        split: `val` or `test`; training subjects would flatter.
        takes: How many takes are drawn.
        seam_takes: How many takes of four windows' length are drawn, to look at window borders.
        seed: Of the generator; the same seed gives the same takes.
        noise: Add a detector's errors.
        device: auto, cpu, cuda or mps.

    Raises:
        InputError: No clips in the split.
        WeightsError: Weights that cannot be loaded, or that want another input than rays.
    """
    where = resolve(device)
    clips = read_pack(data, split)
    about = [weights.describe(file) for file in files]
    if any(a.input != "rays" for a in about):
        raise WeightsError(
            "only weights that take rays can be measured here; "
            f"found inputs {sorted({a.input for a in about})}"
        )
    lifters = [WindowedLifter.from_file(file, where) for file in files]
    frames = round(_TAKE_S * TAKE_HZ)
    batch = fixed_batch(clips, frames, TAKE_HZ, takes, seed, noise=noise)
    scores = []
    for file, lifter in zip(files, lifters, strict=True):
        error = _error(lifter, batch)
        seams = measure_seams(lifter, clips, takes=seam_takes)
        scores.append(MocapScore(weights=file, lifter=lifter.about.lifter, seams=seams, **error))
    return MocapEvaluation(
        scores=scores,
        split=split,
        subjects=sorted({clip.subject for clip in clips}),
        takes=takes,
        frames=frames,
        rate_hz=TAKE_HZ,
        noise=noise,
        seed=seed,
    )


def _error(lifter: WindowedLifter, batch: Batch) -> dict[str, float]:
    lifted, truth = (poses.astype(np.float64) for poses in lift_takes(lifter, batch))
    pose = lifted - lifted[:, :, :1]
    return {
        "mpjpe_mm": float(np.mean(mpjpe(pose, truth)) * 1000),
        "p_mpjpe_mm": float(np.mean(p_mpjpe(pose, truth)) * 1000),
    }
