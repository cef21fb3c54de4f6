"""Joints that jump away and come back, limbs that change sides for a moment: mended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import median_filter

from pose3d_cli.pose.clean.motion import Motion, joint
from pose3d_cli.pose.clean.runs import runs_of

WINDOW_S = 0.5
"""Width of the window whose median says where a joint should be, in seconds."""

LONGEST_S = 0.2
"""What lasts longer is motion, or an error that nothing near in time can mend."""

_SIGMAS = 4.0
_PER_MAD = 1.4826  # of a normal distribution: standard deviation over median deviation
_LEAST_M = 0.12  # nearer to where it should be, a joint is never an outlier
_SURE = 0.9  # a joint of this score: on held-out motion, such jumps were mostly true
_FEWEST = 5

_LIMBS = tuple(
    tuple(tuple(joint(f"{side}_{part}") for part in parts) for side in ("left", "right"))
    for parts in (("knee", "ankle"), ("elbow", "wrist"))
)
_FLIP_SHARE = 0.6  # of the distance that remains when sides are changed back: then it was a flip
_APART_M = 0.6  # of both joints of both limbs, added up: limbs side by side cannot be told apart


def mend_outliers(motion: Motion) -> tuple[Motion, int]:
    """Put joints that are away for a moment on a line between where they left and came back.

    A joint is away where it lies farther from its median over `WINDOW_S` than four times its usual
    deviation there, and than 12 cm; for a moment, if that lasts no longer than `LONGEST_S`. It is
    as far from the line, or it is motion that goes on; and what was surely seen is believed.

    Args:
        motion: A stretch; NaN is left alone.

    Returns:
        The motion, and how many joints in how many frames were mended, all told.

    Source: Hampel's identifier.
    """
    if len(motion) < _FEWEST:
        return motion, 0
    away = _away(motion)
    pose, mended = motion.pose.copy(), 0
    for j in range(1, pose.shape[1]):
        for first, stop in runs_of(away[:, j]):
            if _lasts(motion, first, stop) <= LONGEST_S and first > 0 and stop < len(motion):
                line = _line(motion, j, first, stop)
                is_unsure = motion.score[first:stop, j].mean() < _SURE
                if is_unsure and _far(pose[first:stop, j], line).max() > _LEAST_M:
                    pose[first:stop, j] = line
                    mended += stop - first
    return replace(motion, pose=pose), mended


def mend_side_flips(motion: Motion) -> tuple[Motion, int]:
    """Change back the sides of legs or arms that are exchanged for a moment in 3D.

    Flips are mended in 2D before lifting; this is for those that only the lifted limbs show: both
    sides leave the line between their neighbours, and lie on each other's.

    Returns:
        The motion, and in how many frames something was changed back.
    """
    if len(motion) < _FEWEST:
        return motion, 0
    pose, changed = motion.pose.copy(), np.zeros(len(motion), bool)
    usual = _median(motion)
    for left, right in _LIMBS:
        flipped = _flipped(pose, usual, left, right)
        for first, stop in runs_of(flipped):
            if _lasts(motion, first, stop) <= LONGEST_S:
                rows = slice(first, stop)
                old_left = pose[rows, list(left)].copy()
                pose[rows, list(left)] = pose[rows, list(right)]
                pose[rows, list(right)] = old_left
                changed[rows] = True
    return replace(motion, pose=pose), int(changed.sum())


def _flipped(
    pose: Float64[np.ndarray, "frames 17 3"],
    usual: Float64[np.ndarray, "frames 17 3"],
    left: tuple[int, ...],
    right: tuple[int, ...],
) -> Bool[np.ndarray, " frames"]:
    """Return where both joints of both sides are where the other side's should be."""
    as_is = changed = apart = np.zeros(len(pose))
    for one, other in (*zip(left, right, strict=True), *zip(right, left, strict=True)):
        as_is = as_is + _far(pose[:, one], usual[:, one])
        changed = changed + _far(pose[:, one], usual[:, other])
        apart = apart + _far(usual[:, one], usual[:, other])
    with np.errstate(invalid="ignore"):
        return np.asarray((changed < _FLIP_SHARE * as_is) & (apart > _APART_M))


def _away(motion: Motion) -> Bool[np.ndarray, "frames 17"]:
    usual = _median(motion)
    off = _far(motion.pose, usual)
    spread = _PER_MAD * _running_median(off, _size(motion))
    with np.errstate(invalid="ignore"):
        return np.asarray(off > np.maximum(_SIGMAS * spread, _LEAST_M))


def _median(motion: Motion) -> Float64[np.ndarray, "frames 17 3"]:
    return _running_median(motion.pose, _size(motion))


def _running_median(values: np.ndarray, size: int) -> np.ndarray:
    """Return medians over time; NaN where anything near is unknown."""
    return np.asarray(median_filter(values, size=(size, *[1] * (values.ndim - 1)), mode="nearest"))


def _size(motion: Motion) -> int:
    """Return the frames in a window, odd."""
    frame_s = float(np.median(np.diff(motion.time_s)))
    return 2 * max(2, round(WINDOW_S / 2 / frame_s)) + 1


def _far(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def _lasts(motion: Motion, first: int, stop: int) -> float:
    """Return the time for which a run of frames lasts, from the frame before to its last."""
    return float(motion.time_s[stop - 1] - motion.time_s[max(first - 1, 0)])


def _line(motion: Motion, j: int, first: int, stop: int) -> Float64[np.ndarray, "run 3"]:
    around = [first - 1, stop]
    return np.stack(
        [
            np.interp(motion.time_s[first:stop], motion.time_s[around], axis)
            for axis in motion.pose[around, j].T
        ],
        axis=-1,
    )
