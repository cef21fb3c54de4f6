"""What `pose3d bench detector` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pose3d_cli.errors import NobodyFoundError
from pose3d_cli.learn.rendered.detector_error import (
    Found,
    JointError,
    joint_errors,
    limb_percentiles,
)
from pose3d_cli.learn.rendered.score_error import ScoreError, score_error
from pose3d_cli.learn.rendered.truth import Rendered


@dataclass(frozen=True, kw_only=True)
class DetectorReport:
    """How a detector errs.

    Attributes:
        detector: Its name.
        clips: Clips in which it found the person.
        clips_lost: Clips in which not.
        frames_missed: Share of the frames of the former without the person.
        frames_unflipped: Share of them in which left and right were swapped back.
        joints: By kind of joint.
        limb_percentiles: Of the error of limb joints, as a share of the person's extent.
        scores: How that error goes with the score.
    """

    detector: str
    clips: int
    clips_lost: int
    frames_missed: float
    frames_unflipped: float
    joints: dict[str, JointError]
    limb_percentiles: dict[int, float]
    scores: ScoreError

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def in_words(self) -> str:
        """Return what it found, in a sentence."""
        return (
            f"{self.detector}: found the person in {self.clips} of {self.clips + self.clips_lost} "
            f"clips, in these in {100 - 100 * self.frames_missed:.1f} % of frames; left and right "
            f"were swapped back in {100 * self.frames_unflipped:.1f} %"
        )

    def joint_rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header, then a row a kind of joint."""
        offset = ("outwards mm", "backwards", "up")
        header = ("joint", *offset, "clips differ mm", "noise %", "after 0.2 s")
        body = [
            (
                kind,
                f"{error.outwards_mm:.0f}",
                f"{error.backwards_mm:.0f}",
                f"{error.up_mm:.0f}",
                f"{error.clips_differ_mm:.0f}",
                f"{100 * error.noise:.2f}",
                "" if error.remembered is None else f"{error.remembered:.2f}",
            )
            for kind, error in self.joints.items()
        ]
        return [header, *body]

    def percentile_rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header and a row."""
        shares = self.limb_percentiles
        return [
            ("limb joints", *(f"{percent} %" for percent in shares)),
            ("error", *(f"{share:.3f}" for share in shares.values())),
        ]

    def score_rows(self) -> list[tuple[str, ...]]:
        """Return a table: a header and two rows."""
        quarters = self.scores.quarters
        return [
            ("limb joints by score", "least sure", *("",) * (len(quarters) - 2), "surest"),
            ("median score", *(f"{score:.2f}" for score, _ in quarters)),
            ("median error", *(f"{error:.3f}" for _, error in quarters)),
        ]

    def scores_in_words(self) -> str:
        """Return what the scores are worth, in a sentence."""
        correlation = self.scores.rank_correlation
        if correlation is None:
            return "all scores are the same, and say nothing of the error"
        return f"rank correlation of score and error {correlation:.2f} (-1: the score says it all)"


def report(detector: str, pairs: Sequence[tuple[Rendered, Found | None]]) -> DetectorReport:
    """Return how a detector errs on clips.

    Args:
        detector: Its name.
        pairs: Clips, and what it found in each.

    Raises:
        NobodyFoundError: The person was found in no clip.
    """
    clips = found_ones(pairs)
    frames = sum(int(np.isfinite(clip.xyz).any((1, 2)).sum()) for clip, _ in clips)
    return DetectorReport(
        detector=detector,
        clips=len(clips),
        clips_lost=len(pairs) - len(clips),
        frames_missed=1 - sum(int(np.isfinite(seen.extent).sum()) for _, seen in clips) / frames,
        frames_unflipped=sum(seen.mended for _, seen in clips) / frames,
        joints=joint_errors(clips),
        limb_percentiles=limb_percentiles(clips),
        scores=score_error(clips),
    )


def found_ones(pairs: Sequence[tuple[Rendered, Found | None]]) -> list[tuple[Rendered, Found]]:
    """Return the clips in which the person was found.

    Raises:
        NobodyFoundError: There is none.
    """
    clips = [(clip, seen) for clip, seen in pairs if seen is not None]
    if not clips:
        raise NobodyFoundError(
            f"the person was found in none of {len(pairs)} clips; "
            "`pose3d data render --longer-side` makes people larger"
        )
    return clips
