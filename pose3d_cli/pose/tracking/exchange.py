"""Two people who were taken for each other for a while: told by their looks, and given back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from pose3d_cli.pose.tracking.cost import apart, look_apart
from pose3d_cli.pose.tracking.track import Seen

_FIRST = 10
"""Looks that tell at first what somebody looks like."""
_DIFFER = 0.2
"""Hellinger distance of two people's looks from which they can be told apart."""
_PENALTY = 4.0
"""Evidence for an exchange that must be outweighed, in Hellinger distances summed over pictures."""
_FARTHEST = 2.0
_ROUNDS = 2


def exchanged(
    both: Sequence[tuple[Seen, Seen]], close: Sequence[bool]
) -> Bool[np.ndarray, " both"]:
    """Return in which pictures each of two tracks shows the other's person.

    The sequence of "as they are" and "exchanged" that explains the looks best, where a change has
    its cost and can only happen while the two are close (Viterbi's algorithm).

    Args:
        both: Their sightings in the pictures that show both, in order.
        close: In which of these they may be taken for each other.
    """
    none = np.zeros(len(both), bool)
    looks = [[pair[which].look for pair in both] for which in (0, 1)]
    change, state = _cost_of_change(both, close), none
    for _ in range(_ROUNDS):
        means = _means(looks, state, first=state is none)
        if means is None or look_apart(*means) < _DIFFER:
            return none
        state = _best(_evidence(looks, means), change)
    return state


def _means(
    looks: Sequence[Sequence[np.ndarray | None]], state: Bool[np.ndarray, " both"], *, first: bool
) -> tuple[Float64[np.ndarray, " bins"], Float64[np.ndarray, " bins"]] | None:
    """Return each person's look, by what is thought of who is who; None where one has none."""
    found = []
    for person in (0, 1):
        own = [
            look
            for picture, swapped in enumerate(state)
            if (look := looks[person ^ int(swapped)][picture]) is not None
        ]
        if not own:
            return None
        found.append(np.asarray(np.mean(own[:_FIRST] if first else own, axis=0), np.float64))
    return found[0], found[1]


def _evidence(
    looks: Sequence[Sequence[np.ndarray | None]],
    means: tuple[Float64[np.ndarray, " bins"], Float64[np.ndarray, " bins"]],
) -> Float64[np.ndarray, " both"]:
    """Return for each picture by how much the looks fit better exchanged than as they are."""
    evidence = np.zeros(len(looks[0]))
    for track in (0, 1):
        for picture, look in enumerate(looks[track]):
            if look is not None:
                own, other = means[track], means[1 - track]
                evidence[picture] += look_apart(own, look) - look_apart(other, look)
    return evidence


def _cost_of_change(
    both: Sequence[tuple[Seen, Seen]], close: Sequence[bool]
) -> Float64[np.ndarray, " both"]:
    """Return what a change just before each picture costs; infinite where the two are far apart.

    Least where they went on more evenly exchanged than as they are: there the tracker went wrong.
    """
    cost = np.full(len(both), np.inf)
    for at in range(1, len(both)):
        if close[at] or close[at - 1]:
            (a, b), (c, d) = both[at - 1], both[at]
            jumps = [min(apart(*pair), _FARTHEST) for pair in ((a, d), (b, c), (a, c), (b, d))]
            cost[at] = _PENALTY + jumps[0] + jumps[1] - jumps[2] - jumps[3]
    return cost


def _best(
    evidence: Float64[np.ndarray, " both"], change: Float64[np.ndarray, " both"]
) -> Bool[np.ndarray, " both"]:
    """Return the states, exchanged or not, of most evidence less the costs of changes."""
    gain = np.stack([np.zeros(len(evidence)), evidence], axis=1)
    score, came_from = gain[0].copy(), np.zeros((len(evidence), 2), int)
    score[1] -= _PENALTY
    for at in range(1, len(evidence)):
        other = score[::-1] - change[at]
        came_from[at] = np.where(other > score, [1, 0], [0, 1])
        score = np.maximum(score, other) + gain[at]
    states = np.zeros(len(evidence), int)
    states[-1] = int(score.argmax())
    for at in range(len(evidence) - 1, 0, -1):
        states[at - 1] = came_from[at, states[at]]
    return states.astype(bool)
