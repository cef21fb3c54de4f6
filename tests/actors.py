"""A detector that reads the picture's number and says who is there by a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.pose.skeleton import COCO17
from pose3d_cli.pose.types import Keypoints2D
from tests.clips import make_clip, number_in

SIZE = (192, 96)
FPS = 10.0
_HALVES = {
    "eye": (2, 5),
    "ear": (4, 6),
    "shoulder": (8, 18),
    "elbow": (11, 31),
    "wrist": (11, 42),
    "hip": (5, 44),
    "knee": (6, 62),
    "ankle": (6, 80),
}

Script = Callable[[int], Mapping[str, float]]
"""Who is where, by the frame's number: x in pixels by name. Everybody wears another colour."""


def standing(x: float, frame: int) -> np.ndarray:
    """COCO keypoints of somebody upright around `x`, whose arms and legs swing."""
    xy = np.zeros((17, 2), np.float32)
    for row, joint in enumerate(COCO17.joints):
        side, _, part = joint.partition("_")
        way = {"left": 1, "right": -1}.get(side, 0)
        out, down = _HALVES[part] if way else (0, 6)
        swing = 3 * np.sin(frame / 3) * (down > 25) * way * (1 if down > 50 else -1)
        xy[row] = x + way * out + swing, 8 + down
    return xy


class Actors:
    """A detector by script; says of nobody whom they continue."""

    name = "actors"
    skeleton = COCO17

    def __init__(self, script: Script, score: Callable[[int], float] = lambda _: 0.9) -> None:
        self.script, self.score = script, score
        self.n_looks = 0

    def detect(
        self, image: np.ndarray, near: People2D | None = None, *, search: Search = Search.THOROUGH
    ) -> People2D:
        self.n_looks += 1
        frame = number_in(image)
        xy = np.array([standing(x, frame) for x in self.script(frame).values()], np.float32)
        xy = xy.reshape(-1, 17, 2)
        return People2D(
            box=np.concatenate([xy.min(1), xy.max(1)], -1),
            xy=xy,
            score=np.full(xy.shape[:2], self.score(frame), np.float32),
            origin=np.full(len(xy), -1, np.int64),
        )


def film(path: Path, seconds: float) -> Path:
    """A clip of numbered pictures, as `Actors` read them."""
    return make_clip(path, n_frames=round(seconds * FPS), size=SIZE, rate=Fraction(10))


def keypoints_of(script: Script, n_frames: int) -> list[Keypoints2D]:
    """What a perfect tracker makes of a script, one person a name."""
    names = list(dict.fromkeys(name for frame in range(n_frames) for name in script(frame)))
    people = []
    for number, name in enumerate(names):
        frames = np.array([f for f in range(n_frames) if name in script(f)], np.int64)
        xy = np.stack([standing(script(f)[name], f) for f in frames.tolist()])
        person = Keypoints2D(
            xy=xy,
            score=np.full(xy.shape[:2], 0.9, np.float32),
            frames=frames,
            time_s=frames / FPS,
            fps=FPS,
            image_size=SIZE,
            skeleton=COCO17,
        )
        people.append(replace(person, person=number))
    return people


def keypoint_file(path: Path, script: Script, n_frames: int) -> Path:
    """The same as a file for `--from-2d`."""
    write_keypoints(path, keypoints_of(script, n_frames), {"detector": "actors"})
    return path
