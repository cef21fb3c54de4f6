"""How small people may be to be found: people whose place is known, shown smaller and smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from pose3d_cli.detect.base import Detector, Search
from pose3d_cli.errors import InputError
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.rendered.truth import Rendered
from pose3d_cli.pose.skeleton import H36M17

HEIGHTS = (0.5, 0.35, 0.25, 0.18, 0.125, 0.09)
"""Of people, in shorter sides of the picture."""

_NEAR = 0.15
"""Distance of the hips up to which somebody found is the person, in heights of the person."""
_BLUR_PX = 5.0


@dataclass(frozen=True, kw_only=True)
class FoundSmall:
    """How many people of one height a detector finds.

    Attributes:
        height: Of the people, in shorter sides of the picture.
        search: How pictures are searched.
        people: Pictures, each with one person.
        found: Share of them in which that person was found.
        others: Others found, a picture: parts of the person, things.
    """

    height: float
    search: Search
    people: int
    found: float
    others: float


@dataclass(frozen=True, eq=False)
class _Shown:
    image: UInt8[np.ndarray, "height width 3"]
    hips: Float64[np.ndarray, " 2"]
    height_px: float


def bench_small(
    detector: Detector, clips: Sequence[Rendered], *, seed: int = 0
) -> Iterator[FoundSmall]:
    """Show a picture of each clip at each of `HEIGHTS`, somewhere in a blurred one of its size.

    Args:
        detector: Looks at each picture by itself, with each kind of search.
        clips: Whose middle picture is shown, if the whole person is in it.
        seed: Of the places.

    Raises:
        InputError: A video that cannot be read.
    """
    shown = [one for clip in clips if (one := _middle(clip)) is not None]
    for height in HEIGHTS:
        random = np.random.default_rng(seed)
        small = [_smaller(one, height, random) for one in shown if _fits(one, height)]
        for search in (Search.USUAL, Search.THOROUGH) if small else ():
            found = [_found(detector, one, search) for one in small]
            yield FoundSmall(
                height=height,
                search=search,
                people=len(small),
                found=sum(is_found for is_found, _ in found) / len(small),
                others=sum(others for _, others in found) / len(small),
            )


def _middle(clip: Rendered) -> _Shown | None:
    """Return the middle picture of a clip; None unless the whole person is in it."""
    index = len(clip.keypoints_px) // 2
    if not clip.shown[index].all():
        return None
    with open_video(clip.video) as video:
        image = next((frame.image for frame in video if frame.index == index), None)
    if image is None:
        raise InputError(f"{clip.video}: has no frame {index}, though its truth has")
    xy = clip.keypoints_px[index]
    hips = xy[[H36M17.index("left_hip"), H36M17.index("right_hip")]].mean(0)
    return _Shown(image, hips, float(np.ptp(xy[:, 1])))


def _scale(one: _Shown, height: float) -> float:
    return height * min(one.image.shape[:2]) / one.height_px


def _fits(one: _Shown, height: float) -> bool:
    """Return whether somebody so high is smaller than they are: enlarged pictures show less."""
    return _scale(one, height) <= 1


def _smaller(one: _Shown, height: float, random: np.random.Generator) -> _Shown:
    """Return a picture scaled down, somewhere on what the blurred edge of it looks like."""
    scale = _scale(one, height)
    small = cv2.resize(one.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size = np.array(one.image.shape[1::-1])
    edge = cv2.resize(one.image[:, :8], (int(size[0]), int(size[1])))
    canvas = np.ascontiguousarray(cv2.GaussianBlur(edge, (0, 0), _BLUR_PX))
    left, top = random.integers(0, size - small.shape[1::-1] + 1)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return _Shown(canvas, one.hips * scale + (left, top), one.height_px * scale)


def _found(detector: Detector, one: _Shown, search: Search) -> tuple[bool, int]:
    """Return whether the person was found, and how many others."""
    people = detector.detect(one.image, search=search)
    columns = [detector.skeleton.index("left_hip"), detector.skeleton.index("right_hip")]
    apart = np.hypot(*(people.xy[:, columns].mean(1) - one.hips).T)
    near = int((apart < _NEAR * one.height_px).sum())
    return near > 0, len(people) - min(near, 1)
