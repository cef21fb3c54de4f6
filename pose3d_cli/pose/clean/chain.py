"""All steps of clean-up, one after another, over all stretches of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from pose3d_cli.pose.clean.bones import Lengths, bone_lengths, keep_lengths
from pose3d_cli.pose.clean.contact import find_contacts, standing
from pose3d_cli.pose.clean.feet import Held, Lock, hold_feet
from pose3d_cli.pose.clean.motion import Motion
from pose3d_cli.pose.clean.outliers import mend_outliers, mend_side_flips
from pose3d_cli.pose.clean.path import path_of_feet
from pose3d_cli.pose.clean.smooth import STRENGTHS, smooth
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import World


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Which steps are done, and how much.

    Attributes:
        outliers: Whether joints that jump away, and sides that are exchanged, are mended.
        smooth: A key of `STRENGTHS`, or "off".
        bones: Whether bones keep their length.
        feet: Which feet that stand are held: those surely right (auto), all (lock), or none.
    """

    outliers: bool = True
    smooth: Literal["off", "light", "strong"] = "light"
    bones: bool = True
    feet: Literal["lock", "auto", "off"] = "auto"


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What was settled of a person in an earlier part of a clip, and holds in the next.

    Attributes:
        lengths: Of bones, in metres; None if they were left free.
        held: Feet that stood, and where.
    """

    lengths: Lengths | None = None
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Cleaned:
    """A person after clean-up.

    Attributes:
        motions: As given, but better.
        record: What was done, in plain names and numbers.
        known: For the next part of the clip.
    """

    motions: list[Motion]
    record: dict[str, Any]
    known: Known


def clean(
    motions: Sequence[Motion], world: World, steps: Steps, known: Known | None = None
) -> Cleaned:
    """Return a person's stretches cleaned up.

    Smoothing comes before bones, because it changes lengths; feet come last, because legs that
    follow them keep lengths.

    Args:
        motions: Of one person, in order of time.
        world: Where up is.
        steps: What to do.
        known: Of the same person, from the part of the clip before.
    """
    known = known or Known()
    cleaned, record = list(motions), dict[str, Any]()
    lengths, held = known.lengths, list[Held]()
    if steps.outliers:
        cleaned, record["outliers"] = _mended(cleaned)
    if steps.smooth != "off":
        cleaned = [smooth(motion, STRENGTHS[steps.smooth]) for motion in cleaned]
        record["smooth"] = {"strength": steps.smooth, **vars(STRENGTHS[steps.smooth])}
    if steps.bones:
        lengths = bone_lengths(cleaned) if lengths is None else lengths
        before, cleaned = cleaned, [keep_lengths(motion, lengths) for motion in cleaned]
        record["bones"] = _bones_record(before, cleaned, lengths)
    if steps.feet != "off":
        cleaned, record["feet"], held = _held(cleaned, world, steps, known)
    return Cleaned(motions=cleaned, record=record, known=Known(lengths=lengths, held=tuple(held)))


def _mended(motions: Sequence[Motion]) -> tuple[list[Motion], dict[str, int]]:
    mended, joints, flipped = [], 0, 0
    for motion in motions:
        unflipped, of_sides = mend_side_flips(motion)
        better, of_joints = mend_outliers(unflipped)
        mended.append(better)
        joints, flipped = joints + of_joints, flipped + of_sides
    return mended, {"joints_mended": joints, "frames_sides_changed_back": flipped}


def _bones_record(
    before: Sequence[Motion], after: Sequence[Motion], lengths: Lengths
) -> dict[str, Any]:
    moved = [_moved_mm(old, new) for old, new in zip(before, after, strict=True)]
    named = zip(H36M17.joints, lengths, strict=True)
    return {
        "lengths_m": {name: round(float(m), 4) for name, m in named if np.isfinite(m) and m},
        "joints_moved_mm": _mean(np.concatenate(moved)),
    }


def _moved_mm(before: Motion, after: Motion) -> Float64[np.ndarray, " values"]:
    return np.linalg.norm(after.pose - before.pose, axis=-1).ravel() * 1000


def _held(
    motions: Sequence[Motion], world: World, steps: Steps, known: Known
) -> tuple[list[Motion], dict[str, Any], list[Held]]:
    cleaned, locks = [], list[Lock]()
    for motion in motions:
        contacts = find_contacts(motion, world)
        led = path_of_feet(motion, standing(contacts, len(motion))) if contacts else motion
        better, found = hold_feet(led, contacts, always=steps.feet == "lock", known=known.held)
        cleaned.append(better)
        locks += found
    after = [lock.slide_after_m * 1000 for lock in locks if lock.held.is_held]
    record = {
        "mode": steps.feet,
        "contacts": len(locks),
        "held": len(after),
        "slide_before_mm": _mean(np.array([lock.slide_m * 1000 for lock in locks])),
        "slide_held_mm": _mean(np.array(after)),
    }
    return cleaned, record, [lock.held for lock in locks]


def _mean(values: Float64[np.ndarray, " values"]) -> float | None:
    """Return the mean of what is known, to a hundredth; None if nothing is."""
    known = values[np.isfinite(values)]
    return round(float(known.mean()), 2) if len(known) else None
