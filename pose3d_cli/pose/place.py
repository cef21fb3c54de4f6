"""Where the pelvis is: from a root-relative pose and the rays of its joints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from scipy.ndimage import median_filter

from pose3d_cli.pose.camera import Camera, pixels_to_rays
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

MIN_JOINTS = 3
"""Fewer seen joints than this do not say how far away a person is."""

NEAREST_M = 0.1
"""No joint is nearer to the camera than this; a solution that says so is no solution."""

SMOOTHING_S = 0.25
"""Width (standard deviation) of the window over which depth is smoothed, in seconds.

At 30 frames a second it averages about 26 frames; a person who speeds up by 2 m/s^2 is misplaced
by 6 cm, less than the 7 to 13 cm by which a single frame errs.
"""

# Detectors and mocap mean the same by these; by neck, nose or crown they do not.
_PLACED_BY = tuple(j for j in H36M17.joints if j.startswith(("left_", "right_")))
_FILLED_WEIGHT = 0.02

_ROUNDS = 3
_NEVER_AN_OUTLIER = 0.05  # in log depth: one part in twenty
_BLOCK = 4096


def place_person(
    pose: Float[np.ndarray, "frames 17 3"], keypoints: Keypoints2D, camera: Camera
) -> Float64[np.ndarray, "frames 3"]:
    """Return where the pelvis of somebody is who was seen without a gap, smooth in depth.

    Args:
        pose: Metres, camera axes, pelvis at the origin.
        keypoints: On h36m17, a row for each of `pose`.
        camera: That they are pixels of.

    Returns:
        Metres, camera axes; all NaN if no frame determines it.
    """
    rays = pixels_to_rays(keypoints.xy, camera)
    weight = np.zeros_like(keypoints.score)
    columns = [H36M17.index(joint) for joint in _PLACED_BY]
    weight[:, columns] = np.maximum(keypoints.score[:, columns], _FILLED_WEIGHT)
    weight[np.isnan(keypoints.xy).any(-1)] = 0
    return smooth_depth(place_root(pose, rays, weight), keypoints.time_s)


def place_root(
    pose: Float[np.ndarray, "frames joints 3"],
    rays: Float[np.ndarray, "frames joints 2"],
    weight: Float[np.ndarray, "frames joints"],
) -> Float64[np.ndarray, "frames 3"]:
    """Return the pelvis position that puts the joints nearest to their rays, frame by frame.

    Each joint gives two linear equations, t_x - n_x t_z = n_x p_z - p_x and the same in y. The
    least squares have a closed form, because t_x and t_y follow from t_z by their means.

    Args:
        pose: Metres, camera axes, pelvis at the origin.
        rays: (x/z, y/z) of each joint; anything, NaN too, where the weight is 0.
        weight: How far to trust each ray; 0 leaves the joint out.

    Returns:
        Metres, camera axes. NaN for a frame that does not determine it: fewer than `MIN_JOINTS`
        joints, all on one ray, or a solution with a joint behind the camera.

    """
    used = (weight > 0) & np.isfinite(rays).all(-1) & np.isfinite(pose).all(-1)
    share = np.where(used, weight, 0).astype(np.float64)
    total = share.sum(1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    rays = np.where(used[..., None], rays, 0).astype(np.float64)
    pose = np.where(used[..., None], pose, 0).astype(np.float64)

    wanted = rays * pose[..., 2:] - pose[..., :2]
    ray_mean = np.einsum("tj,tjc->tc", share, rays)
    wanted_mean = np.einsum("tj,tjc->tc", share, wanted)
    ray_spread = rays - ray_mean[:, None]
    spread = np.einsum("tj,tjc,tjc->t", share, ray_spread, ray_spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.einsum("tj,tjc,tjc->t", share, ray_spread, wanted - wanted_mean[:, None])
        depth = -along / spread
        root = np.concatenate([wanted_mean + ray_mean * depth[:, None], depth[:, None]], 1)

    nearest = np.where(used, pose[..., 2], np.inf).min(1) + depth
    is_good = (used.sum(1) >= MIN_JOINTS) & (spread > 1e-12) & (nearest > NEAREST_M)
    return np.where(is_good[:, None], root, np.nan)


def smooth_depth(
    root: Float[np.ndarray, "frames 3"],
    time_s: Float64[np.ndarray, " frames"],
    *,
    width_s: float = SMOOTHING_S,
) -> Float64[np.ndarray, "frames 3"]:
    """Return `root` with its depth smoothed over time and its gaps filled, each on its own ray.

    Depth is what one camera knows worst; the ray of the pelvis it knows well, so that ray is kept
    and only the distance along it changes. The logarithm of depth is fitted by local straight
    lines in real time, hence uneven frame times do no harm and steady walking is not held back.
    Outlying frames lose their say, round by round.

    Args:
        root: Metres, camera axes; NaN where unknown.
        time_s: Seconds, rising.
        width_s: Standard deviation of the window, in seconds.

    Returns:
        Metres, camera axes; all NaN only if no frame of `root` is known.

    Source: locally weighted robust regression; Cleveland 1979, with a Gaussian window.
    """
    root = root.astype(np.float64)
    known = np.isfinite(root).all(1) & (root[:, 2] > 0)
    if not known.any():
        return np.full_like(root, np.nan)
    depth = np.where(known, root[:, 2], 1)
    rays = _fill(root[:, :2] / depth[:, None], known, time_s)
    log_depth = _fill(np.log(depth)[:, None], known, time_s)[:, 0]
    depth = np.exp(_robust_lines(log_depth, known.astype(np.float64), time_s, width_s))
    return np.concatenate([rays * depth[:, None], depth[:, None]], 1)


def _fill(
    values: Float64[np.ndarray, "frames channels"],
    known: np.ndarray,
    time_s: Float64[np.ndarray, " frames"],
) -> Float64[np.ndarray, "frames channels"]:
    """Return `values` with unknown rows drawn straight in time between known ones."""
    columns = [np.interp(time_s, time_s[known], column[known]) for column in values.T]
    return np.stack(columns, -1)


def _robust_lines(
    values: Float64[np.ndarray, " frames"],
    weight: Float64[np.ndarray, " frames"],
    time_s: Float64[np.ndarray, " frames"],
    width_s: float,
) -> Float64[np.ndarray, " frames"]:
    """Smooth `values`, a frame counting less the farther it lies from the smooth line."""
    frame_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else width_s
    median_size = 2 * int(width_s / frame_s) + 1
    # A running median starts the rounds: outliers that come in a row would bend a mean.
    smooth = median_filter(values, size=median_size, mode="nearest")
    for _ in range(_ROUNDS):
        residual = np.abs(values - smooth)
        scale = max(6 * float(np.median(residual[weight > 0])), _NEVER_AN_OUTLIER)
        trust = weight * np.clip(1 - (residual / scale) ** 2, 0, None) ** 2
        smooth = _local_lines(values, trust, time_s, width_s)
    return smooth


def _local_lines(
    values: Float64[np.ndarray, " frames"],
    weight: Float64[np.ndarray, " frames"],
    time_s: Float64[np.ndarray, " frames"],
    width_s: float,
) -> Float64[np.ndarray, " frames"]:
    """Return, at each frame, the weighted straight line through its neighbours in time."""
    first = np.searchsorted(time_s, time_s - 3 * width_s)
    stop = np.searchsorted(time_s, time_s + 3 * width_s, side="right")
    reach = np.arange(int((stop - first).max()))
    smooth = np.empty_like(values)
    # In blocks, so that an hour of video does not need a matrix of an hour by a window.
    for start in range(0, len(values), _BLOCK):
        rows = slice(start, start + _BLOCK)
        column = first[rows, None] + reach
        inside = column < stop[rows, None]
        column = np.where(inside, column, 0)
        offset = time_s[column] - time_s[rows, None]
        # A whisper of trust keeps a window defined in which every frame is an outlier.
        kernel = np.exp(-0.5 * (offset / width_s) ** 2) * (weight[column] + 1e-9) * inside
        smooth[rows] = _line_at_zero(offset / width_s, values[column], kernel)
    return smooth


def _line_at_zero(
    offset: Float64[np.ndarray, "frames window"],
    values: Float64[np.ndarray, "frames window"],
    kernel: Float64[np.ndarray, "frames window"],
) -> Float64[np.ndarray, " frames"]:
    """Return the height at offset 0 of the weighted least-squares line of each row."""
    kernel = kernel / kernel.sum(1, keepdims=True)
    offset_mean = (kernel * offset).sum(1)
    value_mean = (kernel * values).sum(1)
    variance = (kernel * (offset - offset_mean[:, None]) ** 2).sum(1)
    covariance = (kernel * (offset - offset_mean[:, None]) * values).sum(1)
    slope = np.divide(covariance, variance, out=np.zeros_like(variance), where=variance > 1e-6)
    return np.asarray(value_mean - slope * offset_mean)
