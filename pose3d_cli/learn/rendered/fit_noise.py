"""A detector's noise, in the generator's terms, from how it errs on people whose joints are known.

What clips of some seconds cannot tell is taken from `measured`, and so is what few clips cannot:
where joints are marked and how clips differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import InputError
from pose3d_cli.learn.rendered.detector_error import Found, joint_errors
from pose3d_cli.learn.rendered.noise_tracks import (
    FAR,
    NoiseTrack,
    ShortClips,
    memory_of,
    noise_tracks,
    simulate,
)
from pose3d_cli.learn.rendered.truth import Rendered
from pose3d_cli.learn.synthetic.detector_noise import (
    OTHER,
    DetectorNoise,
    Flips,
    Jitter,
    Lost,
    Marks,
    Scores,
)
from pose3d_cli.learn.synthetic.noise_file import measured_noise

FEWEST_CLIPS = 8
"""With fewer, what is of the detector cannot be told from what is of a clip."""

LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
_LOG_RAYLEIGH = (0.058, 0.411)
"""Mean and variance of the logarithm of how far off a joint of spread 1 is."""
_SURE = 0.995
_VAGUE_PERCENT = 20.0
_MOST_LOST = 0.5
_LEAST_SPREAD = 1e-5
_LEAST_SEEN = 0.1
"""Where less of what is lost is far off, it cannot be told from noise without a tail."""
_ALWAYS_ASSUMED = (
    "marks.face_only", "marks.hips_up_m", "jitter.slow", "jitter.fresh", "jitter.cut_off",
    "lost.lasts_s", "lost.differs", "lost.together", "lost.gaps", "lost.gone", "flips.lasts_s",
    "scores.vague_below", "scores.cut_off",
)  # fmt: skip
_OF_SCORES = ("scores.level", "scores.slope", "scores.joints_differ", "scores.frames_differ")
_OF_MANY_CLIPS = ("marks.offset_m", "marks.differ_m", "jitter.clips_differ", "scores.vague")


@dataclass(frozen=True)
class FittedNoise:
    """A noise, and which of its numbers were not measured but taken from `measured`.

    Attributes:
        noise: To be written.
        assumed: Keys such as `lost.gaps`.
    """

    noise: DetectorNoise
    assumed: tuple[str, ...]


def fit_noise(clips: Sequence[tuple[Rendered, Found]], name: str, about: str) -> FittedNoise:
    """Return the noise of a detector.

    Args:
        clips: Known people, and what it found of them.
        name: Of the noise.
        about: Where it comes from, in words.

    Raises:
        InputError: No joint is shown long enough.
    """
    base = measured_noise()
    tracks = noise_tracks(clips, LIMBS)
    if not tracks:
        raise InputError(
            f"{name}: in no clip is a limb joint shown long enough to say how a detector errs; "
            "give longer clips"
        )
    frames = round(float(np.median([len(seen.keypoints) for _, seen in clips])))
    fps = float(np.median([clip.fps for clip, _ in clips]))
    memory_s = _memory(tracks, base.jitter, frames, fps)
    short = simulate(memory_s[OTHER], base.jitter.slow, base.jitter.fresh, frames, fps)
    jitter = replace(_jitter(tracks, base.jitter, short), memory_s=memory_s)
    told, vague = _told(tracks)
    scores = _scores(told, jitter.spread, short, base.scores)
    noise = DetectorNoise(
        name=name,
        about=about,
        marks=_marks(clips, tracks, base.marks, short),
        jitter=jitter,
        lost=_lost(tracks, base.lost, short),
        flips=_flips(clips, base.flips),
        scores=replace(scores or base.scores, vague=vague),
    )
    assumed = [*_ALWAYS_ASSUMED, *(() if scores else _OF_SCORES)]
    if len(clips) < FEWEST_CLIPS:
        noise = replace(
            noise,
            marks=base.marks,
            jitter=replace(jitter, clips_differ=base.jitter.clips_differ),
            scores=replace(noise.scores, vague=base.scores.vague),
        )
        assumed += _OF_MANY_CLIPS
    return FittedNoise(noise, tuple(assumed))


def _marks(
    clips: Sequence[tuple[Rendered, Found]],
    tracks: Sequence[NoiseTrack],
    base: Marks,
    short: ShortClips,
) -> Marks:
    """Return where joints are marked; the median of a clip's noise is no difference of clips."""
    found = joint_errors(clips)
    offset, differ = dict(base.offset_m), dict(base.differ_m)
    for kind in set(LIMBS) & set(found):
        error = found[kind]
        offset[kind] = [
            round(mm / 1000, 4) for mm in (error.outwards_mm, error.backwards_mm, error.up_mm)
        ]
        usual = np.median([t.usual_m for t in tracks if t.kind == kind]) / short.usual
        known = (usual * short.middle_differs) ** 2
        if kind == "hip":
            known += base.hips_up_m**2 / 2  # one of a picture's two axes
        differ[kind] = _root((error.clips_differ_mm / 1000) ** 2 - known)
    return replace(base, offset_m=offset, differ_m=differ)


def _memory(
    tracks: Sequence[NoiseTrack], base: Jitter, frames: int, fps: float
) -> dict[str, float]:
    """Return the memory of each joint; that of all of them for those that are not measured."""
    every = np.array([track.remembered for track in tracks])
    if not np.isfinite(every).any():
        return dict(base.memory_s)
    of = (base.slow, base.fresh, frames, fps)
    memory = {OTHER: memory_of(float(np.nanmean(every)), *of)}
    for kind in LIMBS:
        own = [t.remembered for t in tracks if t.kind == kind and np.isfinite(t.remembered)]
        if own:
            memory[kind] = memory_of(float(np.mean(own)), *of)
    return {kind: round(seconds, 3) for kind, seconds in memory.items()}


def _jitter(tracks: Sequence[NoiseTrack], base: Jitter, short: ShortClips) -> Jitter:
    log = {kind: np.log([t.usual for t in tracks if t.kind == kind]) for kind in LIMBS}
    middle = {kind: float(np.median(logs)) for kind, logs in log.items() if len(logs)}
    usual = float(np.median([np.log(t.usual) for t in tracks]))
    rest = np.array([np.log(t.usual) - middle[t.kind] for t in tracks])
    between, within = _parts(rest, np.array([t.clip for t in tracks]))
    worse = {kind: round(float(np.exp(value - usual)), 3) for kind, value in middle.items()}
    return replace(
        base,
        spread=max(round(float(np.exp(usual)) / short.usual, 5), _LEAST_SPREAD),
        worse=worse | {OTHER: 1.0},
        clips_differ=_root(between),
        joints_differ=_root(within - short.usual_differs**2),
    )


def _parts(
    values: Float64[np.ndarray, " n"], group: Float64[np.ndarray, " n"] | np.ndarray
) -> tuple[float, float]:
    """Return the variance between groups and the mean one within them."""
    groups = [values[group == one] for one in np.unique(group)]
    within = [float(one.var(ddof=1)) for one in groups if len(one) > 1]
    inside = float(np.mean(within)) if within else 0.0
    noise = inside * float(np.mean([1 / len(one) for one in groups]))
    between = float(np.var([one.mean() for one in groups], ddof=1)) if len(groups) > 1 else 0.0
    return between - noise, inside


def _lost(tracks: Sequence[NoiseTrack], base: Lost, short: ShortClips) -> Lost:
    """Return how often joints are lost, from how much more is far off than by chance."""
    far = np.concatenate([t.off[t.off >= FAR] for t in tracks])
    none = replace(base, share={OTHER: base.share[OTHER], **dict.fromkeys(LIMBS, 0.0)})
    if not len(far):
        return none
    # Beyond a bound b the square of a Rayleigh distance of scale s has the median b2 + 2 s2 ln 2.
    worse = np.sqrt(max(float(np.median(far)) ** 2 - FAR**2, 1.0) / (2 * np.log(2)))
    seen = float(np.exp(-(FAR**2) / (2 * worse**2)))
    if seen < _LEAST_SEEN:
        return none
    share = {OTHER: base.share[OTHER]}
    for kind in LIMBS:
        own = [t.off for t in tracks if t.kind == kind]
        if own:
            rate = float(np.mean([(off >= FAR).mean() for off in own]))
            told = (rate - short.far) / (seen - short.far)
            share[kind] = round(float(np.clip(told, 0.0, _MOST_LOST)), 3)
    return replace(base, share=share, worse=round(float(worse), 2))


def _flips(clips: Sequence[tuple[Rendered, Found]], base: Flips) -> Flips:
    """Return how often the detector itself takes left for right, where that can be told."""
    flipped = np.concatenate([seen.flipped for _, seen in clips])
    arms, legs = flipped[np.isfinite(flipped).all(-1)].astype(bool).T
    if not len(arms):
        return replace(base, body=0.0, legs=0.0, arms=0.0)
    return replace(
        base,
        body=round(float((arms & legs).mean()), 4),
        legs=round(float((legs & ~arms).mean()), 4),
        arms=round(float((arms & ~legs).mean()), 4),
    )


def _told(tracks: Sequence[NoiseTrack]) -> tuple[list[NoiseTrack], float]:
    """Return the tracks of clips whose scores vary, and the share of clips in which they do not."""
    sure = 1 - measured_noise().scores.vague_below
    scores: dict[int, list[Float64[np.ndarray, " shown"]]] = {}
    for track in tracks:
        scores.setdefault(track.clip, []).append(track.score)
    low = {n: np.percentile(np.concatenate(all_), _VAGUE_PERCENT) for n, all_ in scores.items()}
    vague = round(float(np.mean([value >= sure for value in low.values()])), 3)
    return [t for t in tracks if low[t.clip] < sure], vague


def _scores(
    tracks: Sequence[NoiseTrack], spread: float, short: ShortClips, base: Scores
) -> Scores | None:
    """Return how the score falls with the spread, of which the error is a draw; None if untold."""
    if len({t.clip for t in tracks}) < 2:
        return None
    shift, scatter = _LOG_RAYLEIGH
    seen = [t.score > 0 for t in tracks]  # 0 is of joints that a detector does not see at all
    number = np.repeat(np.arange(len(tracks)), [one.sum() for one in seen])
    size = np.concatenate(
        [t.off[one] * t.usual / short.usual for t, one in zip(tracks, seen, strict=True)]
    )
    log = np.log(np.maximum(size, 0.05 * spread)) - shift - np.log(spread)
    score = np.concatenate([t.score[one] for t, one in zip(tracks, seen, strict=True)])
    score = score.clip(1 - _SURE, _SURE)
    logit = np.log(score / (1 - score))
    left = float(log.var()) - scatter  # of the spread's own logarithm
    if left < 0.1 * scatter:
        return None
    slope = max(-float(np.cov(log, logit)[0, 1]) / left, 0.0)
    of_log, of_logit = _parts(log, number), _parts(logit, number)
    return replace(
        base,
        level=round(float(logit.mean() + slope * log.mean()), 3),
        slope=round(slope, 3),
        joints_differ=_root(of_logit[0] - slope**2 * max(of_log[0], 0.0)),
        frames_differ=_root(of_logit[1] - slope**2 * max(of_log[1] - scatter, 0.0)),
    )


def _root(variance: float) -> float:
    return round(float(np.sqrt(max(variance, 0.0))), 4)
