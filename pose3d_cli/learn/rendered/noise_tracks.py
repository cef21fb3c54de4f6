"""A joint of a clip about the point at which a detector marks it there, as the noise is fitted to.

The usual error is told by medians, so that a joint which is lost for less than half of the clip
does not count in it; and how such figures of short clips come out is told by simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64
from scipy.signal import lfilter

from pose3d_cli.learn.rendered.detector_error import Found
from pose3d_cli.learn.rendered.truth import FEWEST_FRAMES, Rendered
from pose3d_cli.pose.skeleton import H36M17

FAR = 4.0
"""A joint that is this many times as far off as usual is lost."""

_NORMAL = 1.4826
"""Median of absolute values to standard deviation, of a normal distribution."""
_AFTER_S = 0.2
_SIMULATED = 400
_LONGEST = 500
_MEMORIES_S = np.geomspace(0.02, 2.0, 15)
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class NoiseTrack:
    """One joint of one clip, in the frames in which it is shown.

    Attributes:
        clip: Number of the clip.
        kind: Joint without its side.
        usual: Standard deviation, an axis, as a share of the person's extent: by medians.
        usual_m: The same in metres.
        off: How far from its median it is, in multiples of `usual`.
        remembered: Correlation of what is not lost with itself 0.2 s later; NaN in shorter clips.
        score: The detector's.
    """

    clip: int
    kind: str
    usual: float
    usual_m: float
    off: Float64[np.ndarray, " shown"]
    remembered: float
    score: Float64[np.ndarray, " shown"]


def noise_tracks(clips: Sequence[tuple[Rendered, Found]], kinds: Sequence[str]) -> list[NoiseTrack]:
    """Return the joints of some kinds in every clip that shows them often enough."""
    columns = [j for j, name in enumerate(H36M17.joints) if name.rpartition("_")[2] in kinds]
    return [
        track
        for number, (clip, seen) in enumerate(clips)
        for joint in columns
        if (track := _track(number, clip, seen, joint)) is not None
    ]


def _track(number: int, clip: Rendered, seen: Found, joint: int) -> NoiseTrack | None:
    frames = seen.keypoints.frames
    error = seen.error[:, joint] / seen.extent[:, None]
    shown = clip.shown[frames, joint] & np.isfinite(error).all(-1)
    if shown.sum() < FEWEST_FRAMES:
        return None
    rest, usual = _about_the_middle(np.where(shown[:, None], error, np.nan))
    metres = float(np.median((seen.extent * clip.xyz[frames, joint, 2])[shown]))
    off = np.linalg.norm(rest, axis=-1) / usual
    kept = np.where(off[:, None] < FAR, rest, np.nan)
    return NoiseTrack(
        clip=number,
        kind=H36M17.joints[joint].rpartition("_")[2],
        usual=usual,
        usual_m=usual * metres,
        off=off[shown],
        remembered=_remembered(kept, frames, seen.keypoints.fps),
        score=seen.keypoints.score[shown, joint].astype(np.float64),
    )


def _about_the_middle(
    error: Float64[np.ndarray, "frames 2"],
) -> tuple[Float64[np.ndarray, "frames 2"], float]:
    """Return an error less its middle, and how large that usually is, an axis.

    What is lost by a first look counts in neither.
    """
    kept = np.isfinite(error).all(-1)
    for _ in range(2):
        rest = error - np.median(error[kept], axis=0)
        usual = max(float(_NORMAL * np.median(np.abs(rest[kept]))), _LEAST)
        kept = np.linalg.norm(rest, axis=-1) < FAR * usual
    return rest, usual


def _remembered(rest: Float64[np.ndarray, "frames 2"], frames: np.ndarray, fps: float) -> float:
    lag = max(round(_AFTER_S * fps), 1)
    product = (rest[lag:] * rest[:-lag])[frames[lag:] - frames[:-lag] == lag]
    if not np.isfinite(product).any():
        return float("nan")
    return float(np.nanmean(product) / max(np.nanmean(rest**2), _LEAST**2))


@dataclass(frozen=True, kw_only=True)
class ShortClips:
    """How the figures of a `NoiseTrack` come out in clips of a length, of noise of unit spread.

    Attributes:
        usual: Median of what is found in place of 1.
        usual_differs: Standard deviation of its logarithm.
        middle_differs: Standard deviation of the median of a clip, an axis.
        far: Share of frames that seem lost, though none is.
        remembered: Mean correlation after 0.2 s.
    """

    usual: float
    usual_differs: float
    middle_differs: float
    far: float
    remembered: float


def memory_of(remembered: float, slow: float, fresh: float, frames: int, fps: float) -> float:
    """Return the memory in seconds of noise whose correlation after 0.2 s comes out so."""
    seen = [simulate(float(s), slow, fresh, frames, fps).remembered for s in _MEMORIES_S]
    rising = np.maximum.accumulate(seen)
    return float(np.interp(remembered, rising, _MEMORIES_S))


@cache
def simulate(memory_s: float, slow: float, fresh: float, frames: int, fps: float) -> ShortClips:
    """Return how the figures of short clips come out.

    Args:
        memory_s: Of the noise.
        slow: Standard deviation of its slow part, as a share of its spread.
        fresh: The same of what is new in every frame.
        frames: Of a clip.
        fps: Frames a second.
    """
    random = np.random.default_rng(0)
    frames = min(frames, _LONGEST)
    kept = np.exp(-1 / (fps * memory_s))
    normal = random.normal(size=(_SIMULATED, frames, 2))
    normal[:, 1:] *= np.sqrt(1 - kept**2)
    drawn = lfilter([1.0], [1.0, -kept], normal, axis=1)
    noise = slow * drawn + fresh * random.normal(size=drawn.shape)
    found = [_about_the_middle(one) for one in noise]
    rest, usual = np.stack([one for one, _ in found]), np.array([size for _, size in found])
    middle = (noise - rest)[:, 0]
    off = np.linalg.norm(rest, axis=-1) / usual[:, None]
    every = np.arange(frames)
    kept_ones = np.where(off[..., None] < FAR, rest, np.nan)
    return ShortClips(
        usual=float(np.median(usual)),
        usual_differs=float(np.log(usual).std()),
        middle_differs=float(middle.std()),
        far=float((off >= FAR).mean()),
        remembered=float(np.nanmean([_remembered(one, every, fps) for one in kept_ones])),
    )
