"""Which way is up, by how bodies hold themselves.

A line from the ankles to the head leans: people who walk lean forward, and who bends or sits is
bent. So up is a sum of directions of the body, each with a weight that was fitted to recorded
motion (CMU, training subjects), seen askew by generated cameras and lifted; frames in which a body
is straight count most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.pose.feet import Stretch
from pose3d_cli.pose.skeleton import H36M17

MOST_ASKEW_DEG = 65.0
"""A body whose up is farther than this from that of the picture lies, or is upside down."""

_PARTS = {"trunk": 0.03, "head": 0.075, "thighs": 0.265, "shanks": 0.2, "whole": 0.385}
_AHEAD = -0.053
_STRAIGHT = 0.1  # shortening of a body, relative to its length, that leaves it 1/e of its say
_OUTLIER_DEG = 3.0
_ROUNDS = 6
_LONGEST_S = 20.0  # a person who stays longer than this has no more say

# How far one body is off, in degrees: across the view and along it, seen from the front and from
# the side; with more where its directions differ from frame to frame, and where it is bent.
_ACROSS_DEG, _ALONG_DEG, _SIDEWAYS_DEG = 1.8, 4.0, 5.5
_OF_SPREAD = 0.7
_BENT, _BENT_DEG = 0.5, 20.0
_MOST_PEOPLE = 3.0  # bodies share errors of the lifter: more of them do not make it surer


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyUp:
    """Up as bodies say it, and how far it may be off (one standard deviation).

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
class _Votes:
    """What each frame of each body says.

    Attributes:
        up: Of length one.
        ray: Towards the body, of length one.
        weight: Its say.
        straight: How straight the body is, in [0, 1].
        along_deg: How far it may be off along the view.
    """

    up: Float64[np.ndarray, "votes 3"]
    ray: Float64[np.ndarray, "votes 3"]
    weight: Float64[np.ndarray, " votes"]
    straight: Float64[np.ndarray, " votes"]
    along_deg: Float64[np.ndarray, " votes"]


def find_up(stretches: Sequence[Stretch]) -> BodyUp | None:
    """Return up as everybody says it over the whole clip.

    A robust mean: frames far from it lose their say, and what a body says counts less along the
    view than across it, for that is what a lifter knows worst.

    Args:
        stretches: Everybody.

    Returns:
        None if nobody is there whose up is anywhere near that of the picture.
    """
    votes = [vote for stretch in stretches if (vote := _votes(stretch)) is not None]
    if not votes:
        return None
    merged = _Votes(
        **{name: np.concatenate([getattr(vote, name) for vote in votes]) for name in vars(votes[0])}
    )
    up = _robust_mean(merged)
    shares = np.array([vote.weight.sum() for vote in votes])
    people = min(float(shares.sum() ** 2 / (shares**2).sum()), _MOST_PEOPLE)
    across, _ = _axes(_unit(merged.weight @ merged.ray)[None], up)
    across_deg, along_deg = _sure(merged, up, people)
    return BodyUp(
        up=up,
        across=across[0],
        across_deg=across_deg,
        along_deg=along_deg,
        seconds=float(sum(stretch.time_s[-1] - stretch.time_s[0] for stretch in stretches)),
    )


def _votes(stretch: Stretch) -> _Votes | None:
    up = body_up(stretch.xyz)
    placed = np.isfinite(stretch.root).all(-1)
    ray = _unit(np.where(placed[:, None], stretch.root, [0.0, 0.0, 1.0]).astype(np.float64))
    askew = np.degrees(np.arccos(np.clip(-up[:, 1], -1, 1)))
    used = askew < MOST_ASKEW_DEG  # unknown poses are not
    if not used.any():
        return None
    straight = straightness(stretch.xyz)
    seconds = float(stretch.time_s[-1] - stretch.time_s[0])
    share = min(seconds, _LONGEST_S) / len(up) if seconds else 1e-3
    front = np.abs((_sideways(stretch.xyz) * ray).sum(-1))
    along_deg = _SIDEWAYS_DEG + (_ALONG_DEG - _SIDEWAYS_DEG) * front
    votes = (up, ray, straight * share, straight, along_deg)
    return _Votes(*(values[used] for values in votes))


def body_up(xyz: Float[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, "frames 3"]:
    """Return the up of each pose of a root-relative sequence, of length one."""
    ankles, knees = _middle(xyz, "ankle"), _middle(xyz, "knee")
    pelvis, thorax, head = (_joint(xyz, name) for name in ("pelvis", "thorax", "head"))
    parts = {
        "trunk": thorax - pelvis,
        "head": head - thorax,
        "thighs": pelvis - knees,
        "shanks": knees - ankles,
        "whole": head - ankles,
    }
    ahead = np.cross(_sideways(xyz), _unit(parts["trunk"]))
    total = _AHEAD * _unit(ahead)
    for name, weight in _PARTS.items():
        total = total + weight * _unit(parts[name])
    return _unit(total)


def straightness(xyz: Float[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, " frames"]:
    """Return how straight trunk and legs are: 1 for a body as long as its bones allow."""
    trunk = _joint(xyz, "thorax") - _joint(xyz, "pelvis")
    shorter = []
    for side in ("left", "right"):
        hip, knee, ankle = (_joint(xyz, f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        bones = sum(np.linalg.norm(bone, axis=-1) for bone in (trunk, hip - knee, knee - ankle))
        shorter.append(1 - np.linalg.norm(trunk + hip - ankle, axis=-1) / np.maximum(bones, 1e-9))
    return np.asarray(np.exp(-np.mean(shorter, axis=0) / _STRAIGHT))


def rolled_to(up: Float64[np.ndarray, " 3"], down_deg: float) -> Float64[np.ndarray, " 3"]:
    """Return the direction nearest to `up` of a camera that looks down by `down_deg` degrees."""
    across = up[:2] / max(float(np.linalg.norm(up[:2])), 1e-9)
    angle = np.radians(down_deg)
    return np.array([*(np.cos(angle) * across), -np.sin(angle)])


def _robust_mean(votes: _Votes) -> Float64[np.ndarray, " 3"]:
    up = _unit(votes.weight @ votes.up)
    for _ in range(_ROUNDS):
        across, along = _axes(votes.ray, up)
        off_across, off_along = (votes.up * across).sum(-1), (votes.up * along).sum(-1)
        ratio = _ACROSS_DEG / votes.along_deg
        off_deg = np.degrees(np.hypot(off_across, off_along * ratio))
        trust = votes.weight / np.maximum(off_deg, _OUTLIER_DEG)
        normal = np.einsum("t,ti,tj->ij", trust, across, across) + np.einsum(
            "t,ti,tj->ij", trust * ratio**2, along, along
        )
        step = (trust * off_across) @ across + (trust * ratio**2 * off_along) @ along
        # Along `up` itself nothing is known, and nothing has to be: its length stays one.
        up = _unit(up + np.linalg.solve(normal + trust.sum() * np.outer(up, up), step))
    return up


def _sure(votes: _Votes, up: Float64[np.ndarray, " 3"], people: float) -> tuple[float, float]:
    """Return how far up may be off across the view and along it, in degrees."""
    off_deg = np.degrees(np.arccos(np.clip(votes.up @ up, -1, 1)))
    spread_deg = np.sqrt((votes.weight * off_deg**2).sum() / votes.weight.sum())
    bent_deg = _BENT_DEG * max(_BENT - float(votes.straight.mean()), 0)
    more = np.hypot(_OF_SPREAD * spread_deg, bent_deg)
    along_deg = float((votes.weight * votes.along_deg).sum() / votes.weight.sum())
    return (
        float(np.hypot(_ACROSS_DEG, more) / np.sqrt(people)),
        float(np.hypot(along_deg, more) / np.sqrt(people)),
    )


def _axes(
    ray: Float64[np.ndarray, "votes 3"], up: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, "votes 3"], Float64[np.ndarray, "votes 3"]]:
    """Return the directions at right angles to `up`, across each ray and along it."""
    across = _unit(np.cross(ray, up))
    return across, np.cross(up, across)


def _sideways(xyz: Float[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, "frames 3"]:
    """Return from the right side of each body to its left."""
    hips, shoulders = (
        _unit(_joint(xyz, f"left_{name}") - _joint(xyz, f"right_{name}"))
        for name in ("hip", "shoulder")
    )
    return _unit(hips + shoulders)


def _joint(xyz: Float[np.ndarray, "frames 17 3"], name: str) -> Float64[np.ndarray, "frames 3"]:
    return xyz[:, H36M17.index(name)].astype(np.float64)


def _middle(xyz: Float[np.ndarray, "frames 17 3"], name: str) -> Float64[np.ndarray, "frames 3"]:
    return (_joint(xyz, f"left_{name}") + _joint(xyz, f"right_{name}")) / 2


def _unit(vector: Float64[np.ndarray, "*batch 3"]) -> Float64[np.ndarray, "*batch 3"]:
    return np.asarray(
        vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9), np.float64
    )
