"""Identities in generated scenes, for detectors that follow people and for those that do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pose3d_cli.detect.track import track_people
from pose3d_cli.errors import SettingsError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.crowd.identities import Identities, score_identities
from pose3d_cli.learn.crowd.scenes import FPS, KINDS, SIZE_PX, Scene, make_scene, walks
from pose3d_cli.learn.crowd.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured by itself.

    Attributes:
        kind: How people move, one of `KINDS`.
        alike: Whether all wear the same.
        follows: Whether the detector follows people, or finds them anew in every picture.
    """

    kind: str
    alike: bool
    follows: bool


CASES = tuple(
    Case(kind=kind, alike=alike, follows=follows)
    for kind in KINDS
    for alike in (False, True)
    for follows in (True, False)
)


def draw_scenes(
    clips: Sequence[MocapClip], kind: str, count: int, seed: int, *, people: int = 2, alike: bool
) -> Iterator[tuple[Scene, np.random.Generator]]:
    """Yield scenes, each with a source of chance of its own; scene k is always the same.

    Raises:
        InputError: No clip in which somebody goes anywhere.
    """
    ways = walks(clips)
    for number in range(count):
        random = np.random.default_rng([seed, KINDS.index(kind), number])
        yield make_scene(kind, ways, random, people=people, alike=alike), random


def bench_tracking(
    clips: Sequence[MocapClip], *, scenes: int, seed: int = 0, people: int = 2
) -> Iterator[tuple[Case, Identities]]:
    """Yield each of `CASES` with its figures over some scenes.

    Raises:
        InputError: No clip in which somebody goes anywhere.
        SettingsError: No scene is asked for, or one person, or more than find room.
    """
    if scenes < 1:
        raise SettingsError(f"--scenes {scenes}: must be 1 or more")
    if people < 2:
        raise SettingsError(f"--people {people}: must be 2 or more, so that somebody can be met")
    for case in CASES:
        drawn = draw_scenes(clips, case.kind, scenes, seed, people=people, alike=case.alike)
        yield case, measure(drawn, follows=case.follows)


def measure(drawn: Iterable[tuple[Scene, np.random.Generator]], *, follows: bool) -> Identities:
    """Return the figures of some scenes, each with its source of chance."""
    total = Identities()
    for scene, random in drawn:
        stage = Stage(scene, random, follows=follows)
        tracks = track_people(stage, stage.film(), fps=FPS, image_size=SIZE_PX)
        total += score_identities(tracks, scene.xy, ~stage.hidden)
    return total
