"""`pose3d eval --dataset rendered`: from the picture to 3D, on people whose joints are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from pose3d_cli.learn.rendered.detector_error import Found
from pose3d_cli.learn.rendered.report import found_ones
from pose3d_cli.learn.rendered.truth import Rendered
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.align import root_relative
from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.measures import LIMB_JOINTS, mpjpe, p_mpjpe
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

Limbs = Float64[np.ndarray, "frames 12 3"]

_LIMBS = [H36M17.index(joint) for joint in LIMB_JOINTS]


@dataclass(frozen=True, kw_only=True)
class RenderedScore:
    """Errors of one weights file, millimetres, mean over clips of the mean over frames.

    Attributes:
        weights: The file.
        lifter: Its network.
        mpjpe_mm, p_mpjpe_mm: From the detector's keypoints.
        true_2d_mpjpe_mm, true_2d_p_mpjpe_mm: From where the joints are, in the same frames.
    """

    weights: Path
    lifter: str
    mpjpe_mm: float
    p_mpjpe_mm: float
    true_2d_mpjpe_mm: float
    true_2d_p_mpjpe_mm: float


@dataclass(frozen=True, kw_only=True)
class RenderedEvaluation:
    """What was measured, on what.

    Attributes:
        scores: One a weights file.
        clips: Clips in which the person was found.
        clips_lost: Clips in which not.
        found: Share of the frames of the former in which the person was found.
        protocol: What the numbers are, in words.
    """

    scores: Sequence[RenderedScore]
    clips: int
    clips_lost: int
    found: float
    protocol: str = "12 limb joints, root = middle of the hips; true camera; bodies of 1.70 m"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        record = asdict(self)
        record["scores"] = [{**asdict(s), "weights": str(s.weights)} for s in self.scores]
        return record

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header, then a row a weights file."""
        header = ("weights", "lifter", "MPJPE mm", "P-MPJPE mm", "true 2D: MPJPE", "P-MPJPE")
        values = ("mpjpe_mm", "p_mpjpe_mm", "true_2d_mpjpe_mm", "true_2d_p_mpjpe_mm")
        body = [
            (s.weights.name, s.lifter, *(f"{getattr(s, value):.1f}" for value in values))
            for s in self.scores
        ]
        return [header, *body]


def evaluate_rendered(
    files: Sequence[Path],
    pairs: Sequence[tuple[Rendered, Found | None]],
    *,
    device: str = "auto",
) -> RenderedEvaluation:
    """Measure weights on rendered clips, from a detector's keypoints and from the true ones.

    Args:
        files: Weights to compare.
        pairs: Clips, and what a detector found in each.
        device: auto, cpu, cuda or mps.

    Raises:
        NobodyFoundError: The person was found in no clip.
        WeightsError: Weights that cannot be loaded.
    """
    where = resolve(device)
    lifters = [WindowedLifter.from_file(file, where) for file in files]
    clips = found_ones(pairs)
    frames = sum(len(clip.xyz) for clip, _ in clips)
    return RenderedEvaluation(
        scores=[_score(lifter, file, clips) for lifter, file in zip(lifters, files, strict=True)],
        clips=len(clips),
        clips_lost=len(pairs) - len(clips),
        found=sum(len(seen.keypoints) for _, seen in clips) / frames,
    )


def _score(
    lifter: WindowedLifter, file: Path, clips: Sequence[tuple[Rendered, Found]]
) -> RenderedScore:
    errors = np.array(
        [
            [*_errors(lifter, seen.keypoints, clip), *_errors(lifter, _true(seen, clip), clip)]
            for clip, seen in clips
        ]
    ).mean(0)
    detected, detected_aligned, true, true_aligned = (float(1000 * e) for e in errors)
    return RenderedScore(
        weights=file,
        lifter=lifter.about.lifter,
        mpjpe_mm=detected,
        p_mpjpe_mm=detected_aligned,
        true_2d_mpjpe_mm=true,
        true_2d_p_mpjpe_mm=true_aligned,
    )


def _true(seen: Found, clip: Rendered) -> Keypoints2D:
    """Return the true keypoints of the frames in which the person was found."""
    xy = clip.keypoints_px[seen.keypoints.frames].astype(np.float32)
    return replace(seen.keypoints, xy=xy, score=np.ones(xy.shape[:2], np.float32))


def _errors(lifter: WindowedLifter, keypoints: Keypoints2D, clip: Rendered) -> tuple[float, float]:
    """Return MPJPE and P-MPJPE of a clip, in metres."""
    pairs = list(_lifted(lifter, keypoints, clip))
    found, wanted = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return float(mpjpe(found, wanted).mean()), float(p_mpjpe(found, wanted).mean())


def _lifted(
    lifter: WindowedLifter, keypoints: Keypoints2D, clip: Rendered
) -> Iterator[tuple[Limbs, Limbs]]:
    """Yield limbs and their truth, relative to the hips, in each stretch without gaps."""
    for stretch in split_at_gaps(fill_gaps(keypoints)):
        pose = lifter.lift(stretch, clip.camera)
        found, wanted = (
            root_relative(xyz.astype(np.float64), H36M17.joints)[:, _LIMBS]
            for xyz in (pose.xyz, clip.xyz[pose.frames])
        )
        yield found, wanted
