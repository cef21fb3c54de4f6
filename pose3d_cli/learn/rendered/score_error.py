"""Whether a detector's scores tell how far off its joints are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import spearmanr

from pose3d_cli.learn.rendered.detector_error import Found
from pose3d_cli.learn.rendered.truth import Rendered
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17

_LIMBS = [H36M17.index(joint) for joint in LIMB_JOINTS]
_PARTS = 4


@dataclass(frozen=True, kw_only=True)
class ScoreError:
    """How the error of limb joints goes with their score, over joints and frames.

    Attributes:
        rank_correlation: Spearman's, of score and error: -1 if the score says all of it, 0 if
            nothing; None where all scores are the same.
        quarters: For each quarter of the joints by score, least sure first: median score, and
            median error as a share of the person's extent.
    """

    rank_correlation: float | None
    quarters: list[tuple[float, float]]


def score_error(clips: Sequence[tuple[Rendered, Found]]) -> ScoreError:
    """Return how score and error go together in joints that the picture shows."""
    told = [_scores_and_sizes(clip, seen) for clip, seen in clips]
    score, size = np.concatenate(told).T
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, _PARTS) if len(part)]
    same = len(score) == 0 or np.ptp(score) == 0
    return ScoreError(
        rank_correlation=None if same else float(spearmanr(score, size).statistic),
        quarters=[(float(np.median(score[p])), float(np.median(size[p]))) for p in parts],
    )


def _scores_and_sizes(clip: Rendered, seen: Found) -> Float64[np.ndarray, "told 2"]:
    size = np.linalg.norm(seen.error, axis=-1) / seen.extent[:, None]
    told = np.isfinite(size) & clip.shown[seen.keypoints.frames]
    both = np.stack([seen.keypoints.score.astype(np.float64), size], -1)
    return both[:, _LIMBS][told[:, _LIMBS]]
