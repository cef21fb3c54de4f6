"""Keypoints and poses at one rate turned into those at another.

Networks are trained at one rate. Videos have many, and some have none: frames come unevenly.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Float64

SAME_RATE = 0.05
"""A clip whose rate is this near to the one wanted, relative to it, is left as it is."""

_EVEN = 0.25  # of a period: how far frames may be from where an even rate puts them
_LOPSIDED = 0.4  # of a period: how far the middle of the frames seen may be from the new time


def uniform_times(
    time_s: Float64[np.ndarray, " frames"], rate_hz: float
) -> Float64[np.ndarray, " samples"]:
    """Return even times from the first to the last of `time_s`, as near to `rate_hz` as fits.

    The times themselves come back where they are even and at that rate already (to within
    `SAME_RATE`, which no network notices): interpolation would only blur them.
    """
    duration = float(time_s[-1] - time_s[0])
    even = np.linspace(time_s[0], time_s[-1], len(time_s))
    off = np.abs(time_s - even).max() * rate_hz
    if abs((len(time_s) - 1) - duration * rate_hz) <= SAME_RATE * (len(time_s) - 1) and off < _EVEN:
        return time_s
    return np.linspace(time_s[0], time_s[-1], max(round(duration * rate_hz), 1) + 1)


def keypoints_at(
    xy: Float32[np.ndarray, "frames joints 2"],
    score: Float32[np.ndarray, "frames joints"],
    time_s: Float64[np.ndarray, " frames"],
    new_time_s: Float64[np.ndarray, " samples"],
) -> tuple[Float32[np.ndarray, "samples joints 2"], Float32[np.ndarray, "samples joints"]]:
    """Return keypoints at other times.

    Where there are more new times than old, by straight lines between neighbours; a score is the
    lesser of the two, so what was filled in (score 0) stays so. Where there are fewer, by lines
    fitted to the frames within a new period to either side, sure and near ones counting more: less
    is thrown away, and trembling does not become slow motion.

    Args:
        xy: Any units; NaN where unknown.
        score: In [0, 1]; 0 where unknown or filled in.
        time_s: Seconds, rising.
        new_time_s: Seconds, rising, even, within `time_s`.

    Returns:
        NaN and score 0 where the frames that count are unknown.
    """
    if np.array_equal(time_s, new_time_s):
        return xy, score
    new_xy, new_score = _along_lines(xy, score, time_s, new_time_s)
    if len(new_time_s) >= len(time_s):
        return new_xy, new_score
    fitted_xy, fitted_score = _local_lines(xy, score, time_s, new_time_s)
    fits = fitted_score > 0
    return np.where(fits[..., None], fitted_xy, new_xy), np.where(fits, fitted_score, new_score)


def poses_at(
    xyz: Float[np.ndarray, " frames *rest"],
    time_s: Float64[np.ndarray, " frames"],
    new_time_s: Float64[np.ndarray, " samples"],
) -> Float[np.ndarray, " samples *rest"]:
    """Return values at other times, by straight lines in time, held before and after the ends."""
    if np.array_equal(time_s, new_time_s):
        return xyz
    before, after, share = _neighbours(time_s, new_time_s)
    share = share.reshape(-1, *[1] * (xyz.ndim - 1))
    return (xyz[before] * (1 - share) + xyz[after] * share).astype(xyz.dtype)


def _neighbours(
    time_s: Float64[np.ndarray, " frames"], new_time_s: Float64[np.ndarray, " samples"]
) -> tuple[np.ndarray, np.ndarray, Float64[np.ndarray, " samples"]]:
    """Return the frames before and after each new time, and how far it is from one to the other.

    A new time on a frame has that frame on both sides, so that no neighbour spoils it.
    """
    place = np.interp(new_time_s, time_s, np.arange(len(time_s)))
    nearest = np.rint(place)
    place = np.where(np.abs(place - nearest) < 1e-6, nearest, place)
    before = np.floor(place).astype(np.int64)
    return before, np.ceil(place).astype(np.int64), place - before


def _along_lines(
    xy: Float32[np.ndarray, "frames joints 2"],
    score: Float32[np.ndarray, "frames joints"],
    time_s: Float64[np.ndarray, " frames"],
    new_time_s: Float64[np.ndarray, " samples"],
) -> tuple[Float32[np.ndarray, "samples joints 2"], Float32[np.ndarray, "samples joints"]]:
    before, after, _ = _neighbours(time_s, new_time_s)
    new_xy = poses_at(xy, time_s, new_time_s)
    return new_xy, np.minimum(score[before], score[after])


def _local_lines(
    xy: Float32[np.ndarray, "frames joints 2"],
    score: Float32[np.ndarray, "frames joints"],
    time_s: Float64[np.ndarray, " frames"],
    new_time_s: Float64[np.ndarray, " samples"],
) -> tuple[Float32[np.ndarray, "samples joints 2"], Float32[np.ndarray, "samples joints"]]:
    """Fit a line over a period to either side, weighted by nearness (a triangle) and score.

    A line and not a mean: steady motion stays where it is, however unevenly frames lie. The score
    comes out 0 where the frames seen lie too much to one side to say.
    """
    period = (new_time_s[-1] - new_time_s[0]) / (len(new_time_s) - 1)
    first = np.searchsorted(time_s, new_time_s - period)
    stop = np.searchsorted(time_s, new_time_s + period, side="right")
    total = np.zeros((len(new_time_s), 1))
    moments = np.zeros((3, len(new_time_s), xy.shape[1]))  # of the offset: sum w, w d, w d d
    sums = np.zeros((2, len(new_time_s), *xy.shape[1:]))  # of the position: sum w x, w d x
    for step in range(int((stop - first).max())):
        frame = np.minimum(first + step, len(time_s) - 1)
        offset = ((time_s[frame] - new_time_s) / period)[:, None]
        near = np.clip(1 - np.abs(offset), 0, None) * (first + step < stop)[:, None]
        weight, position = near * score[frame], np.nan_to_num(xy[frame])
        total += near
        for power in range(3):
            moments[power] += weight * offset**power
        for power in range(2):
            sums[power] += (weight * offset**power)[..., None] * position
    w, wd, wdd = moments
    is_good = (w * wdd - wd**2 > 0.01 * w**2) & (np.abs(wd) < _LOPSIDED * w)
    below = np.where(is_good, w * wdd - wd**2, 1)[..., None]
    line = (wdd[..., None] * sums[0] - wd[..., None] * sums[1]) / below
    sure = np.where(is_good, w / np.maximum(total, 1e-9), 0)
    return line.astype(xy.dtype), sure.astype(score.dtype)
