"""People of a result as points in the world, gaps left open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.files.export.base import ExportOptions, chosen
from pose3d_cli.files.results import ClipResult, PersonResult

NO_PLACE = "no joint has a place in the world in any frame"

_UNNAMED = 30.0
"""Frames a second of one frame alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """One person from their first frame to their last.

    Attributes:
        person: Identity.
        row: Place of each frame on the clip's time axis; none is left out between two.
        time_s: The video's own times.
        xyz: Metres, world axes (z up); NaN where a joint has no place.
    """

    person: int
    row: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    xyz: Float64[np.ndarray, "frames joints 3"]

    @property
    def n_missing(self) -> int:
        """Number of frames in which a joint has no place."""
        return int((~np.isfinite(self.xyz).all((1, 2))).sum())


def track_of(result: ClipResult, person: PersonResult) -> Track:
    """Return a person's joints in the world; they must be in one frame at least."""
    row = np.arange(person.rows[0], person.rows[-1] + 1, dtype=np.int64)
    xyz = np.full((len(row), *person.xyz_camera.shape[1:]), np.nan)
    xyz[person.rows - row[0]] = result.world.from_camera(person.xyz_camera)
    return Track(person=person.person, row=row, time_s=result.time_s[row], xyz=xyz)


def tracks(result: ClipResult, options: ExportOptions, notes: list[str]) -> Iterator[Track]:
    """Yield who is chosen and has a place in the world, each when their turn comes.

    Args:
        result: A clip.
        options: Whom to write.
        notes: Is told who is left out, and in how many frames joints of others are missing.
    """
    for person in chosen(result, options).people:
        if not np.isfinite(person.xyz_camera).all(-1).any():
            notes.append(f"person {person.person} is left out: {NO_PLACE}")
            continue
        track = track_of(result, person)
        if track.n_missing:
            notes.append(
                f"person {person.person}: in {track.n_missing} of {len(track.row)} frames joints "
                "have no place; gaps are left open"
            )
        yield track


def rate_of(result: ClipResult) -> float:
    """Return the nominal rate of a clip, in frames a second; of one frame alone, 30."""
    told = result.meta.get("fps")
    if isinstance(told, int | float) and np.isfinite(told) and told > 0:
        return float(told)
    steps = np.diff(result.time_s)
    return float(1 / np.median(steps)) if len(steps) else _UNNAMED
