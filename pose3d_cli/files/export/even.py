"""A person at one even rate, for formats that know no times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.export.animation import EVEN
from pose3d_cli.files.export.track import Track
from pose3d_cli.pose.resample import poses_at


@dataclass(frozen=True, kw_only=True, eq=False)
class EvenTrack:
    """One person at an even rate.

    Attributes:
        first: Number of the first frame, from 0 where the clip begins.
        xyz: Metres, world axes; NaN where a joint has no place.
        is_resampled: Whether places were worked out between frames.
    """

    first: int
    xyz: Float64[np.ndarray, "frames joints 3"]
    is_resampled: bool


def even_track(track: Track, begin_s: float, fps: float) -> EvenTrack:
    """Return a person at an even rate, on lines from frame to frame; a gap stays one.

    Args:
        track: The person.
        begin_s: Time of the clip's first frame, from which frames are counted.
        fps: The rate.
    """
    place = (track.time_s - begin_s) * fps
    first = int(np.rint(place[0]))
    if np.abs(place - (first + np.arange(len(place)))).max() < EVEN:
        return EvenTrack(first=first, xyz=track.xyz, is_resampled=False)
    first, last = int(np.ceil(place[0] - EVEN)), int(np.floor(place[-1] + EVEN))
    numbers = np.arange(first, max(first, last) + 1, dtype=np.float64)
    xyz = poses_at(track.xyz, track.time_s, begin_s + numbers / fps)
    return EvenTrack(first=first, xyz=xyz, is_resampled=True)
