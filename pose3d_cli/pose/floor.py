"""The floor of a clip: one level for all of it, where feet stand; and what it says of up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.feet import Contacts
from pose3d_cli.pose.up import FoundUp

FEWEST_STEPS = 2
"""Fewer feet that stand than this are no floor."""

_BAND_M = 0.04
_WIDEST_BAND_M = 0.15
_LEAST_PEAK = 0.4  # of the greatest: a lower level on which people stand so often is the floor
_OFF_BAND = 1.5
_SOLE_SURE_M = 0.015

# How far placed feet are from where they are: up and down, and along the ray, of its length.
_HEIGHT_OFF_M = 0.05
_DEPTH_OFF = 0.1
_PERSON_OFF = 0.12  # the same of all steps of one person: of wrong size (0.06), and wrongly placed
_LOW = 0.3  # of the steps: those are on the floor rather than above it
_SLACK = (1.5, 2.5)  # of these, above the plane and below it, after which a step is an outlier
_ROUNDS = 8


@dataclass(frozen=True, kw_only=True)
class Floor:
    """How high the camera is above the floor.

    Attributes:
        height_m: Of the camera above the floor below the people, in metres.
        sure_m: How far it may be off (one standard deviation).
        steps: Feet that it rests on.
    """

    height_m: float
    sure_m: float
    steps: int


def find_floor(contacts: Contacts, up: Float64[np.ndarray, " 3"]) -> Floor | None:
    """Return the floor: the lowest level on which feet often stand.

    The level at which most feet stand, or a lower one on which nearly as many do: a foot that is
    held up, or on a stair, stands still as well, but nobody stands below the floor. All steps of
    the clip count together, so somebody who jumps does not take the floor with them.

    Args:
        contacts: Of everybody over the whole clip.
        up: In camera axes, of length one.

    Returns:
        None if too few feet are seen to stand.
    """
    if len(contacts) < FEWEST_STEPS:
        return None
    height = contacts.ankle @ up - contacts.sole_m
    band = _band(height)
    level = _lowest_level(height, contacts.seconds, band)
    weight = contacts.seconds * (np.abs(height - level) < _OFF_BAND * band)
    if not weight.any():
        return None
    level = float((weight * height).sum() / weight.sum())
    spread = float(np.sqrt((weight * (height - level) ** 2).sum() / weight.sum()))
    steps = int((weight > 0).sum())
    sure_m = float(np.hypot(max(spread, _BAND_M / 2) / np.sqrt(steps), _SOLE_SURE_M))
    return Floor(height_m=-level, sure_m=sure_m, steps=steps)


def _band(height: Float64[np.ndarray, " steps"]) -> float:
    """Return how wide a level is: as wide as the neighbouring quarters of the heights lie."""
    low, high = np.quantile(height, [0.25, 0.75])
    return float(np.clip((high - low) / 2, _BAND_M, _WIDEST_BAND_M))


def _lowest_level(
    height: Float64[np.ndarray, " steps"], weight: Float64[np.ndarray, " steps"], band: float
) -> float:
    """Return the lowest peak of the smoothed distribution of heights that is a high one."""
    at = np.arange(height.min() - band, height.max() + 2 * band, band / 8)
    near = np.exp(-0.5 * ((at[:, None] - height) / band) ** 2)
    density = near @ weight
    inner = density[1:-1]
    peaks = np.flatnonzero((inner >= density[:-2]) & (inner > density[2:])) + 1
    high = peaks[density[peaks] >= _LEAST_PEAK * density.max()]
    return float(at[high[0]])


def tilt_by_feet(bodies: FoundUp, contacts: Contacts) -> tuple[Float64[np.ndarray, " 3"], float]:
    """Return up, as bodies say it, made better by the plane that feet stand on.

    A least-squares plane would tilt along the view, for depth is what one camera knows worst. So
    each step has its own uncertainty, the larger the more its ray points up or down, and the plane
    starts from what bodies say, to their uncertainty: where people go nowhere nothing changes.
    Feet above the plane lose their say sooner than those below it. Somebody taller than assumed is
    put too near, and above or below the others' floor: each person may have a height of their own.

    Args:
        bodies: What they say.
        contacts: Of everybody over the whole clip.

    Returns:
        Up, of length one, and how far it may be off, in degrees (one standard deviation).
    """
    if len(contacts) <= FEWEST_STEPS:
        return bodies.up, bodies.sure_deg
    across = np.stack([bodies.across, np.cross(bodies.up, bodies.across)], 1)
    point = contacts.ankle - bodies.up * contacts.sole_m[:, None]
    height = point @ bodies.up
    off = np.hypot(_HEIGHT_OFF_M, _DEPTH_OFF * (contacts.ankle @ bodies.up))
    own, own_off = _own_heights(contacts, bodies.up)
    plane = [(point - point.mean(0)) @ across, -np.ones((len(point), 1))]
    matrix = np.concatenate([*plane, own], 1)
    sure = np.radians([bodies.across_deg, bodies.along_deg]) ** -2
    prior = np.diag([*sure, 1e-9, *(own_off**-2)])
    start = float(np.quantile(height, _LOW))
    tilt, normal = np.zeros(len(prior)), prior
    for _ in range(_ROUNDS):
        wrong = (matrix @ tilt + height - start) / off
        weight = off**-2 / (1 + (wrong / np.where(wrong > 0, *_SLACK)) ** 2)
        normal = (matrix * weight[:, None]).T @ matrix + prior
        tilt = np.linalg.solve(normal, (matrix * weight[:, None]).T @ (start - height))
    up = bodies.up + across @ tilt[:2]
    variance = np.trace(np.linalg.inv(normal)[:2, :2])
    return up / np.linalg.norm(up), float(np.degrees(np.sqrt(variance)))


def _own_heights(
    contacts: Contacts, up: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, "steps people"], Float64[np.ndarray, " people"]]:
    """Return which step is whose, and how far each person's floor may be off, in metres."""
    people = np.unique(contacts.person)
    if len(people) == 1:  # whose floor is the floor
        return np.zeros((len(contacts), 0)), np.zeros(0)
    own = (contacts.person[:, None] == people).astype(np.float64)
    below_m = np.abs(contacts.ankle @ up @ own / own.sum(0))
    return own, np.maximum(_PERSON_OFF * below_m, _HEIGHT_OFF_M)
