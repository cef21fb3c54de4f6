"""Whom of everybody in a clip the user asked for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from pose3d_cli.config import nearest
from pose3d_cli.errors import NobodyFoundError, UnknownNameError
from pose3d_cli.pose.types import Keypoints2D


def _extent(track: Keypoints2D) -> float:
    """Return the mean area of a person's box over the rows, times how many there are."""
    seen: Float[np.ndarray, "frames joints 2"] = np.where(
        track.score[..., None] > 0, track.xy, np.nan
    )
    rows = seen[~np.isnan(seen).all((1, 2))]
    if not len(rows):
        return 0.0
    return float((np.nanmax(rows, axis=1) - np.nanmin(rows, axis=1)).prod(-1).sum())


def pick_people(tracks: list[Keypoints2D], which: str, at_most: int = 0) -> list[Keypoints2D]:
    """Return the people a user asked for.

    Args:
        tracks: Everybody found.
        which: `all`; `largest`, who fills most of the picture over the clip; `longest`, who is
            seen in most frames; or an identity, a number.
        at_most: Of these only so many, who fill most of the picture; 0 for all.

    Raises:
        UnknownNameError: `which` is none of these words and no number.
        NobodyFoundError: No such person.
    """
    if which == "all":
        large = sorted(tracks, key=_extent, reverse=True)[: at_most or None]
        return [track for track in tracks if track in large]
    if which in ("largest", "longest"):
        return [max(tracks, key=_extent if which == "largest" else len)] if tracks else []
    if not which.isdecimal():
        known = ["all", "largest", "longest"]
        raise UnknownNameError(
            f"--person {which!r} is neither a number nor a word known here{nearest(which, known)}"
        )
    picked = [track for track in tracks if track.person == int(which)]
    if not picked:
        raise not_there(which, [track.person for track in tracks])
    return picked


def not_there(which: str, found: Iterable[int]) -> NobodyFoundError:
    """Return the error that a person, by number, is not among those found."""
    there = ", ".join(str(number) for number in found) or "nobody"
    return NobodyFoundError(f"--person {which}: not in this clip. Found: {there}.")
