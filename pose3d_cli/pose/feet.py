"""When feet stand on the ground, and where: what a clip knows of its floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import statures

ANKLES = ("left_ankle", "right_ankle")

SOLE = 0.05
"""Height of the ankle joint above the sole while the foot stands, in parts of the stature."""

SLOW_M_S = 0.5
"""An ankle that goes no faster across its ray than this may be that of a foot that stands."""

_SEEN = 0.2  # score of an ankle from which its place was seen, not guessed
_SHORTEST_S = 0.12
_LONGEST_S = 1.0
_APART_S = 0.06  # to each side, over which a speed is measured


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """One person for as long as they are seen without a gap, in camera axes.

    Attributes:
        xyz: Metres, pelvis at the origin.
        root: Pelvis in metres, camera at the origin; NaN where it could not be placed.
        score: Of the 2D joints; 0 where unseen or filled in.
        time_s: Seconds, rising.
        person: Identity: somebody may be seen for several stretches.
    """

    xyz: Float[np.ndarray, "frames 17 3"]
    root: Float[np.ndarray, "frames 3"]
    score: Float[np.ndarray, "frames 17"]
    time_s: Float64[np.ndarray, " frames"]
    person: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Contacts:
    """Feet that stand, each step once (or once a second, if it lasts).

    Attributes:
        ankle: Where the ankle is, metres, camera axes.
        sole_m: How far the sole is below it.
        seconds: How long it was seen there.
        person: Whose it is; the size of a person is misjudged alike all the time.
    """

    ankle: Float64[np.ndarray, "steps 3"]
    sole_m: Float64[np.ndarray, " steps"]
    seconds: Float64[np.ndarray, " steps"]
    person: Int[np.ndarray, " steps"]

    def __len__(self) -> int:
        return len(self.ankle)


def find_contacts(stretches: Sequence[Stretch]) -> Contacts:
    """Return the feet that may stand: ankles that are seen and keep still.

    A foot that somebody holds up keeps still too: heights must say which of them are on the floor.
    How fast an ankle comes nearer is left out, because depth is what one camera knows worst.
    """
    found = [(*step, stretch.person) for stretch in stretches for step in _steps(stretch)]
    return Contacts(
        ankle=np.array([step[0] for step in found]).reshape(-1, 3),
        sole_m=np.array([step[1] for step in found]),
        seconds=np.array([step[2] for step in found]),
        person=np.array([step[3] for step in found], np.int64),
    )


def _steps(stretch: Stretch) -> Iterator[tuple[Float64[np.ndarray, " 3"], float, float]]:
    time_s = stretch.time_s
    if len(time_s) < 3:
        return
    sole_m = SOLE * float(np.nanmedian(statures(stretch.xyz)))
    for joint in ANKLES:
        column = H36M17.index(joint)
        ankle = (stretch.xyz[:, column] + stretch.root).astype(np.float64)
        stands = stretch.score[:, column] > _SEEN
        stands &= _speed_across(ankle, time_s) < SLOW_M_S  # who is not placed has no speed
        for rows in _runs(stands, time_s):
            seconds = float(time_s[rows][-1] - time_s[rows][0])
            if seconds >= _SHORTEST_S:
                yield np.median(ankle[rows], axis=0), sole_m, seconds


def _speed_across(
    ankle: Float64[np.ndarray, "frames 3"], time_s: Float64[np.ndarray, " frames"]
) -> Float64[np.ndarray, " frames"]:
    """Return how fast a point goes at right angles to its ray, in metres a second."""
    last = len(time_s) - 1
    first = np.clip(np.searchsorted(time_s, time_s - _APART_S), 0, last)
    stop = np.clip(np.searchsorted(time_s, time_s + _APART_S), 0, last)
    first, stop = (
        np.minimum(first, np.arange(last + 1) - 1).clip(0),
        np.maximum(stop, np.arange(last + 1) + 1).clip(0, last),
    )
    way = (ankle[stop] - ankle[first]) / (time_s[stop] - time_s[first])[:, None]
    ray = ankle / np.maximum(np.linalg.norm(ankle, axis=-1, keepdims=True), 1e-9)
    across = way - (way * ray).sum(-1, keepdims=True) * ray
    return np.asarray(np.linalg.norm(across, axis=-1))


def _runs(
    stands: Bool[np.ndarray, " frames"], time_s: Float64[np.ndarray, " frames"]
) -> Iterator[slice]:
    """Yield the rows of each time that a foot stands, none longer than `_LONGEST_S`."""
    row = 0
    while row < len(stands):
        if not stands[row]:
            row += 1
            continue
        first = row
        while row < len(stands) and stands[row] and time_s[row] - time_s[first] < _LONGEST_S:
            row += 1
        yield slice(first, row)
