"""Feet led to where they will stand, and let go from there, without a jerk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.clean.contact import Contact

EASE_S = 0.2
"""Time in which a foot is led to where it will stand, and let go from there."""


def eased(
    contacts: Sequence[tuple[Contact, Float64[np.ndarray, " 3"]]],
    ankle: Float64[np.ndarray, "frames 3"],
    time_s: Float64[np.ndarray, " frames"],
) -> Float64[np.ndarray, "frames 3"]:
    """Return what is to be added to an ankle so that it rests at the place of each contact.

    Between them it is led from one to the next, or let go and caught again where there is time:
    by cubics, which neither jump nor jerk the foot where it comes to rest.
    """
    added = np.zeros_like(ankle)
    velocity = np.gradient(ankle, time_s, axis=0) if len(ankle) > 1 else np.zeros_like(ankle)
    ends: list[tuple[int, int]] = []
    for contact, place in sorted(contacts, key=lambda pair: pair[0].first):
        rows = slice(contact.first, contact.stop)
        added[rows] = place - ankle[rows]
        ends.append((contact.first, contact.stop - 1))
    for number in range(len(ends) + 1):
        last = ends[number - 1][1] if number else None
        following = ends[number][0] if number < len(ends) else None
        _lead(added, -velocity, time_s, last, following)
    return added


def _lead(
    added: Float64[np.ndarray, "frames 3"],
    rate: Float64[np.ndarray, "frames 3"],
    time_s: Float64[np.ndarray, " frames"],
    last: int | None,
    following: int | None,
) -> None:
    """Fill `added` between the frame in which a contact ends and that in which one begins."""
    start_s = -np.inf if last is None else time_s[last]
    end_s = np.inf if following is None else time_s[following]
    first = 0 if last is None else last + 1
    stop = len(added) if following is None else following
    between = time_s[first:stop]
    if last is not None and following is not None and end_s - start_s < 2 * EASE_S:
        share = (between - start_s) / (end_s - start_s)
        span = end_s - start_s
        added[first:stop] = _cubic(share, span, added[last], rate[last]) + _cubic(
            1 - share, -span, added[following], rate[following]
        )
        return
    for row, edge_s, span in ((last, start_s, EASE_S), (following, end_s, -EASE_S)):
        if row is not None:
            share = np.clip((between - edge_s) / span, 0, 1)
            added[first:stop] += _cubic(share, span, added[row], rate[row])


def _cubic(
    share: Float64[np.ndarray, " frames"],
    span_s: float,
    value: Float64[np.ndarray, " 3"],
    rate: Float64[np.ndarray, " 3"],
) -> Float64[np.ndarray, "frames 3"]:
    """Return the cubic from `value`, changing at `rate`, to rest at 0 (Hermite)."""
    s = share[:, None]
    return np.asarray((1 + 2 * s) * (1 - s) ** 2 * value + s * (1 - s) ** 2 * span_s * rate)
