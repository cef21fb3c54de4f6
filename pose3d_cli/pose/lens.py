"""How a lens bends rays, in OpenCV's model, and how to straighten them again."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

_MAX_STEPS = 60
_CLOSE = 1e-13
_NUDGE = 1e-6
_TINY_PACE = 1e-9

Rays = Float64[np.ndarray, "*batch 2"]


def distort(rays: Rays, distortion: Float64[np.ndarray, " coefficients"]) -> Rays:
    """Return where the lens sends `rays`.

    Args:
        rays: (x/z, y/z) as a lens without distortion sees them.
        distortion: k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, cut anywhere; empty changes nothing.

    Source: OpenCV's documentation of `calib3d`, without the tilted sensor.
    """
    if not distortion.any():
        return rays
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = np.pad(distortion, (0, 12 - len(distortion)))
    x, y = rays[..., 0], rays[..., 1]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    prism_x, prism_y = r2 * (s1 + r2 * s2), r2 * (s3 + r2 * s4)
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + prism_x,
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + prism_y,
        ],
        -1,
    )


def undistort(bent: Rays, distortion: Float64[np.ndarray, " coefficients"]) -> Rays:
    """Undo `distort`, by Newton's method held inside the region where the lens is one-to-one.

    A strong lens model folds over beyond some angle. Points that no ray reaches are given a ray
    just this side of the fold, so that a joint far outside the picture stays finite. Points that
    are no numbers give NaN.
    """
    if not distortion.any():
        return bent
    points = bent.reshape(-1, 2)
    known = np.isfinite(points).all(-1)
    rays = np.full_like(points, np.nan)
    rays[known] = _solve(points[known], distortion)
    return rays.reshape(bent.shape)


def _solve(
    target: Float64[np.ndarray, "points 2"], distortion: Float64[np.ndarray, " coefficients"]
) -> Float64[np.ndarray, "points 2"]:
    """Return the rays that the lens sends to `target`, all of them finite."""
    rays = _first_guess(target, distortion)
    error, slope = _error_and_slope(rays, target, distortion)
    pace = np.ones(len(rays))
    for _ in range(_MAX_STEPS):
        step = np.linalg.solve(slope, error[..., None])[..., 0]
        tried = rays - pace[:, None] * step
        tried_error, tried_slope = _error_and_slope(tried, target, distortion)
        better = (_length(tried_error) < _length(error)) & _is_unfolded(tried_slope)
        rays[better] = tried[better]
        error[better] = tried_error[better]
        slope[better] = tried_slope[better]
        pace = np.where(better, np.minimum(1, 2 * pace), pace / 2)
        # A point is settled when it is close, or when even a tiny step no longer helps.
        if not np.any((_length(error) > _CLOSE) & (pace > _TINY_PACE)):
            break
    return rays


def _first_guess(
    target: Float64[np.ndarray, "points 2"], distortion: Float64[np.ndarray, " coefficients"]
) -> Float64[np.ndarray, "points 2"]:
    """Return `target`, drawn towards the axis until it lies this side of the fold."""
    rays = target.copy()
    for _ in range(_MAX_STEPS):
        folded = ~_is_unfolded(_error_and_slope(rays, target, distortion)[1])
        if not folded.any():
            break
        rays[folded] *= 0.8
    return rays


def _error_and_slope(
    rays: Float64[np.ndarray, "points 2"],
    target: Float64[np.ndarray, "points 2"],
    distortion: Float64[np.ndarray, " coefficients"],
) -> tuple[Float64[np.ndarray, "points 2"], Float64[np.ndarray, "points 2 2"]]:
    error = distort(rays, distortion) - target
    steps = _NUDGE * np.eye(2)
    columns = [
        (distort(rays + step, distortion) - distort(rays - step, distortion)) / (2 * _NUDGE)
        for step in steps
    ]
    return error, np.stack(columns, -1)


def _is_unfolded(slope: Float64[np.ndarray, "points 2 2"]) -> np.ndarray:
    return np.asarray((np.linalg.det(slope) > 1e-9) & (np.trace(slope, axis1=1, axis2=2) > 0))


def _length(error: Float64[np.ndarray, "points 2"]) -> np.ndarray:
    return np.asarray(np.hypot(error[:, 0], error[:, 1]))
