"""Which way is up, by how bodies hold themselves.

A line from the ankles to the head leans: people who walk lean forward, and who bends or sits is
bent. So up is a sum of directions of the body, each with a weight that was fitted to recorded
motion (CMU, training subjects), seen askew by generated cameras and lifted; frames in which a body
is straight count most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.pose.feet import Stretch
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.up import (
    LEVEL,
    LONGEST_S,
    MOST_ASKEW_DEG,
    FoundUp,
    Votes,
    apart_deg,
    people_of,
    robust_mean,
    unit,
)

_PARTS = {"trunk": 0.03, "head": 0.075, "thighs": 0.265, "shanks": 0.2, "whole": 0.385}
_AHEAD = -0.053
_STRAIGHT = 0.1  # shortening of a body, relative to its length, that leaves it 1/e of its say

# How far one body is off, in degrees: across the view and along it, seen from the front and from
# the side; with more where its directions differ from frame to frame, and where it is bent.
_ACROSS_DEG, _ALONG_DEG, _SIDEWAYS_DEG = 1.8, 4.0, 5.5
_OF_SPREAD = 0.7
_BENT, _BENT_DEG = 0.5, 20.0


def find_up(stretches: Sequence[Stretch]) -> FoundUp | None:
    """Return up as everybody's body says it over the whole clip.

    Args:
        stretches: Everybody.

    Returns:
        None if nobody is there whose up is anywhere near that of the picture.
    """
    seconds = _seconds(stretches)
    say = dict.fromkeys(seconds, 0.0)
    bodies, straights = [], []
    for stretch in stretches:
        limit = min(LONGEST_S / max(seconds[stretch.person], 1e-9), 1.0)
        body, straight = _votes(stretch, limit)
        say[stretch.person] += float(body.weight.sum())
        bodies.append(body)
        straights.append(straight)
    votes = Votes.of_all(bodies) if bodies else None
    if votes is None or not len(votes.up):
        return None
    up, across = robust_mean(votes)
    many = np.sqrt(people_of(list(say.values())))
    more = _more_deg(votes, up, float(np.concatenate(straights).mean()))
    return FoundUp(
        up=up,
        across=across,
        across_deg=float(np.hypot(_ACROSS_DEG, more) / many),
        along_deg=float(np.hypot(votes.mean(votes.along_deg), more) / many),
        seconds=sum(seconds.values()),
    )


def _seconds(stretches: Sequence[Stretch]) -> dict[int, float]:
    """Return for how long each person is seen."""
    seconds = dict.fromkeys((stretch.person for stretch in stretches), 0.0)
    for stretch in stretches:
        seconds[stretch.person] += float(stretch.time_s[-1] - stretch.time_s[0])
    return seconds


def _votes(stretch: Stretch, limit: float) -> tuple[Votes, Float64[np.ndarray, " votes"]]:
    """Return what each frame of a body says whose up is known, and how straight it is there."""
    up = body_up(stretch.xyz)
    placed = np.isfinite(stretch.root).all(-1)
    ray = unit(np.where(placed[:, None], stretch.root, [0.0, 0.0, 1.0]))
    used = apart_deg(up, LEVEL) < MOST_ASKEW_DEG  # unknown poses are not
    straight = straightness(stretch.xyz)
    seconds = float(stretch.time_s[-1] - stretch.time_s[0])
    share = limit * seconds / len(up) if seconds else 1e-3
    front = np.abs((_sideways(stretch.xyz) * ray).sum(-1))
    along_deg = _SIDEWAYS_DEG + (_ALONG_DEG - _SIDEWAYS_DEG) * front
    across_deg = np.full(len(up), _ACROSS_DEG)
    votes = (up, ray, straight * share, across_deg, along_deg)
    return Votes(*(values[used] for values in votes)), straight[used]


def _more_deg(votes: Votes, up: Float64[np.ndarray, " 3"], straight: float) -> float:
    """Return how far up may be off for bodies that differ from frame to frame, or are bent."""
    spread_deg = np.sqrt(votes.mean(apart_deg(votes.up, up) ** 2))
    return float(np.hypot(_OF_SPREAD * spread_deg, _BENT_DEG * max(_BENT - straight, 0)))


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
    ahead = np.cross(_sideways(xyz), unit(parts["trunk"]))
    total = _AHEAD * unit(ahead)
    for name, weight in _PARTS.items():
        total = total + weight * unit(parts[name])
    return unit(total)


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


def _sideways(xyz: Float[np.ndarray, "frames 17 3"]) -> Float64[np.ndarray, "frames 3"]:
    """Return from the right side of each body to its left."""
    hips, shoulders = (
        unit(_joint(xyz, f"left_{name}") - _joint(xyz, f"right_{name}"))
        for name in ("hip", "shoulder")
    )
    return unit(hips + shoulders)


def _joint(xyz: Float[np.ndarray, "frames 17 3"], name: str) -> Float64[np.ndarray, "frames 3"]:
    return xyz[:, H36M17.index(name)].astype(np.float64)


def _middle(xyz: Float[np.ndarray, "frames 17 3"], name: str) -> Float64[np.ndarray, "frames 3"]:
    return (_joint(xyz, f"left_{name}") + _joint(xyz, f"right_{name}")) / 2
