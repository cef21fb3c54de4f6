"""A truth of any rate at the rows of keypoints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from pose3d_cli.learn.recordings.truth import Truth
from pose3d_cli.pose.resample import poses_at
from pose3d_cli.pose.types import Keypoints2D

_SAME_FPS = 0.01
_LONGEST_GAP_S = 0.1
_GAP_PERIODS = 1.5
_EDGE_S = 0.002
"""Times are rounded in files: so far outside, a row still counts as inside."""


def times_of(truth: Truth, keypoints: Keypoints2D, offset_s: float) -> Float64[np.ndarray, " rows"]:
    """Return when each row of a truth is, by the clock of the video.

    Frame numbers are those of the video, whose times may be uneven; unless the file says another
    rate than the video's: then they count that rate.

    Args:
        truth: With times, or with frame numbers.
        keypoints: With both, of the video.
        offset_s: Added to the truth's times.
    """
    if truth.time_s is not None:
        return truth.time_s + offset_s
    if truth.frame is None:
        raise ValueError("a truth has times or frame numbers")
    is_other = truth.fps > 0 and abs(truth.fps / keypoints.fps - 1) > _SAME_FPS
    if is_other:
        return truth.frame / truth.fps + offset_s
    return _video_times(truth.frame, keypoints) + offset_s


def _video_times(
    frame: Int64[np.ndarray, " rows"], keypoints: Keypoints2D
) -> Float64[np.ndarray, " rows"]:
    """Return times of the video's frames; those outside the keypoints at the nominal rate."""
    frames, time_s = keypoints.frames, keypoints.time_s
    inside = np.interp(frame, frames, time_s)
    before = np.minimum(frame - frames[0], 0) / keypoints.fps
    after = np.maximum(frame - frames[-1], 0) / keypoints.fps
    return np.asarray(inside + before + after, np.float64)


def truth_at(
    truth: Truth, truth_time_s: Float64[np.ndarray, " rows"], time_s: Float64[np.ndarray, " frames"]
) -> tuple[Float32[np.ndarray, "frames 17 3"], Bool[np.ndarray, " frames"]]:
    """Return a truth at other times, and whether it reaches there.

    By straight lines in time. Times before its first row, after its last, and in a gap between
    rows are not reached; NaN then.

    Args:
        truth: Its joints.
        truth_time_s: When each of its rows is.
        time_s: When joints are wanted.
    """
    row = np.searchsorted(truth_time_s, time_s + _EDGE_S, side="right") - 1
    after = np.searchsorted(truth_time_s, time_s - _EDGE_S, side="left")
    inside = (row >= 0) & (after < len(truth_time_s))
    period = float(np.median(np.diff(truth_time_s))) if len(truth_time_s) > 1 else 0.0
    last = len(truth_time_s) - 1
    across = truth_time_s[after.clip(max=last)] - truth_time_s[row.clip(min=0)]
    reached = inside & (across <= max(_LONGEST_GAP_S, _GAP_PERIODS * period))
    xyz = poses_at(truth.xyz, truth_time_s, time_s)
    return np.where(reached[:, None, None], xyz, np.float32(np.nan)), reached
