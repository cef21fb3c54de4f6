"""Whom to lift, and their keypoints mended: flips swapped back, short gaps bridged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose3d_cli.detect.pick import pick_people
from pose3d_cli.errors import NobodyFoundError
from pose3d_cli.pipeline.observe import Observation
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import unflip
from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D


@dataclass(frozen=True, eq=False)
class Mended:
    """One person's keypoints, ready to lift: stretches without gaps.

    Attributes:
        person: Identity.
        stretches: In order of time, each without a missing row or joint; with those of margins.
        flipped: The part's own frames in which left and right were swapped back.
    """

    person: int
    stretches: list[Keypoints2D]
    flipped: int


def mend(seen: Observation, settings: LiftSettings, reporter: Reporter) -> list[Mended]:
    """Choose people and mend their keypoints: swap flips back, bridge short gaps.

    Raises:
        NobodyFoundError: `settings.person` is not in a clip that is one part.
        UnknownNameError: `settings.person` is no word known here.
    """
    mended = []
    for person in _picked(seen, settings):
        unflipped, is_changed = unflip(person)
        filled = _with_hips(fill_gaps(unflipped, max_gap_s=settings.max_gap))
        stretches = split_at_gaps(filled, max_gap_s=settings.max_gap) if len(filled) else []
        if not stretches:
            reporter.warn(f"person {person.person}: hips are never known; left out")
        flipped = int((is_changed & seen.span.is_own(person.frames)).sum())
        mended.append(Mended(person.person, stretches, flipped))
    return mended


def _picked(seen: Observation, settings: LiftSettings) -> list[Keypoints2D]:
    """Return the people asked for, chosen by the part's own rows."""
    try:
        chosen = pick_people(seen.own_people, settings.person, settings.max_people)
    except NobodyFoundError:
        if seen.span.is_whole:
            raise
        return []  # they may be in another part
    numbers = {person.person for person in chosen}
    return [person for person in seen.people if person.person in numbers]


def _with_hips(keypoints: Keypoints2D) -> Keypoints2D:
    """Return the rows in which the hips, to which a pose is relative, have a position."""
    pelvis = convert(keypoints, H36M17).xy[:, H36M17.index("pelvis")]
    known = ~np.isnan(pelvis).any(-1)
    return keypoints.take(known)
