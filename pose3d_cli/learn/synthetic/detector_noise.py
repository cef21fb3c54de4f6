"""How a 2D detector errs, as numbers: what the training generator adds to true joints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pose3d_cli.config import nearest
from pose3d_cli.pose.skeleton import H36M17

KINDS = tuple(dict.fromkeys(name.rpartition("_")[2] for name in H36M17.joints))
"""Joints without their side: left and right err alike."""

OTHER = "other"
"""In a table of joints, the value of those that it does not name."""

PerJoint = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Where joints are marked: what is constant over a clip.

    Attributes:
        face_only: Share of clips whose detector knows no neck and no crown: what lies between the
            hips and the shoulders is then made of these, and the head is marked at the eyes.
        offset_m: From the joint to the point that is marked, in the mean over clips, metres:
            outwards, backwards and up in the axes of the pelvis or, from the thorax upwards, of
            the chest. Joints that are not named are marked where they are.
        differ_m: Standard deviation between clips, an axis, metres.
        hips_up_m: What the heights of both hips have in common of it, metres.
    """

    face_only: float
    offset_m: Mapping[str, Sequence[float]]
    differ_m: PerJoint
    hips_up_m: float

    def __post_init__(self) -> None:
        _check(self, shares=("face_only",), sizes=("differ_m", "hips_up_m"))
        for kind, offset in _table("offset_m", self.offset_m, KINDS).items():
            if not _is_list(offset, 3):
                raise ValueError(f"offset_m of {kind} is {offset!r}; expected three numbers")


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """What differs from frame to frame.

    Attributes:
        spread: Standard deviation of a joint, an axis, as a share of the person's extent in the
            picture: median over clips.
        worse: By what factor more or less that is at each joint.
        clips_differ: Standard deviation between clips of the spread's logarithm.
        joints_differ: The same between the joints of a clip.
        memory_s: Time in which the slow part falls to 1/e of what it was, seconds.
        slow: Standard deviation of that slow part, as a share of the spread.
        fresh: The same of what is new in every frame.
        cut_off: By what factor a joint outside the picture errs more.
    """

    spread: float
    worse: PerJoint
    clips_differ: float
    joints_differ: float
    memory_s: PerJoint
    slow: float
    fresh: float
    cut_off: float

    def __post_init__(self) -> None:
        sizes = ("clips_differ", "joints_differ", "slow", "fresh")
        _check(self, positive=("spread", "worse", "memory_s", "cut_off"), sizes=sizes)


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Joints that are marked on another limb or on the background for a while, or never.

    Attributes:
        share: Of the time for which a joint is lost, in the mean over clips.
        lasts_s: How long that lasts in the mean, seconds.
        worse: By what factor the spread is larger then: median over joints.
        differs: Standard deviation between joints of that factor's logarithm.
        together: Share of this time for which the two joints of a limb are lost together.
        gaps: Share of joints that have a score of 0 for some of a window, a line filling it.
        gone: Share of joints that are never seen in a window.
    """

    share: PerJoint
    lasts_s: float
    worse: float
    differs: float
    together: float
    gaps: float
    gone: float

    def __post_init__(self) -> None:
        _check(
            self,
            shares=("share", "together", "gaps", "gone"),
            positive=("lasts_s", "worse"),
            sizes=("differs",),
        )


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Left taken for right.

    Attributes:
        body: Share of the time for which the whole body is flipped.
        legs: The same of the legs alone.
        arms: The same of the arms alone.
        lasts_s: How long that lasts in the mean, seconds.
    """

    body: float
    legs: float
    arms: float
    lasts_s: float

    def __post_init__(self) -> None:
        _check(self, shares=("body", "legs", "arms"), positive=("lasts_s",))
        if max(self.body, self.legs, self.arms) == 1:
            raise ValueError("body, legs and arms must be below 1: what is always so is no flip")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How the score falls with the error.

    Attributes:
        vague: Share of clips whose scores say next to nothing.
        vague_below: How far below 1 these may be.
        level: The score's logit where the spread is that of `Jitter.spread`.
        slope: By how much the logit falls where the spread is e times as large.
        joints_differ: Standard deviation of the logit between joints and clips.
        frames_differ: The same over time.
        cut_off: Whether scores of joints outside the picture fall, by chance.
    """

    vague: float
    vague_below: float
    level: float
    slope: float
    joints_differ: float
    frames_differ: float
    cut_off: bool

    def __post_init__(self) -> None:
        _check(
            self,
            shares=("vague", "vague_below"),
            sizes=("slope", "joints_differ", "frames_differ"),
        )
        if not _is_number(self.level):
            raise ValueError(f"level is {self.level!r}; expected a number")


@dataclass(frozen=True, kw_only=True)
class DetectorNoise:
    """How a 2D detector errs.

    Attributes:
        name: Which one it is.
        about: Where the numbers come from, in words.
        marks: Where joints are marked.
        jitter: What differs from frame to frame.
        lost: Joints marked somewhere else.
        flips: Left taken for right.
        scores: How far scores can be trusted.
    """

    name: str
    about: str
    marks: Marks
    jitter: Jitter
    lost: Lost
    flips: Flips
    scores: Scores


def _check(
    part: Any,
    *,
    shares: Sequence[str] = (),
    positive: Sequence[str] = (),
    sizes: Sequence[str] = (),
) -> None:
    """Refuse values that make no sense, in words; those of a table one by one.

    Args:
        part: A part of the noise.
        shares: Fields between 0 and 1.
        positive: Fields above 0.
        sizes: Fields of at least 0.
    """
    rules: Sequence[tuple[Sequence[str], Callable[[float], bool], str]] = (
        (shares, lambda value: 0 <= value <= 1, "a share between 0 and 1"),
        (positive, lambda value: value > 0, "a number above 0"),
        (sizes, lambda value: value >= 0, "a number, at least 0"),
    )
    tables = [field.name for field in fields(part) if field.type == "PerJoint"]
    for names, makes_sense, words in rules:
        for name in names:
            value = getattr(part, name)
            values: Mapping[str, Any] = {"": value}
            if name in tables:
                values = _table(name, value, (*KINDS, OTHER), needed=OTHER)
            for key, one in values.items():
                if not _is_number(one) or not makes_sense(one):
                    of = f" of {key}" if key else ""
                    raise ValueError(f"{name}{of} is {one!r}; expected {words}")


def _table(
    name: str, value: Mapping[str, Any], known: Sequence[str], needed: str = ""
) -> Mapping[str, Any]:
    """Return a table of joints, or refuse one of other joints."""
    for key in value:
        if key not in known:
            raise ValueError(f"{name}: no joint {key!r}{nearest(key, list(known))}")
    if needed and needed not in value:
        raise ValueError(f"{name} lacks {needed!r}, the value of joints that it does not name")
    return value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_list(value: Any, length: int) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == length
        and all(_is_number(one) for one in value)
    )
