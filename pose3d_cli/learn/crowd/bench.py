"""Identities in generated scenes, for detectors that follow people and for those that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pose3d_cli.detect.track import track_people
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.crowd.identities import Identities, score_identities
from pose3d_cli.learn.crowd.scenes import FPS, KINDS, SIZE_PX, Scene, make_scene, walks
from pose3d_cli.learn.crowd.stage import Stage

CASES = tuple(
    (kind, alike, follows) for kind in KINDS for alike in (False, True) for follows in (True, False)
)
"""Kind of scene; whether all wear the same; whether the detector follows people."""


def draw_scenes(
    clips: Sequence[MocapClip], kind: str, count: int, seed: int, *, alike: bool
) -> Iterator[tuple[Scene, np.random.Generator]]:
    """Yield scenes, each with a source of chance of its own; scene k is always the same.

    Raises:
        InputError: No clip in which somebody goes anywhere.
    """
    ways = walks(clips)
    for number in range(count):
        random = np.random.default_rng([seed, KINDS.index(kind), number])
        yield make_scene(kind, ways, random, alike=alike), random


def bench_tracking(
    clips: Sequence[MocapClip], *, scenes: int, seed: int = 0
) -> Iterator[tuple[str, bool, bool, Identities]]:
    """Yield each of `CASES` with its figures over some scenes.

    Raises:
        InputError: No clip in which somebody goes anywhere.
    """
    for kind, alike, follows in CASES:
        total = Identities()
        for scene, random in draw_scenes(clips, kind, scenes, seed, alike=alike):
            stage = Stage(scene, random, follows=follows)
            tracks = track_people(stage, stage.film(), fps=FPS, image_size=SIZE_PX)
            total += score_identities(tracks, scene.xy, ~stage.hidden)
        yield kind, alike, follows, total
