"""`pose3d eval --dataset mocap`: lifters side by side on the same generated, held-out takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from torch import Tensor

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError, WeightsError
from pose3d_cli.files.mocap_pack import MocapClip, read_pack
from pose3d_cli.learn.header import notes_on_test_2d
from pose3d_cli.learn.hidden import hide_limbs
from pose3d_cli.learn.seams import Seams, measure_seams
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.takes import TAKE_HZ, lift_takes
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.measures import mpjpe, p_mpjpe

_TAKE_S = 4.0

SPLITS = ("test", "val")
"""Of the held-out subjects; those of training would flatter."""

SEEN = ("noisy", "clean", "hidden")
"""What lifters get to see: a detector's errors, none, or these but neither one arm nor one leg."""


@dataclass(frozen=True, kw_only=True)
class MocapScore:
    """Errors of one weights file.

    Attributes:
        weights: The file.
        lifter: Its network.
        mpjpe_mm: Mean distance of joints, root-relative, all joints and frames.
        p_mpjpe_mm: The same after a similarity a frame.
        hidden_mm: MPJPE of the joints that are never seen; None if there are none.
        seams: Velocity errors where windows meet, and elsewhere, in noisy takes; None of others.
    """

    weights: Path
    lifter: str
    mpjpe_mm: float
    p_mpjpe_mm: float
    hidden_mm: float | None
    seams: Seams | None


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
        seen: What the lifters got to see.
        seed: Of the generator.
        notes: What a reader should know before believing the numbers.
    """

    scores: Sequence[MocapScore]
    split: str
    subjects: Sequence[str]
    takes: int
    frames: int
    rate_hz: float
    seen: str
    seed: int
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        record = asdict(self)
        record["scores"] = [{**asdict(s), "weights": str(s.weights)} for s in self.scores]
        return record

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header, then a row a weights file."""
        hidden = ("hidden joints mm",) if self.seen == "hidden" else ()
        seams = ("velocity at borders / inside",) if self.seen == "noisy" else ()
        header = ("weights", "lifter", "MPJPE mm", "P-MPJPE mm", *hidden, *seams)
        body = [
            (
                s.weights.name,
                s.lifter,
                f"{s.mpjpe_mm:.1f}",
                f"{s.p_mpjpe_mm:.1f}",
                *(() if s.hidden_mm is None else (f"{s.hidden_mm:.1f}",)),
                *(() if s.seams is None else (s.seams.in_words(),)),
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
    seen: str = "noisy",
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
        seen: What the lifters get to see, of `SEEN`.
        device: auto, cpu, cuda or mps.

    Raises:
        UnknownNameError: `seen` is none of `SEEN`, or `split` none of `SPLITS`.
        InputError: No clips in the split.
        WeightsError: Weights that cannot be loaded, or that want another input than rays.
    """
    _check(files, split, seen)
    where = resolve(device)
    clips = read_pack(data, split)
    lifters = [WindowedLifter.from_file(file, where) for file in files]
    frames = round(_TAKE_S * TAKE_HZ)
    view = seen_as(seen, clips, frames, TAKE_HZ, takes, seed)
    scores = [
        _score(
            lifter,
            file,
            view,
            measure_seams(lifter, clips, takes=seam_takes) if seen == "noisy" else None,
        )
        for file, lifter in zip(files, lifters, strict=True)
    ]
    return MocapEvaluation(
        scores=scores,
        split=split,
        subjects=sorted({clip.subject for clip in clips}),
        takes=takes,
        frames=frames,
        rate_hz=TAKE_HZ,
        seen=seen,
        seed=seed,
        notes=notes_on_test_2d(files, split),
    )


def seen_as(
    seen: str, clips: Sequence[MocapClip], frames: int, rate_hz: float, takes: int, seed: int
) -> tuple[Batch, Bool[Tensor, "takes joints"] | None]:
    """Return takes as lifters get to see them (see `SEEN`), and which joints are hidden."""
    batch = fixed_batch(clips, frames, rate_hz, takes, seed, noise=seen != "clean")
    return hide_limbs(batch, seed) if seen == "hidden" else (batch, None)


def _check(files: Sequence[Path], split: str, seen: str) -> None:
    """Refuse what cannot be measured, or would flatter."""
    if seen not in SEEN:
        raise UnknownNameError(f"--seen: there is no {seen!r}{nearest(seen, list(SEEN))}")
    if split not in SPLITS:
        known = ", ".join(SPLITS)
        raise UnknownNameError(f"--split: there is no {split!r} held out; known: {known}")
    inputs = sorted({weights.describe(file).input for file in files})
    if inputs not in ([], ["rays"]):
        raise WeightsError(
            f"only weights that take rays can be measured here; found inputs {inputs}"
        )


def _score(
    lifter: WindowedLifter,
    file: Path,
    seen: tuple[Batch, Bool[Tensor, "takes joints"] | None],
    seams: Seams | None,
) -> MocapScore:
    batch, hidden = seen
    lifted, truth = (poses.astype(np.float64) for poses in lift_takes(lifter, batch))
    lifted = lifted - lifted[:, :, :1]
    apart = np.linalg.norm(lifted - truth, axis=-1).mean(1) * 1000
    return MocapScore(
        weights=file,
        lifter=lifter.about.lifter,
        mpjpe_mm=float(np.mean(mpjpe(lifted, truth)) * 1000),
        p_mpjpe_mm=float(np.mean(p_mpjpe(lifted, truth)) * 1000),
        hidden_mm=None if hidden is None else float(apart[hidden.numpy()].mean()),
        seams=seams,
    )
