"""From people seen in single pictures to people over time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.config import nearest
from pose3d_cli.errors import InputError, UnknownNameError
from pose3d_cli.files.keypoint_json import Sighting
from pose3d_cli.pose.skeleton import SKELETONS, Skeleton
from pose3d_cli.pose.types import Keypoints2D

_BY_COUNT: Mapping[int, str] = {17: "coco17", 25: "body25", 26: "halpe26", 33: "blazepose33"}

# Whole-body sets whose first joints are a set we know; faces and hands follow.
_BY_WHOLE_BODY: Mapping[int, str] = {133: "coco17", 136: "halpe26"}

_LOST_AFTER_S = 1.0
_REACH = 0.3
_REACH_PER_S = 1.0


def skeleton_of(path: Path, n_joints: int, name: str | None = None) -> Skeleton:
    """Return the skeleton called `name`, or the one that has `n_joints`.

    Raises:
        UnknownNameError: No skeleton is called `name`.
        InputError: The count fits no skeleton, or not the one that was named.
    """
    if name is not None and name not in SKELETONS:
        raise UnknownNameError(f"no skeleton {name!r}{nearest(name, list(SKELETONS))}")
    guess = _BY_COUNT.get(n_joints) or _BY_WHOLE_BODY.get(n_joints)
    if name is None and guess is None:
        known = ", ".join(f"{n} ({s})" for n, s in {**_BY_COUNT, **_BY_WHOLE_BODY}.items())
        openpose = "; run OpenPose with --model_pose BODY_25" if n_joints == 18 else ""
        raise InputError(f"{path}: {n_joints} keypoints a person; known are {known}{openpose}")
    skeleton = SKELETONS[name or str(guess)]
    if n_joints != len(skeleton.joints) and skeleton.name != _BY_WHOLE_BODY.get(n_joints):
        raise InputError(
            f"{path}: {n_joints} keypoints a person, but {skeleton.name} has {len(skeleton.joints)}"
        )
    return skeleton


def people_over_time(
    path: Path,
    found: list[Sighting],
    *,
    fps: float,
    image_size: tuple[int, int],
    skeleton: str | None = None,
) -> list[Keypoints2D]:
    """Return one `Keypoints2D` a person, in order of first appearance.

    Identities of the file are kept where every person has one; otherwise people are followed from
    picture to picture by nearest centre and numbered from 0.

    Args:
        path: Where they came from, for messages.
        found: Everybody in every picture.
        fps: Frames a second; frame n is at n / fps seconds.
        image_size: Width and height of the pictures in pixels.
        skeleton: Name of the skeleton; by default the number of joints says which.

    Raises:
        InputError: Nobody, or numbers of joints that vary or fit no skeleton.
        UnknownNameError: No skeleton has that name.
    """
    seen = sorted((s for s in found if s.score.any()), key=lambda sighting: sighting.frame)
    counts = Counter(len(sighting.score) for sighting in found)
    if len(counts) > 1:
        raise InputError(f"{path}: people with {sorted(counts)} keypoints in one file")
    if not seen:
        raise InputError(f"{path}: holds no person with a keypoint that was seen")
    bones = skeleton_of(path, next(iter(counts)), skeleton)
    n_joints = len(bones.joints)
    return [
        Keypoints2D(
            xy=np.stack([s.xy[:n_joints] for s in rows]),
            score=np.stack([s.score[:n_joints] for s in rows]),
            frames=np.array([s.frame for s in rows], np.int64),
            time_s=np.array([s.frame for s in rows], np.float64) / fps,
            fps=fps,
            image_size=image_size,
            skeleton=bones,
            person=person,
        )
        for person, rows in _who_is_who(seen, fps).items()
    ]


def _who_is_who(seen: list[Sighting], fps: float) -> dict[int, list[Sighting]]:
    """Return everybody's sightings, rising in frame."""
    given = [(s.frame, s.person) for s in seen if s.person is not None]
    # AlphaPose without tracking calls everybody 0: an identity twice in a picture is none.
    is_named = len(set(given)) == len(seen)
    people: dict[int, list[Sighting]] = defaultdict(list)
    if is_named:
        for sighting in seen:
            people[sighting.person or 0].append(sighting)
        return people
    follower = _Follower({})
    for frame, group in groupby(seen, key=lambda sighting: sighting.frame):
        sightings = list(group)
        for person, sighting in zip(follower.name(sightings, frame / fps), sightings, strict=True):
            people[person].append(sighting)
    return people


@dataclass(frozen=True, eq=False)
class _Last:
    """Where and when a person was last seen, and how large, in pixels and seconds."""

    centre: Float64[np.ndarray, " 2"]
    size_px: float
    time_s: float


@dataclass(frozen=True, eq=False)
class _Follower:
    """Names people by who stood nearest in the pictures before."""

    last: dict[int, _Last]

    def name(self, sightings: list[Sighting], time_s: float) -> list[int]:
        """Return the person of each sighting, and remember them."""
        now = [_last(sighting, time_s) for sighting in sightings]
        pairs = sorted(
            (float(np.linalg.norm(here.centre - there.centre)), person, row)
            for row, here in enumerate(now)
            for person, there in self.last.items()
            if _is_in_reach(here, there)
        )
        named: dict[int, int] = {}
        for _, person, row in pairs:
            if row not in named and person not in named.values():
                named[row] = person
        for row, here in enumerate(now):
            self.last[named.setdefault(row, len(self.last))] = here
        return [named[row] for row in range(len(now))]


def _last(sighting: Sighting, time_s: float) -> _Last:
    xy = sighting.xy[sighting.score > 0].astype(np.float64)
    return _Last(np.median(xy, axis=0), float(np.linalg.norm(np.ptp(xy, axis=0))), time_s)


def _is_in_reach(here: _Last, there: _Last) -> bool:
    """Say whether a person could have gone from `there` to `here`, judged by their own size."""
    elapsed_s = here.time_s - there.time_s
    reach = (_REACH + _REACH_PER_S * elapsed_s) * max(here.size_px, there.size_px)
    distance = float(np.linalg.norm(here.centre - there.centre))
    return elapsed_s <= _LOST_AFTER_S and distance <= reach
