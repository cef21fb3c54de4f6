"""A leg of two bones that puts its ankle where it is wanted, the knee bending as it did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "frames 3"]

_GIVES = 0.5  # of what a leg lacks to being straight
_STRAIGHT_M = 0.03  # a knee that is less off the line from hip to ankle hardly says where it bends
_LITTLE_M = 0.02  # an ankle that moves less leaves more of the knee's own direction
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Leg:
    """A leg over time; metres, any axes.

    Attributes:
        hip: Where the thigh begins.
        knee: Where it ends and the shank begins.
        ankle: Where the shank ends.
    """

    hip: Points
    knee: Points
    ankle: Points

    def stretched(self, wanted: Float64[np.ndarray, " frames"]) -> Float64[np.ndarray, " frames"]:
        """Return how far from the hip the ankle comes that is wanted so far from it.

        A leg gives way more and more unwillingly, and half of what it lacks to being straight at
        most: a knee that came straight at once would be seen to snap.
        """
        room = np.maximum(_GIVES * (self.thigh + self.shank - self.length), 1e-6)
        more = np.maximum(wanted - self.length, 0)
        return np.where(more > 0, self.length + room * (1 - np.exp(-more / room)), wanted)

    @property
    def length(self) -> Float64[np.ndarray, " frames"]:
        """How far from the hip the ankle is."""
        return _size(self.ankle - self.hip)[:, 0]

    @property
    def thigh(self) -> Float64[np.ndarray, " frames"]:
        """Length of the thigh."""
        return _size(self.knee - self.hip)[:, 0]

    @property
    def shank(self) -> Float64[np.ndarray, " frames"]:
        """Length of the shank."""
        return _size(self.ankle - self.knee)[:, 0]


def bend_leg(leg: Leg, new_hip: Points, wanted: Points, ahead: Points) -> tuple[Points, Points]:
    """Return knee and ankle of a leg whose hip is moved and whose ankle is wanted elsewhere.

    The leg turns by the smallest rotation that takes its old line to the new one, then the knee
    bends in the plane in which it bent. Bones keep their lengths: an ankle out of reach stays on
    the line to where it is wanted (see `Leg.stretched`).

    Args:
        leg: As it was.
        new_hip: Where the hip is now.
        wanted: Where the ankle should be.
        ahead: Where the body looks; unit vectors. A straight leg bends that way.
    """
    thigh, shank = leg.thigh, leg.shank
    old, line = _unit(leg.ankle - leg.hip), _unit(wanted - new_hip)
    off = leg.knee - leg.hip
    off = _turned(off - _dot(off, old) * old, old, line)
    moved = _size((wanted - new_hip) - (leg.ankle - leg.hip))
    hint = ahead - _dot(ahead, line) * line
    unsure = np.clip(1 - _size(off) / _STRAIGHT_M, 0, 1) * np.clip(moved / _LITTLE_M, 0, 1)
    side = _unit(off + unsure * _STRAIGHT_M * hint)
    shortest = np.abs(thigh - shank) + 1e-4
    far = np.maximum(leg.stretched(_size(wanted - new_hip)[:, 0]), shortest)
    along = (thigh**2 - shank**2 + far**2) / (2 * far)
    out = np.sqrt(np.maximum(thigh**2 - along**2, 0))
    new_knee = new_hip + along[:, None] * line + out[:, None] * side
    return new_knee, new_hip + far[:, None] * line


def lacking(leg: Leg, new_hip: Points, wanted: Points) -> Points:
    """Return by how much an ankle falls short of where it is wanted: the hip should move so."""
    line = wanted - new_hip
    far = _size(line)[:, 0]
    return np.asarray(_unit(line) * (far - leg.stretched(far))[:, None])


def _turned(vectors: Points, old: Points, new: Points) -> Points:
    """Return vectors turned by the smallest rotation that takes `old` to `new`; both are units."""
    axis, cosine = np.cross(old, new), _dot(old, new)
    # Rodrigues' formula; opposite directions have no smallest rotation, and no leg turns so far.
    share = _dot(axis, vectors) / np.maximum(1 + cosine, 1e-6)
    return np.asarray(vectors * cosine + np.cross(axis, vectors) + axis * share)


def _unit(vectors: Points) -> Points:
    return np.asarray(vectors / np.maximum(_size(vectors), _TINY))


def _size(vectors: Points) -> Float64[np.ndarray, "frames 1"]:
    return np.asarray(np.linalg.norm(vectors, axis=-1, keepdims=True))


def _dot(a: Points, b: Points) -> Float64[np.ndarray, "frames 1"]:
    return np.asarray((a * b).sum(-1, keepdims=True))
