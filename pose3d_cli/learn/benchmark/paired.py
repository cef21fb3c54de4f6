"""Two evaluations of the same takes: is one really better, or was it luck?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import wilcoxon

from pose3d_cli.errors import InputError
from pose3d_cli.learn.benchmark.evaluation import Evaluation
from pose3d_cli.learn.benchmark.protocol import PROTOCOLS
from pose3d_cli.learn.benchmark.score import MEASURES
from pose3d_cli.learn.benchmark.summary import Takes, takes_of

_FEWEST = 6
"""Takes below which no rank test can find anything at 5 %."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The second evaluation against the first, take by take.

    Attributes:
        first: Label of the one compared with.
        second: Label of the other.
        measure: What is compared.
        difference: Second less first, in the measure's unit, by the protocol's mean.
        low: 2.5th percentile of that difference when takes are drawn anew.
        high: 97.5th.
        p: Of Wilcoxon's signed-rank test over takes: how likely such ranks are if neither is
            better; NaN below six takes that differ.
        takes: How many were compared.
        second_wins: In how many the second has the better mean.
    """

    first: str
    second: str
    measure: str
    difference: float
    low: float
    high: float
    p: float
    takes: int
    second_wins: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.low > 0 or self.high < 0


def compare_pair(first: Evaluation, second: Evaluation, measure: str = "mpjpe") -> Paired | None:
    """Compare two evaluations by a measure; None if either lacks it.

    Raises:
        InputError: Evaluations of other data, protocols or frames.
    """
    _check(first, second)
    protocol = PROTOCOLS[first.protocol]
    one, two = (takes_of(evaluation.clips, measure, protocol) for evaluation in (first, second))
    if one is None or two is None:
        return None
    apart = _apart(one, two)
    if apart is None:
        return None
    low, high = apart.interval()
    by_take = apart.by_take()
    better = by_take > 0 if MEASURES[measure].is_better_high else by_take < 0
    return Paired(
        first=first.label,
        second=second.label,
        measure=measure,
        difference=apart.mean(),
        low=low,
        high=high,
        p=_p_value(by_take),
        takes=len(by_take),
        second_wins=int(better.sum()),
    )


def _apart(first: Takes, second: Takes) -> Takes | None:
    """Return second less first of the takes that both have, weighted by the frames of the first."""
    place = {key: row for row, key in enumerate(second.keys)}
    rows = [row for row, key in enumerate(first.keys) if key in place]
    if not rows:
        return None
    others = [place[first.keys[row]] for row in rows]
    difference = second.total[others] / second.count[others] - first.total[rows] / first.count[rows]
    count = first.count[rows]
    return Takes(keys=[first.keys[row] for row in rows], total=difference * count, count=count)


def _p_value(apart: Float64[np.ndarray, " takes"]) -> float:
    apart = apart[apart != 0]
    return float(wilcoxon(apart).pvalue) if len(apart) >= _FEWEST else float("nan")


def _check(first: Evaluation, second: Evaluation) -> None:
    for what in ("dataset", "split", "protocol", "keypoints"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            raise InputError(
                f"{first.label} and {second.label} cannot be compared: {what} is {one!r} in the "
                f"one and {other!r} in the other; evaluate both in one command"
            )
    frames = [{clip.name: clip.wanted for clip in e.clips} for e in (first, second)]
    if frames[0] != frames[1]:
        raise InputError(
            f"{first.label} and {second.label} cannot be compared: they were measured on other "
            "clips or frames; evaluate both in one command"
        )
