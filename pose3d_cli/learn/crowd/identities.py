"""How well identities hold: IDF1 and identity switches.

IDF1 is that of Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking" (2016): the share of sightings that are right when each true person is given one track.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import linear_sum_assignment

from pose3d_cli.pose.boxes import around
from pose3d_cli.pose.types import Keypoints2D

_NEAR = 0.2
"""Median distance of keypoints, in sizes of the person, within which a sighting is right."""


@dataclass(frozen=True, kw_only=True)
class Identities:
    """What was right in one or more scenes.

    Attributes:
        right: Sightings that are right, each true person being one track.
        found: Sightings of all tracks.
        true: Sightings there should be.
        switches: How often a true person's track became another one.
    """

    right: int = 0
    found: int = 0
    true: int = 0
    switches: int = 0

    def __add__(self, other: Identities) -> Identities:
        """Return the figures of both together."""
        return Identities(
            **{name: value + getattr(other, name) for name, value in vars(self).items()}
        )

    @property
    def idf1(self) -> float:
        """Harmonic mean of identity precision and recall; 1 where there is nobody."""
        both = self.found + self.true
        return 2 * self.right / both if both else 1.0


def score_identities(
    tracks: Sequence[Keypoints2D],
    truth: Float64[np.ndarray, "people frames 17 2"],
    shown: Bool[np.ndarray, "people frames"],
) -> Identities:
    """Compare tracks with the truth.

    Args:
        tracks: Whoever was followed, in the joints of the truth.
        truth: Pixels.
        shown: Which true sightings count; others need not be found, and may be.
    """
    people, frames = shown.shape
    near = np.zeros((people, len(tracks), frames), bool)
    extra = np.zeros(len(tracks), int)
    for number, track in enumerate(tracks):
        at = track.frames
        box = around(truth[:, at])
        size = (box[..., 2:] - box[..., :2]).max(-1)
        apart = np.nanmedian(np.linalg.norm(track.xy - truth[:, at], axis=-1), axis=-1)
        is_near = apart < _NEAR * size
        near[:, number, at] = is_near & shown[:, at]
        extra[number] = (is_near.any(0) & ~near[:, number, at].any(0)).sum()
    counts = near.sum(-1)
    rows, columns = linear_sum_assignment(-counts)
    return Identities(
        right=int(counts[rows, columns].sum()),
        found=sum(len(track) for track in tracks) - int(extra.sum()),
        true=int(shown.sum()),
        switches=_switches(near),
    )


def _switches(near: Bool[np.ndarray, "people tracks frames"]) -> int:
    """Return how often the track that follows a person changes.

    In each picture a track follows one person at most: whoever it followed before, while it can.
    """
    follows: dict[int, int] = {}
    switches = 0
    for frame in range(near.shape[2]):
        there = near[:, :, frame].copy()
        for person, track in follows.items():
            if there[person, track]:
                there[person, :] = there[:, track] = False
        for person, track in zip(*linear_sum_assignment(-there.astype(int)), strict=True):
            if there[person, track]:
                switches += person in follows
                follows[int(person)] = int(track)
    return switches
