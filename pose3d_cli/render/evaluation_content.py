"""What the report of an evaluation shows, as plain values."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from pose3d_cli.pose.skeleton import H36M17

NOT_KNOWN = "\u2013"
"""Stands where there is no number."""

# Control characters, line and paragraph separators, halves of characters.
_UNWRITABLE = frozenset({"Cc", "Zl", "Zp", "Cs"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """An answer beside its truth.

    Attributes:
        title: Which one and of which clip, such as `worst: S11/SittingDown/55011271`.
        error_mm: How far it is off; what of (a frame, a clip's mean) is for the title to say.
        pose: The answer; h36m17, metres, pelvis at the origin, camera axes (x right, y down, z
            forward); NaN where unknown.
        truth: The same of the truth.
    """

    title: str
    error_mm: float
    pose: Float[np.ndarray, "joints 3"]
    truth: Float[np.ndarray, "joints 3"]

    def __post_init__(self) -> None:
        for xyz in (self.pose, self.truth):
            if xyz.shape != (len(H36M17.joints), 3):
                raise ValueError(f"{self.title}: joints are {xyz.shape}, not {H36M17.name}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """What was found about one lifter.

    Attributes:
        label: Its name.
        figures: The headline: measure to words that begin with a number, such as
            `45.1 (44.0 to 46.2) mm`.
        joint_mm: Mean error of each h36m17 joint; NaN, or left out, where it was not measured.
        group_mm: Mean error of each action or sequence.
        frame_mm: Mean error of each frame that counts; NaN where there is no answer.
        examples: A few frames to look at.
    """

    label: str
    figures: Mapping[str, str]
    joint_mm: Mapping[str, float]
    group_mm: Mapping[str, float]
    frame_mm: Float[np.ndarray, " frames"]
    examples: Sequence[Example] = ()

    def __post_init__(self) -> None:
        strange = sorted(set(self.joint_mm) - set(H36M17.joints))
        if strange:
            raise ValueError(f"{self.label}: joints that {H36M17.name} does not have: {strange}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """A whole report.

    Attributes:
        title: Its heading.
        words: The protocol, a sentence or two each.
        pitfalls: What to beware of when these figures are compared with others.
        notes: Warnings that belong to these very figures.
        columns: One a lifter.
        comparisons: Table of differences between lifters, its header first; may be empty.
        facts: How it was made: data set, split, checksums, version, command.
        better: Which way each measure of the headline is good. The best number of a row is
            marked, by the digits shown; rows of measures that are not here have no mark.
    """

    title: str
    words: Sequence[str] = ()
    pitfalls: Sequence[str] = ()
    notes: Sequence[str] = ()
    columns: Sequence[Column]
    comparisons: Sequence[tuple[str, ...]] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    better: Mapping[str, Literal["lower", "higher"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("a report needs at least one lifter")


def tidy(text: str) -> str:
    """Return text on one line that any file can hold: names of files may be anything."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    kept = (" " if unicodedata.category(letter) in _UNWRITABLE else letter for letter in whole)
    return " ".join("".join(kept).split())


def group_names(columns: Sequence[Column]) -> list[str]:
    """Return the names of all groups, the one with the greatest mean error first.

    A group without a single finite error comes last.
    """
    names = dict.fromkeys(name for column in columns for name in column.group_mm)
    means = {name: finite_mean([c.group_mm.get(name, np.nan) for c in columns]) for name in names}
    return sorted(names, key=lambda name: -np.nan_to_num(means[name], nan=-1.0))


def finite_mean(values: Sequence[float]) -> float:
    """Return the mean of the finite values; NaN if there is none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def mean_in_words(column: Column, names: Sequence[str]) -> str:
    """Return the plain mean of a lifter's groups, and of how many it is if some are lacking."""
    values = [column.group_mm.get(name, np.nan) for name in names]
    known = int(np.isfinite(values).sum())
    of = "" if known == len(names) else f" (of {known} of {len(names)})"
    return f"{in_mm(finite_mean(values))}{of}"


def within_mm(frame_mm: Float[np.ndarray, " frames"], share: float) -> float:
    """Return the least distance within which that share of the frames is.

    Args:
        frame_mm: Mean error of each frame; a frame that is not finite is within no distance.
        share: In (0, 1].

    Returns:
        Millimetres; infinite if too few frames have an answer, NaN if there is no frame.
    """
    if not len(frame_mm):
        return float("nan")
    known = np.where(np.isfinite(frame_mm), frame_mm, np.inf)
    return float(np.quantile(known, share, method="inverted_cdf"))


def share_within(
    frame_mm: Float[np.ndarray, " frames"], limits_mm: Float[np.ndarray, " limits"]
) -> Float[np.ndarray, " limits"]:
    """Return the share of frames, 0 to 1, that are within each distance."""
    known = np.sort(frame_mm[np.isfinite(frame_mm)])
    return np.searchsorted(known, limits_mm, side="right") / max(len(frame_mm), 1)


def in_mm(value: float, decimals: int = 1) -> str:
    """Return a number of millimetres in digits; a dash for one that is not known."""
    return f"{value:.{decimals}f}" if np.isfinite(value) else NOT_KNOWN
