"""Which way is up, by many votes: their robust mean, how sure it is, and two answers as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64

LEVEL = np.array([0.0, -1.0, 0.0])
"""Up in the axes of a camera that is held level: towards the top of the picture."""

MOST_ASKEW_DEG = 65.0
"""A body whose up is farther than this from that of the picture lies, or is upside down."""

LONGEST_S = 20.0
"""A person who stays longer than this has no more say."""

_OUTLIER_DEG = 3.0
_ROUNDS = 6
_MOST_PEOPLE = 3.0  # bodies share errors of a network: more of them do not make it surer


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundUp:
    """Up, and how far it may be off (one standard deviation).

    Attributes:
        up: In camera axes, of length one.
        across: At right angles to it and to the view: where a roll of the camera tilts it.
        across_deg: How far it may be off that way, in degrees.
        along_deg: How far along the view, where the lean of a body is hard to see.
        seconds: Of bodies that it rests on, each person counted.
    """

    up: Float64[np.ndarray, " 3"]
    across: Float64[np.ndarray, " 3"]
    across_deg: float
    along_deg: float
    seconds: float

    @property
    def sure_deg(self) -> float:
        """How far it may be off in all."""
        return float(np.hypot(self.across_deg, self.along_deg))


@dataclass(frozen=True, eq=False)
class Votes:
    """What somebody's frames, or windows of them, say.

    Attributes:
        up: In camera axes, of length one.
        ray: Towards the person, of length one.
        weight: Its say.
        across_deg: How far it may be off, at right angles to the view.
        along_deg: How far along the view.
    """

    up: Float64[np.ndarray, "votes 3"]
    ray: Float64[np.ndarray, "votes 3"]
    weight: Float64[np.ndarray, " votes"]
    across_deg: Float64[np.ndarray, " votes"]
    along_deg: Float64[np.ndarray, " votes"]

    @classmethod
    def of_all(cls, votes: Sequence[Votes]) -> Votes:
        """Return the votes of several people as one."""
        names = ("up", "ray", "weight", "across_deg", "along_deg")
        return cls(*(np.concatenate([getattr(vote, name) for vote in votes]) for name in names))

    def mean(self, values: Float64[np.ndarray, " votes"]) -> float:
        """Return the weighted mean of something."""
        return float(self.weight @ values / self.weight.sum())


def people_of(weights: Sequence[float]) -> float:
    """Return how many people speak, those who have little say less than one.

    Args:
        weights: The say of each.
    """
    shares = np.array(weights)
    return min(float(shares.sum() ** 2 / (shares**2).sum()), _MOST_PEOPLE)


def robust_mean(votes: Votes) -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    """Return up, and the direction across it and the view, both of length one.

    Votes far from the mean lose their say, and each counts less where it may be farther off.
    """
    up = unit(votes.weight @ votes.up)
    for _ in range(_ROUNDS):
        across, along = _axes(votes.ray, up)
        off_across, off_along = (votes.up * across).sum(-1), (votes.up * along).sum(-1)
        ratio = votes.across_deg / votes.along_deg
        off_deg = np.degrees(np.hypot(off_across, off_along * ratio))
        trust = votes.weight / np.maximum(off_deg, _OUTLIER_DEG)
        normal = np.einsum("t,ti,tj->ij", trust, across, across) + np.einsum(
            "t,ti,tj->ij", trust * ratio**2, along, along
        )
        step = (trust * off_across) @ across + (trust * ratio**2 * off_along) @ along
        # Along `up` itself nothing is known, and nothing has to be: its length stays one.
        up = unit(up + np.linalg.solve(normal + trust.sum() * np.outer(up, up), step))
    across, _ = _axes(unit(votes.weight @ votes.ray)[None], up)
    return up, across[0]


def said_up(people: Sequence[Votes]) -> FoundUp | None:
    """Return up as a network says it that saw people go about.

    Args:
        people: What it says of each, window by window; weights are seconds.

    Returns:
        None if nobody is there whose up is anywhere near that of the picture.
    """
    kept = [vote for votes in people if len((vote := _near(votes)).up)]
    if not kept:
        return None
    votes = Votes.of_all(kept)
    many = np.sqrt(people_of([float(one.weight.sum()) for one in kept]))
    up, across = robust_mean(votes)
    sides, along = _axes(votes.ray, up)
    return FoundUp(
        up=up,
        across=across,
        # Windows of one view err alike, so more of them do not make it surer; nor do those that
        # differ by more than they say.
        across_deg=max(votes.mean(votes.across_deg), _spread_deg(votes, sides)) / many,
        along_deg=max(votes.mean(votes.along_deg), _spread_deg(votes, along)) / many,
        seconds=float(votes.weight.sum()),
    )


def _spread_deg(votes: Votes, axes: Float64[np.ndarray, "votes 3"]) -> float:
    """Return how far votes lie from their mean along axes at right angles to it."""
    off_deg = np.degrees((votes.up * axes).sum(-1))
    return float(np.sqrt(votes.mean(off_deg**2)))


def _near(votes: Votes) -> Votes:
    used = apart_deg(votes.up, LEVEL) < MOST_ASKEW_DEG
    limit = min(LONGEST_S / max(float(votes.weight.sum()), 1e-9), 1.0)
    votes = replace(votes, weight=votes.weight * limit)
    return Votes(*(values[used] for values in vars(votes).values()))


def fused(one: FoundUp, other: FoundUp) -> FoundUp:
    """Return two answers as one: each counts, each way, as far as it is sure.

    They are taken to err apart from each other. Where they contradict each other by more than they
    say, neither is as sure as it says (the ratio of Birge, Physical Review 40, 1932).
    """
    axes = np.stack([one.across, np.cross(one.up, one.across)])
    off_deg = np.array([[found.across_deg, found.along_deg] for found in (one, other)])
    sure = off_deg**-2.0
    total = sure.sum(0)
    apart = axes @ (other.up - one.up)
    step = apart * sure[1] / total
    ratio = np.abs(np.degrees(apart)) / np.hypot(*off_deg)
    across_deg, along_deg = total**-0.5 * np.maximum(ratio, 1)
    return replace(
        one,
        up=unit(one.up + step @ axes),
        across_deg=float(across_deg),
        along_deg=float(along_deg),
    )


def apart_deg(
    some: Float64[np.ndarray, "*batch 3"], other: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, "*batch"]:
    """Return by how many degrees directions, all of length one, are from another."""
    return np.asarray(np.degrees(np.arccos(np.clip(some @ other, -1, 1))))


def _axes(
    ray: Float64[np.ndarray, "votes 3"], up: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, "votes 3"], Float64[np.ndarray, "votes 3"]]:
    """Return the directions at right angles to `up`, across each ray and along it."""
    across = unit(np.cross(ray, up))
    return across, np.cross(up, across)


def unit(vector: Float[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
    """Return vectors of length one; a zero vector stays (nearly) zero."""
    return np.asarray(
        vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9), np.float64
    )
