"""Sums of errors made figures: the protocol's mean, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol
from pose3d_cli.learn.benchmark.score import MEASURES, ClipScore

_DRAWS = 1000
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Takes:
    """Sums of a measure: a row for each take in each group that it is averaged in.

    Attributes:
        keys: The group and the take of each row, each pair once.
        total: Sum of the measure, in its own unit.
        count: On how many frames that is, at least 1.
    """

    keys: Sequence[tuple[str, str]]
    total: Float64[np.ndarray, " rows"]
    count: Float64[np.ndarray, " rows"]

    @cached_property
    def group(self) -> Int64[np.ndarray, " rows"]:
        """Number of each row's group."""
        return np.unique([group for group, _ in self.keys], return_inverse=True)[1]

    @cached_property
    def take(self) -> Int64[np.ndarray, " rows"]:
        """Number of each row's take."""
        return np.unique([take for _, take in self.keys], return_inverse=True)[1]

    def mean(self) -> float:
        """Return the plain mean of the groups' means, each over the frames of its takes."""
        return float(self._means(np.ones((1, len(self.keys))))[0])

    def interval(self) -> tuple[float, float]:
        """Return the 2.5th and 97.5th percentile of means of takes drawn anew: a bootstrap.

        In each group as many takes are drawn as it has; where groups are single takes, or views of
        one, takes are drawn with all their groups. Takes and not frames, nor cameras, since these
        err alike. That there are few subjects, and that others would err otherwise, no such
        interval can show. NaN where there is one take only.

        Source: Efron 1979.
        """
        n_takes = int(self.take.max()) + 1
        if n_takes == 1:
            return float("nan"), float("nan")
        random = np.random.default_rng(_SEED)
        if len(np.unique(self.group)) == len(self.keys):
            drawn = _drawn(n_takes, random)[:, self.take]
            means = drawn @ (self.total / self.count) / drawn.sum(1)
        else:
            drawn = np.zeros((_DRAWS, len(self.keys)))
            for group in np.unique(self.group):
                rows = np.flatnonzero(self.group == group)
                drawn[:, rows] = _drawn(len(rows), random)
            means = self._means(drawn)
        low, high = np.percentile(means, [2.5, 97.5])
        return float(low), float(high)

    def by_take(self) -> Float64[np.ndarray, " takes"]:
        """Return each take's own mean over its frames, whatever groups it is in."""
        total, count = (np.bincount(self.take, values) for values in (self.total, self.count))
        return np.asarray(total / count)

    def _means(self, weight: Float64[np.ndarray, "n rows"]) -> Float64[np.ndarray, " n"]:
        belongs = np.eye(int(self.group.max()) + 1)[self.group]
        totals, counts = (weight * self.total) @ belongs, (weight * self.count) @ belongs
        return np.asarray((totals / counts).mean(1))


def _drawn(n: int, random: np.random.Generator) -> Float64[np.ndarray, "draws n"]:
    """Return how often each of `n` comes up when `n` are drawn, many times."""
    return random.multinomial(n, np.full(n, 1 / n), _DRAWS).astype(np.float64)


def takes_of(clips: Sequence[ClipScore], measure: str, protocol: BenchmarkProtocol) -> Takes | None:
    """Return the sums of a measure, all cameras of a take together; None if it was not measured."""
    sums: dict[tuple[str, str], tuple[float, int]] = {}
    for clip in clips:
        if count := clip.count.get(measure, 0):
            key = ("" if protocol.average == "frames" else clip.group, clip.take)
            total, before = sums.get(key, (0.0, 0))
            sums[key] = total + clip.total[measure], before + count
    if not sums:
        return None
    totals, counts = (np.array(part, np.float64) for part in zip(*sums.values(), strict=True))
    return Takes(keys=list(sums), total=totals * MEASURES[measure].scale, count=counts)


def figure(clips: Sequence[ClipScore], measure: str, protocol: BenchmarkProtocol) -> Figure | None:
    """Return a measure of all clips by the protocol's mean; None if it was measured nowhere."""
    takes = takes_of(clips, measure, protocol)
    if takes is None:
        return None
    low, high = takes.interval()
    over_frames = float(takes.total.sum() / takes.count.sum())
    return Figure(value=takes.mean(), low=low, high=high, over_frames=over_frames)


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
