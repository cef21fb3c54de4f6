"""Holes in a person's keypoints: short ones are filled and marked so, long ones part the clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Int64

from pose3d_cli.pose.types import Keypoints2D


def fill_gaps(keypoints: Keypoints2D, *, max_gap_s: float = 0.5) -> Keypoints2D:
    """Fill short holes with positions interpolated in time, at score 0.

    A hole is a joint without position, or a frame without row. A hole at either end of the clip,
    which has only one side, takes the nearest position.

    Args:
        keypoints: One person.
        max_gap_s: Longest hole filled, in seconds between the rows on its two sides (at an end:
            from the end to the nearest row). Longer ones stay: frames without row, and joints
            without position.

    Returns:
        The keypoints, with a row for each frame of every short hole.
    """
    if not len(keypoints):
        return keypoints
    rowed = _with_missing_rows(keypoints, max_gap_s)
    xy, score = rowed.xy.copy(), rowed.score.copy()
    for joint in range(xy.shape[1]):
        unseen = np.isnan(xy[:, joint]).any(-1)
        fill = unseen & _is_short(unseen, rowed.time_s, max_gap_s)
        if fill.any():
            seen_s = rowed.time_s[~unseen]
            for axis in (0, 1):
                seen_px = rowed.xy[~unseen, joint, axis]
                xy[fill, joint, axis] = np.interp(rowed.time_s[fill], seen_s, seen_px)
        score[unseen, joint] = 0
    return replace(rowed, xy=xy, score=score)


def split_at_gaps(keypoints: Keypoints2D, max_gap_s: float = 0.5) -> list[Keypoints2D]:
    """Return the stretches between gaps longer than `max_gap_s` seconds, in order."""
    breaks = np.flatnonzero(np.diff(keypoints.time_s) > max(max_gap_s, 1.5 / keypoints.fps)) + 1
    return [keypoints.take(rows) for rows in np.split(np.arange(len(keypoints)), breaks)]


def _with_missing_rows(keypoints: Keypoints2D, max_gap_s: float) -> Keypoints2D:
    """Return keypoints with an empty row for each frame missing from a short gap."""
    frames, time_s = keypoints.frames, keypoints.time_s
    is_short = np.diff(time_s) <= max_gap_s
    wanted = [
        np.arange(start + 1, end)
        for start, end, short in zip(frames[:-1], frames[1:], is_short, strict=True)
        if short
    ]
    missing = np.concatenate([*wanted, np.zeros(0, np.int64)]).astype(np.int64)
    if not len(missing):
        return keypoints
    every = np.sort(np.concatenate([frames, missing]))
    rows = np.searchsorted(every, frames)
    return replace(
        keypoints,
        xy=_spread(keypoints.xy, rows, len(every), np.nan),
        score=_spread(keypoints.score, rows, len(every), 0.0),
        frames=every,
        time_s=np.interp(every, frames, time_s),
    )


def _spread(
    values: Float32[np.ndarray, "frames ..."],
    rows: Int64[np.ndarray, " frames"],
    n: int,
    rest: float,
) -> Float32[np.ndarray, "n ..."]:
    spread = np.full((n, *values.shape[1:]), rest, np.float32)
    spread[rows] = values
    return spread


def _is_short(unseen: np.ndarray, time_s: np.ndarray, max_gap_s: float) -> np.ndarray:
    """Return whether the seen rows around each row lie at most `max_gap_s` apart.

    At an end of the clip, whether the end lies at most so far from the nearest seen row.
    """
    seen = np.flatnonzero(~unseen)
    if not len(seen):
        return np.zeros(len(unseen), dtype=bool)
    row = np.arange(len(unseen))
    place = np.searchsorted(seen, row)
    before = np.where(place > 0, seen[np.maximum(place - 1, 0)], -1)
    after = np.where(place < len(seen), seen[np.minimum(place, len(seen) - 1)], -1)
    has_both = (before >= 0) & (after >= 0)
    span = np.where(has_both, time_s[after] - time_s[before], np.inf)
    at_end = np.where(before < 0, time_s[after] - time_s[0], time_s[-1] - time_s[before])
    return np.where(has_both, span, at_end) <= max_gap_s
