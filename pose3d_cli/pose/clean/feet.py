"""Feet that stand are held where they stand; the legs follow, and where they must, the pelvis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.clean.contact import ANKLES, SHORTEST_S, Contact
from pose3d_cli.pose.clean.ease import eased
from pose3d_cli.pose.clean.follow import follow
from pose3d_cli.pose.clean.motion import Motion

SMALL_M = 0.10
"""`auto` leaves a foot alone that would have to be moved farther than this."""

_SHORT_M = 0.003  # a foot that falls shorter than this of its place is let go
_ROUNDS = 3

Ankles = Float64[np.ndarray, "frames 2 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Where a foot stands, kept for the next part of a clip.

    Attributes:
        foot: Place in `ANKLES`.
        first_s: When it begins to stand.
        last_s: When it last stands.
        place: Of the ankle, metres, camera axes.
        is_held: Whether it is held there.
    """

    foot: int
    first_s: float
    last_s: float
    place: Float64[np.ndarray, " 3"]
    is_held: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Lock:
    """What was made of a contact.

    Attributes:
        contact: When; its ends may be cut off where the leg does not reach.
        held: Where.
        slide_m: How far the foot slid before: between its two farthest places.
        slide_after_m: The same afterwards.
    """

    contact: Contact
    held: Held
    slide_m: float
    slide_after_m: float


def hold_feet(
    motion: Motion, contacts: Sequence[Contact], *, always: bool, known: Sequence[Held] = ()
) -> tuple[Motion, list[Lock]]:
    """Hold each foot that stands at the middle (median) of where it was.

    Args:
        motion: A stretch, its bones of constant length; they keep it.
        contacts: When feet stand.
        always: Whether feet are held that have to be moved far, too.
        known: Where feet stood in the part of the clip before: whoever stands on, stands there.

    Returns:
        The motion, and what was made of each contact.
    """
    before = motion.xyz[:, ANKLES]
    held = [_held(contact, before, motion, always, known) for contact in contacts]
    kept, better = list(contacts), motion
    for _ in range(_ROUNDS):
        wanted = _wanted(kept, held, before, motion.time_s)
        better = follow(motion, wanted) if any(h.is_held for h in held) else motion
        short = np.linalg.norm(better.xyz[:, ANKLES] - wanted, axis=-1)
        cut = [_cut(c, h, short, motion) for c, h in zip(kept, held, strict=True)]
        if all(new is old for (new, _), old in zip(cut, kept, strict=True)):
            break
        kept, held = [contact for contact, _ in cut], [where for _, where in cut]
    after = better.xyz[:, ANKLES]
    return better, [
        Lock(
            contact=contact,
            held=where,
            slide_m=slide_m(before[contact.first : contact.stop, contact.foot]),
            slide_after_m=slide_m(after[contact.first : contact.stop, contact.foot]),
        )
        for contact, where in zip(kept, held, strict=True)
    ]


def slide_m(path: Float64[np.ndarray, "frames 3"]) -> float:
    """Return how far apart the two farthest places of a path are."""
    few = path[:: 1 + len(path) // 1000]  # a thousand places tell the extent of any path
    return float(np.linalg.norm(few[:, None] - few[None], axis=-1).max())


def _held(
    contact: Contact, ankle: Ankles, motion: Motion, always: bool, known: Sequence[Held]
) -> Held:
    first_s = float(motion.time_s[contact.first])
    last_s = float(motion.time_s[contact.stop - 1])
    for old in known:
        if old.foot == contact.foot and old.first_s <= last_s and first_s <= old.last_s:
            return replace(old, first_s=first_s, last_s=last_s)
    path = ankle[contact.first : contact.stop, contact.foot]
    place = np.median(path, axis=0)
    far = float(np.linalg.norm(place - path, axis=-1).max())
    return Held(
        foot=contact.foot,
        first_s=first_s,
        last_s=last_s,
        place=place,
        is_held=always or far <= SMALL_M,
    )


def _wanted(
    contacts: Sequence[Contact],
    held: Sequence[Held],
    ankle: Ankles,
    time_s: Float64[np.ndarray, " frames"],
) -> Ankles:
    """Return where ankles should be in all frames."""
    both = [(c, h.place) for c, h in zip(contacts, held, strict=True) if h.is_held]
    added = [
        eased([(c, place) for c, place in both if c.foot == foot], ankle[:, foot], time_s)
        for foot in range(len(ANKLES))
    ]
    return ankle + np.stack(added, axis=1)


def _cut(
    contact: Contact, held: Held, short: Float64[np.ndarray, "frames 2"], motion: Motion
) -> tuple[Contact, Held]:
    """Let a foot stand only from and until where its leg reaches: heels rise before feet leave."""
    reached = short[contact.first : contact.stop, contact.foot] <= _SHORT_M
    if not held.is_held or (reached[0] and reached[-1]):
        return contact, held
    rows = contact.first + np.flatnonzero(reached)
    if len(rows) < 2 or motion.time_s[rows[-1]] - motion.time_s[rows[0]] < SHORTEST_S:
        return replace(contact), replace(held, is_held=False)
    return replace(contact, first=int(rows[0]), stop=int(rows[-1]) + 1), held
