"""Detectors in two steps: boxes of people first, then the keypoints in each box."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.detect.boxes.base import PersonDetector
from pose3d_cli.pose.boxes import closeness, iou
from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.pose.tracking.doubles import distinct

_SAME_BOX = 0.3
"""IoU from which a box found is that of somebody known."""

_COVERED = 0.6
"""IoU with somebody known from which a box found is no newcomer's."""

_MIN_SCORE = 0.3
"""Mean of the keypoints' scores below which a box holds no person."""

_SURE = 0.3
_FEWEST_SURE = 4
_MARGIN = 0.1  # keypoints end before hair, fingers and soles do
_MIN_SIDE_PX = 24.0  # smaller boxes hold no person anybody could see
_OUTSIDE_REACH = 0.1  # a joint so far outside the picture, in sides of the box, counts for nothing


@runtime_checkable
class PoseNet(Protocol):
    """Finds the keypoints of people whose boxes are known."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints it finds, in array order."""
        ...

    def keypoints(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        box: Float32[np.ndarray, "persons 4"],
    ) -> tuple[Float32[np.ndarray, "persons joints 2"], Float32[np.ndarray, "persons joints"]]:
        """Return keypoints in pixels and their scores in [0, 1]; NaN and 0 where there is none.

        Args:
            image: Upright picture, RGB.
            box: Left, top, right, bottom in pixels; may reach beyond the picture.
        """
        ...


class TopDown:
    """A detector made of one that finds people and one that finds their keypoints.

    A person once found is followed by the box round its keypoints, so that the person detector
    need not look at every picture.

    Args:
        name: Of the detector, with both networks, for results.
        people: Finds boxes.
        net: Finds keypoints in them.
        max_people: Most people followed in one picture.
    """

    def __init__(
        self, name: str, people: PersonDetector, net: PoseNet, *, max_people: int = 24
    ) -> None:
        self._name, self._people, self._net = name, people, net
        self._max_people = max_people

    @property
    def name(self) -> str:
        """Detector, keypoint network and person detector."""
        return self._name

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the keypoint network."""
        return self._net.skeleton

    def detect(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        near: People2D | None = None,
        *,
        search: Search = Search.THOROUGH,
    ) -> People2D:
        """Return the people in an RGB picture: those of `near` first, then newcomers."""
        known = np.zeros((0, 4), np.float32) if near is None else near.box[: self._max_people]
        found = np.zeros((0, 5), np.float32)
        if search or not len(known):
            found = self._people.boxes(image)
        box, origin = self._boxes(known, found[:, :4])
        people = self._look(image, box, origin)
        is_new = people.origin < 0
        if is_new.any():  # the first box is rough; the second look is from the keypoints' own
            again = self._look(image, people.box[is_new], people.origin[is_new])
            people = _joined(people.take(~is_new), again)
        return people.take(distinct(people.xy, people.box))

    def _boxes(
        self, known: Float32[np.ndarray, "known 4"], found: Float32[np.ndarray, "found 4"]
    ) -> tuple[Float32[np.ndarray, "boxes 4"], Int64[np.ndarray, " boxes"]]:
        """Return where to look: at those known, by a box found anew if there is one; then others.

        Whoever is known and was not found is looked for where the keypoints were.
        """
        box = known.copy()
        shared = iou(known, found)
        while shared.size and shared.max() >= _SAME_BOX:
            row, column = np.unravel_index(shared.argmax(), shared.shape)
            box[row] = found[column]
            shared[row, :] = shared[:, column] = 0
        is_new = (iou(found, box) < _COVERED).all(1)
        new = found[is_new][: self._max_people - len(box)]
        origin = np.concatenate([np.arange(len(box)), np.full(len(new), -1)])
        return np.concatenate([box, new]), origin.astype(np.int64)

    def _look(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        box: Float32[np.ndarray, "boxes 4"],
        origin: Int64[np.ndarray, " boxes"],
    ) -> People2D:
        """Return the people in some boxes; boxes without anybody are left out."""
        large = (box[:, 2:] - box[:, :2]).max(-1, initial=0) >= _MIN_SIDE_PX
        box, origin = box[large], origin[large]
        n_joints = len(self.skeleton.joints)
        if not len(box):
            xy, score = np.zeros((0, n_joints, 2), np.float32), np.zeros((0, n_joints), np.float32)
        else:
            xy, score = self._net.keypoints(image, box)
            score = _seen(image, box, xy, score)
        is_person = score.mean(-1) >= _MIN_SCORE
        is_person &= (score >= _SURE).sum(-1) >= _FEWEST_SURE
        xy, score = xy[is_person], score[is_person]
        return People2D(box=_boxes_round(xy, score), xy=xy, score=score, origin=origin[is_person])


def _seen(
    image: UInt8[np.ndarray, "height width 3"],
    box: Float32[np.ndarray, "persons 4"],
    xy: Float32[np.ndarray, "persons joints 2"],
    score: Float32[np.ndarray, "persons joints"],
) -> Float32[np.ndarray, "persons joints"]:
    """Return scores that count less outside the picture: what is there is a guess."""
    height, width = image.shape[:2]
    reach = _OUTSIDE_REACH * (box[:, 2:] - box[:, :2]).max(-1)
    near = closeness(np.nan_to_num(xy), width, height, reach[:, None].astype(np.float64))
    return (score * near).astype(np.float32)


def _boxes_round(
    xy: Float32[np.ndarray, "persons joints 2"], score: Float32[np.ndarray, "persons joints"]
) -> Float32[np.ndarray, "persons 4"]:
    """Return boxes round the keypoints that are sure, a little wider."""
    sure = np.where((score >= _SURE)[..., None], xy, np.nan)
    if not len(sure):
        return np.zeros((0, 4), np.float32)
    low, high = np.nanmin(sure, axis=1), np.nanmax(sure, axis=1)
    margin = _MARGIN * (high - low) + 1
    return np.concatenate([low - margin, high + margin], axis=1).astype(np.float32)


def _joined(one: People2D, other: People2D) -> People2D:
    return People2D(
        box=np.concatenate([one.box, other.box]),
        xy=np.concatenate([one.xy, other.xy]),
        score=np.concatenate([one.score, other.score]),
        origin=np.concatenate([one.origin, other.origin]),
    )
