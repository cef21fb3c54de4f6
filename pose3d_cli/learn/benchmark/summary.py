"""Sums of errors made figures: the protocol's mean, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol
from pose3d_cli.learn.benchmark.score import MEASURES, ClipScore

DRAWS = 1000
"""How often takes are drawn anew for an interval."""

_SEED = 20250402


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A mean, and the interval that 95 % of means of takes drawn anew lie in.

    Attributes:
        value: In the measure's own unit.
        low: The 2.5th percentile; NaN where there is one take only.
        high: The 97.5th.
        over_frames: The mean over all frames alike, whatever the protocol takes.
    """

    value: float
    low: float
    high: float
    over_frames: float


def figure(clips: Sequence[ClipScore], measure: str, protocol: BenchmarkProtocol) -> Figure | None:
    """Return a measure of all clips by the protocol's mean; None if it was measured nowhere."""
    sums = _sums(clips, measure, protocol)
    if sums is None:
        return None
    total, count, group = sums
    scale = MEASURES[measure].scale
    value = _mean_of_groups(np.ones((1, len(total))), total, count, group)[0]
    low, high = np.nan, np.nan
    if len(total) > 1:
        low, high = np.percentile(drawn_means(total, count, group), [2.5, 97.5])
    return Figure(
        value=float(value * scale),
        low=float(low * scale),
        high=float(high * scale),
        over_frames=float(total.sum() / count.sum() * scale),
    )


def groups(clips: Sequence[ClipScore]) -> dict[str, dict[str, float | int]]:
    """Return, for each action (or what the protocol averages in), its measures and frames."""
    found: dict[str, dict[str, float | int]] = {}
    for name in dict.fromkeys(clip.group for clip in clips):
        own = [clip for clip in clips if clip.group == name]
        row: dict[str, float | int] = {"clips": len(own), "frames": sum(len(c.frame) for c in own)}
        for measure, about in MEASURES.items():
            count = sum(clip.count.get(measure, 0) for clip in own)
            if count:
                total = sum(clip.total.get(measure, 0.0) for clip in own)
                row[measure] = total / count * about.scale
        found[name] = row
    return found


def drawn_means(
    total: Float64[np.ndarray, " takes"],
    count: Float64[np.ndarray, " takes"],
    group: Int64[np.ndarray, " takes"],
) -> Float64[np.ndarray, " draws"]:
    """Return the protocol's mean of takes drawn anew, many times: a bootstrap.

    In each group as many takes are drawn as it has; where groups are single takes, groups are
    drawn. Takes and not frames, nor cameras, since these err alike. That there are few subjects,
    and that others would err otherwise, no such interval can show.

    Source: Efron 1979.
    """
    random = np.random.default_rng(_SEED)
    if len(np.unique(group)) == len(group):
        times = random.multinomial(len(group), np.full(len(group), 1 / len(group)), DRAWS)
        return np.asarray(times @ (total / count) / len(group))
    drawn = np.zeros((DRAWS, len(group)))
    for name in np.unique(group):
        places = np.flatnonzero(group == name)
        share = np.full(len(places), 1 / len(places))
        drawn[:, places] = random.multinomial(len(places), share, DRAWS)
    return _mean_of_groups(drawn, total, count, group)


def takes_of(
    clips: Sequence[ClipScore], measure: str, protocol: BenchmarkProtocol
) -> dict[tuple[str, str], tuple[float, int]]:
    """Return sum and count of a measure in each (group, take), all cameras of a take together."""
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for clip in clips:
        if count := clip.count.get(measure, 0):
            key = ("" if protocol.average == "frames" else clip.group, clip.take)
            total, before = found.get(key, (0.0, 0))
            found[key] = total + clip.total[measure], before + count
    return found


def _sums(
    clips: Sequence[ClipScore], measure: str, protocol: BenchmarkProtocol
) -> (
    tuple[Float64[np.ndarray, " takes"], Float64[np.ndarray, " takes"], Int64[np.ndarray, " takes"]]
    | None
):
    """Return the sum and count of each take, and the number of the group it is in."""
    takes = takes_of(clips, measure, protocol)
    if not takes:
        return None
    names = list(dict.fromkeys(group for group, _ in takes))
    total, count = (np.array(part, np.float64) for part in zip(*takes.values(), strict=True))
    return total, count, np.array([names.index(group) for group, _ in takes])


def _mean_of_groups(
    weight: Float64[np.ndarray, "n takes"],
    total: Float64[np.ndarray, " takes"],
    count: Float64[np.ndarray, " takes"],
    group: Int64[np.ndarray, " takes"],
) -> Float64[np.ndarray, " n"]:
    """Return the plain mean of the groups' means, each over the frames of its takes."""
    belongs = (group[:, None] == np.arange(group.max() + 1)).astype(np.float64)
    return np.asarray(((weight * total) @ belongs / ((weight * count) @ belongs)).mean(1))
