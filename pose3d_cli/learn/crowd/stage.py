"""A scene as a film, and a detector that errs on it as detectors do.

Keypoints have the measured noise of a detector. Who is hidden by somebody nearer is mostly missed,
or the keypoints slide onto the other; people are missed for a moment; things are taken for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.learn.crowd.scenes import FPS, Scene
from pose3d_cli.learn.synthetic.cameras import View
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.pose.boxes import around
from pose3d_cli.pose.skeleton import H36M17, Skeleton

HIDDEN = 0.5
"""Share of a person's joints behind somebody nearer from which the person counts as hidden."""

_NARROWER = 0.15  # of a box, each side: people are no boxes
_SLIDES = 0.3  # of the pictures in which somebody is hidden: keypoints are those of the other
_MISSED = 0.02
_MISSES_A_S = 0.1
_MISSED_S = 0.5  # at most
_FALSE = 0.04
_TWICE = 0.01
_FOLLOWS = 0.3  # sizes of a person, within which a detector that follows finds them again
_MARGIN = 0.1
_LIMB_M = 0.12
_TRUNK_M = 0.32


@dataclass(frozen=True, eq=False)
class _Sighting:
    xy: Float64[np.ndarray, "17 2"]
    score: Float64[np.ndarray, " 17"]


class Stage:
    """Shows a scene picture by picture, and finds the people of the picture shown last.

    It is a `Detector`.

    Args:
        scene: Whom to show.
        random: Source of chance.
        follows: Whether it says, as a top-down detector does, whom each person continues: the
            nearest to where that one was. Of people near the same place the first is kept.
    """

    name = "generated"

    def __init__(self, scene: Scene, random: np.random.Generator, *, follows: bool) -> None:
        self.scene, self.follows = scene, follows
        self.hidden = hidden(scene)
        self._shown_at = 0
        self._sightings = _see(scene, self.hidden, random)

    @property
    def skeleton(self) -> Skeleton:
        """Its joints."""
        return H36M17

    def film(self) -> Iterator[VideoFrame]:
        """Yield the pictures, people in their colours before grey."""
        for index in range(self.scene.xy.shape[1]):
            self._shown_at = index
            yield VideoFrame(image=_drawn(self.scene, index), index=index, time_s=index / FPS)

    def detect(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        near: People2D | None = None,
        *,
        search: Search = Search.THOROUGH,
    ) -> People2D:
        """Return the people of the picture that was shown last; `image` is not looked at."""
        del image
        found = self._sightings[self._shown_at]
        xy = np.array([one.xy for one in found], np.float32).reshape(-1, 17, 2)
        score = np.array([one.score for one in found], np.float32).reshape(-1, 17)
        people = People2D(box=_boxes(xy), xy=xy, score=score, origin=np.full(len(xy), -1, np.int64))
        return _followed(people, near, search=bool(search)) if self.follows else people


def _boxes(xy: Float32[np.ndarray, "n 17 2"]) -> Float32[np.ndarray, "n 4"]:
    if not len(xy):
        return np.zeros((0, 4), np.float32)
    box = around(xy)
    margin = _MARGIN * (box[:, 2:] - box[:, :2])
    return np.concatenate([box[:, :2] - margin, box[:, 2:] + margin], axis=1).astype(np.float32)


def _followed(people: People2D, near: People2D | None, *, search: bool) -> People2D:
    """Return those nearest to where `near` were, then, if searched for, the others."""
    if near is None or not len(people):
        return people
    origin, taken = people.origin.copy(), []
    for row in range(len(near)):
        apart = np.nanmedian(np.linalg.norm(people.xy - near.xy[row], axis=-1), axis=-1)
        size = max(near.box[row, 2:] - near.box[row, :2])
        at = int(apart.argmin())
        if apart[at] < _FOLLOWS * size and origin[at] < 0:
            origin[at] = row
            taken.append(at)
    others = [at for at in range(len(people)) if at not in taken] if search else []
    return People2D(box=people.box, xy=people.xy, score=people.score, origin=origin).take(
        np.array(taken + others, np.int64)
    )


def hidden(scene: Scene) -> Bool[np.ndarray, "people frames"]:
    """Return who is mostly behind somebody nearer, or out of the picture."""
    people, frames = scene.xy.shape[:2]
    depth = scene.xyz[..., 0, 2]
    box = around(scene.xy)
    inwards = _NARROWER * (box[..., 2] - box[..., 0])
    low = np.stack([box[..., 0] + inwards, box[..., 1]], -1)
    high = np.stack([box[..., 2] - inwards, box[..., 3]], -1)
    gone = np.zeros((people, frames), bool)
    for one in range(people):
        covered = np.zeros((frames, 17), bool)
        for other in range(people):
            xy = scene.xy[one]
            inside = ((xy >= low[other, :, None]) & (xy <= high[other, :, None])).all(-1)
            covered |= inside & (depth[other] < depth[one])[:, None]
        outside = ((scene.xy[one] < 0) | (scene.xy[one] >= scene.camera.image_size)).any(-1)
        gone[one] = (covered | outside).mean(-1) >= HIDDEN
    return gone


def _nearest_in_front(scene: Scene, person: int, frame: int) -> int:
    """Return who hides somebody."""
    apart = np.linalg.norm(scene.xy[:, frame, 0] - scene.xy[person, frame, 0], axis=-1)
    behind = scene.xyz[:, frame, 0, 2] >= scene.xyz[person, frame, 0, 2]
    return int(np.where(behind, np.inf, apart).argmin())


def _see(
    scene: Scene, hidden: Bool[np.ndarray, "people frames"], random: np.random.Generator
) -> list[list[_Sighting]]:
    """Return what is found in each picture, in any order."""
    xy, score = _noisy(scene, random)
    people, frames = hidden.shape
    missed = _missed(people, frames, random)
    found: list[list[_Sighting]] = [[] for _ in range(frames)]
    for frame in range(frames):
        here = found[frame]
        for person in range(people):
            one = _Sighting(xy[person, frame], score[person, frame])
            if hidden[person, frame] and random.random() < _SLIDES:
                other = _nearest_in_front(scene, person, frame)
                one = _Sighting(xy[other, frame] + random.normal(0, 2, (17, 2)), one.score * 0.7)
            elif hidden[person, frame] or missed[person, frame]:
                continue
            here.append(one)
            if random.random() < _TWICE:
                here.append(_Sighting(one.xy + random.normal(0, 3, (17, 2)), one.score * 0.8))
        if random.random() < _FALSE:
            here.append(_thing(scene, xy[0, frame], random))
        random.shuffle(here)
    return found


def _noisy(
    scene: Scene, random: np.random.Generator
) -> tuple[Float64[np.ndarray, "people frames 17 2"], Float64[np.ndarray, "people frames 17"]]:
    """Return where the noise of the training generator puts the joints; none is lost for good."""
    chance = torch.Generator().manual_seed(int(random.integers(2**31)))
    focal, centre = scene.camera.focal_px, scene.camera.matrix[:2, 2]
    root = scene.xyz[:, :, :1]
    half = torch.tensor(centre / focal, dtype=torch.float32).expand(len(root), 2)
    view = View(
        torch.from_numpy(scene.xyz - root).float(), torch.from_numpy(root[:, :, 0]).float(), half
    )
    rays, score = detect(view, FPS, chance)
    xy = rays.numpy().astype(np.float64) * focal + centre
    return np.where(np.isnan(xy), scene.xy, xy), score.numpy().astype(np.float64)


def _missed(
    people: int, frames: int, random: np.random.Generator
) -> Bool[np.ndarray, "people frames"]:
    missed = random.random((people, frames)) < _MISSED
    starts = random.random((people, frames)) < _MISSES_A_S / FPS
    for person, frame in np.argwhere(starts):
        missed[person, frame : frame + int(random.uniform(0, _MISSED_S) * FPS)] = True
    return missed


def _thing(
    scene: Scene, like: Float64[np.ndarray, "17 2"], random: np.random.Generator
) -> _Sighting:
    """Return something that is taken for a person."""
    place = random.uniform(0, 1, 2) * scene.camera.image_size
    xy = place + (like - like[0]) * random.uniform(0.3, 1.2)
    return _Sighting(xy, random.uniform(0.1, 0.6) * np.ones(17))


def _drawn(scene: Scene, frame: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return a picture: limbs and trunks as thick lines, whoever is nearest last."""
    width, height = scene.camera.image_size
    image = np.full((height, width, 3), 128, np.uint8)
    for person in np.argsort(-scene.xyz[:, frame, 0, 2]):
        xy = scene.xy[person, frame]
        px_per_m = float(scene.camera.focal_px[0] / scene.xyz[person, frame, 0, 2])
        limbs, trunk = (tuple(colour.tolist()) for colour in scene.colours[person])
        for joint, parent in enumerate(H36M17.parent_index):
            if parent >= 0:
                _line(image, xy[parent], xy[joint], limbs, _LIMB_M * px_per_m)
        top, bottom = xy[H36M17.index("thorax")], xy[H36M17.index("pelvis")]
        _line(image, top, bottom, trunk, _TRUNK_M * px_per_m)
    return image


def _line(
    image: UInt8[np.ndarray, "height width 3"],
    start: Float[np.ndarray, " 2"],
    end: Float[np.ndarray, " 2"],
    colour: tuple[float, ...],
    width_px: float,
) -> None:
    ends = [(round(float(x)), round(float(y))) for x, y in (start, end)]
    cv2.line(image, ends[0], ends[1], colour, max(round(width_px), 1), cv2.LINE_AA)
