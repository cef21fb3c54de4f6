"""Trembling taken out: a low-pass that does not delay, at the times frames really have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from scipy.signal import butter, sosfiltfilt

from pose3d_cli.pose.clean.motion import Motion
from pose3d_cli.pose.resample import poses_at, uniform_times

_ORDER = 2  # forwards and backwards: of the fourth order in all
_FEWEST = 4
_NYQUIST = 0.95  # of half the rate: nothing above can be in the frames
_SETTLES = 1.5  # periods of the cut-off by which a stretch is continued beyond its ends


@dataclass(frozen=True, kw_only=True)
class CutOffs:
    """Frequencies above which motion is taken for trembling, in Hz.

    Attributes:
        pose_hz: Of joints relative to the pelvis.
        path_hz: Of the pelvis' path.
    """

    pose_hz: float
    path_hz: float


STRENGTHS: Mapping[str, CutOffs] = {
    "light": CutOffs(pose_hz=5.0, path_hz=3.0),
    "strong": CutOffs(pose_hz=3.0, path_hz=1.5),
}


def smooth(motion: Motion, cut_offs: CutOffs) -> Motion:
    """Return a motion without what is faster than `cut_offs`.

    Args:
        motion: A stretch; one of fewer than four frames comes back as it is.
        cut_offs: How much to take away.
    """
    return replace(
        motion,
        pose=low_pass(motion.pose, motion.time_s, cut_offs.pose_hz),
        root=low_pass(motion.root, motion.time_s, cut_offs.path_hz),
    )


def low_pass(
    values: Float64[np.ndarray, " frames *rest"],
    time_s: Float64[np.ndarray, " frames"],
    cut_off_hz: float,
) -> Float64[np.ndarray, " frames *rest"]:
    """Return values without what is faster than `cut_off_hz`, undelayed.

    Frames that come unevenly are first put on even times, as many as there are frames in the
    shortest usual step, and the result is read off at their own. A channel that is unknown (NaN)
    somewhere comes back as it is.

    Source: Butterworth filter, run forwards and backwards (SciPy).
    """
    if len(time_s) < _FEWEST:
        return values
    even_s = uniform_times(time_s, 1 / float(np.median(np.diff(time_s))))
    rate_hz = (len(even_s) - 1) / float(even_s[-1] - even_s[0])
    if cut_off_hz >= _NYQUIST * rate_hz / 2 or len(even_s) < _FEWEST:
        return values
    even = poses_at(values, time_s, even_s).reshape(len(even_s), -1).copy()
    known = np.isfinite(even).all(0)
    sections = butter(_ORDER, cut_off_hz, fs=rate_hz, output="sos")
    beyond = min(round(_SETTLES * rate_hz / cut_off_hz), len(even_s) - 1)
    even[:, known] = sosfiltfilt(sections, even[:, known], axis=0, padlen=beyond)
    smoothed = poses_at(even, even_s, time_s).reshape(values.shape)
    return np.where(np.isfinite(values), smoothed, values)
