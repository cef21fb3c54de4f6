"""From people seen in single pictures to people over time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import numpy as np

from pose3d_cli.config import nearest
from pose3d_cli.errors import InputError, UnknownNameError
from pose3d_cli.files.keypoint_json import Sighting
from pose3d_cli.pose.boxes import around
from pose3d_cli.pose.skeleton import SKELETONS, Skeleton
from pose3d_cli.pose.tracking.tidy import tidy
from pose3d_cli.pose.tracking.track import Seen
from pose3d_cli.pose.tracking.tracker import Tracker
from pose3d_cli.pose.types import Keypoints2D

_BY_COUNT: Mapping[int, str] = {17: "coco17", 25: "body25", 26: "halpe26", 33: "blazepose33"}

# Whole-body sets whose first joints are a set we know; faces and hands follow.
_BY_WHOLE_BODY: Mapping[int, str] = {133: "coco17", 136: "halpe26"}

_LOST_AFTER_S = 1.0
_LOST_AFTER = 2.5  # pictures, for videos of few a second


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
    picture to picture, as those of a detector are, and numbered from 0.

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
    return dict(enumerate(_followed(seen, fps)))


def _followed(seen: list[Sighting], fps: float) -> list[list[Sighting]]:
    """Return everybody's sightings, told apart by where they were and how they moved."""
    tracker = Tracker()
    origin: dict[int, Sighting] = {}
    for frame, group in groupby(seen, key=lambda sighting: sighting.frame):
        here = []
        for sighting in group:
            here.append(_as_seen(sighting, frame / fps))
            origin[id(here[-1].xy)] = sighting
        tracker.step(here, tracker.near(frame / fps, max(_LOST_AFTER_S, _LOST_AFTER / fps)))
    tracks = tidy(tracker.tracks)
    return [[origin[id(person.xy)] for person in track.seen] for track in tracks]


def _as_seen(sighting: Sighting, time_s: float) -> Seen:
    xy = np.where(sighting.score[:, None] > 0, sighting.xy, np.nan).astype(np.float32)
    box = around(xy).astype(np.float32)
    return Seen(frame=sighting.frame, time_s=time_s, xy=xy, score=sighting.score, box=box)
