"""BlazePose: several people, 33 keypoints each, on any machine, from weights that come with us.

A person once found is followed by the landmark network alone, which is what makes it fast.

Source: Bazarevsky et al. 2020 (arXiv 2006.10204); own runner. Differs from MediaPipe in: several
people, searching parts of the picture too, and no smoothing.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.detect.blaze_landmark import KeypointFinder, Landmarks
from pose3d_cli.detect.blaze_net import BlazeNet
from pose3d_cli.detect.blaze_person import PersonFinder
from pose3d_cli.detect.blaze_roi import side_px
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.shelf import register_detector
from pose3d_cli.files.shipped import shipped
from pose3d_cli.pose.skeleton import BLAZEPOSE33, Skeleton

_MIN_PRESENCE = 0.5
_MIN_PRESENCE_NEW = 0.9  # chairs and trees reach 0.8, people seldom fall below 0.97
_MIN_SIDE_PX = 24.0  # smaller regions hold no person anybody could see
_SETTLED = 0.01  # a second look moves the keypoints of a real person no farther; a lamp's, it does
_SAME_PERSON = 0.05  # median distance of keypoints, in sides of the larger region
_SAME_REGION = 0.14  # distance of the hips, in sides of the larger region


@register_detector("blazepose")
class BlazePose:
    """Finds people with the person detector, and their keypoints with the landmark network.

    Args:
        options: Of these, the threads.
        max_people: Most people followed in one picture.
        min_score: Least confidence of the person detector.

    Raises:
        WeightsError: The weights are missing or unreadable.
    """

    def __init__(
        self,
        options: DetectorOptions | None = None,
        *,
        max_people: int = 24,
        min_score: float = 0.5,
    ) -> None:
        threads = (options or DetectorOptions()).few_threads
        self._max_people = max_people
        finder = BlazeNet(shipped("pose_detection.tflite"), threads=threads)
        self._people = PersonFinder(finder, min_score=min_score)
        self._keypoints = KeypointFinder(
            BlazeNet(shipped("pose_landmark_full.tflite"), threads=threads)
        )

    @property
    def name(self) -> str:
        """`blazepose`."""
        return "blazepose"

    @property
    def skeleton(self) -> Skeleton:
        """The 33 joints of BlazePose."""
        return BLAZEPOSE33

    def detect(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        near: People2D | None = None,
        *,
        search: Search = Search.THOROUGH,
    ) -> People2D:
        """Return the people in an RGB picture: those of `near` first, then newcomers."""
        image = np.ascontiguousarray(image)
        known = self._follow(image, near)
        everybody = list(known.values())
        if search or not known:
            everybody += self._search(image, everybody)
        if search is Search.THOROUGH:
            everybody += self._search_small(image, everybody)
        return _people(everybody, [*known, *([-1] * (len(everybody) - len(known)))])

    def _follow(
        self, image: UInt8[np.ndarray, "height width 3"], near: People2D | None
    ) -> dict[int, Landmarks]:
        """Return the people of `near` seen again, by their row."""
        if near is None or near.hint is None:
            return {}
        found: dict[int, Landmarks] = {}
        apart: dict[int, float] = {}
        for row, roi in enumerate(near.hint[: self._max_people]):
            person = self._look(image, roi)
            if person is None:
                continue
            apart[row] = _distance(person.xy, near.xy[row])
            # When two regions slide onto one person, the one who moved less is that person.
            rivals = [other for other, seen in found.items() if _is_same(person, seen)]
            if all(apart[row] < apart[other] for other in rivals):
                for other in rivals:
                    del found[other]
                found[row] = person
        return found

    def _search(
        self, image: UInt8[np.ndarray, "height width 3"], known: list[Landmarks]
    ) -> list[Landmarks]:
        """Return people of the whole picture who are not yet `known`."""
        return self._newcomers(image, self._people.find(image)[0], known, farthest=np.inf)

    def _search_small(
        self, image: UInt8[np.ndarray, "height width 3"], known: list[Landmarks]
    ) -> list[Landmarks]:
        """Return small people who are not yet `known`."""
        regions = self._people.find_small(image)[0]
        return self._newcomers(image, regions, known, farthest=_SETTLED)

    def _newcomers(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        regions: Float32[np.ndarray, "regions 2 2"],
        known: list[Landmarks],
        *,
        farthest: float,
    ) -> list[Landmarks]:
        """Return people in some regions who are not yet `known`.

        Args:
            image: RGB.
            regions: Where they may be, the surest first.
            known: Who is seen already.
            farthest: How far a second look may find the keypoints from the first, in sides of
                the region.
        """
        new: list[Landmarks] = []
        for roi in regions:
            seen = [*known, *new]
            if len(seen) >= self._max_people or any(_overlaps(roi, p.roi) for p in seen):
                continue
            coarse = self._look(image, roi)
            # The detector's region is coarse; the second look is from the person's own.
            person = coarse and self._look(image, coarse.roi)
            if coarse is None or person is None or person.presence < _MIN_PRESENCE_NEW:
                continue
            if _distance(coarse.xy, person.xy) > farthest * side_px(person.roi):
                continue
            if not any(_is_same(person, other) for other in seen):
                new.append(person)
        return new

    def _look(
        self, image: UInt8[np.ndarray, "height width 3"], roi: Float[np.ndarray, "2 2"]
    ) -> Landmarks | None:
        """Return the person in a region, if there is one."""
        if side_px(roi) < _MIN_SIDE_PX:
            return None
        person = self._keypoints.find(image, roi)
        is_person = person.presence >= _MIN_PRESENCE and side_px(person.roi) >= _MIN_SIDE_PX
        return person if is_person else None


def _overlaps(one: Float[np.ndarray, "2 2"], other: Float[np.ndarray, "2 2"]) -> bool:
    reach = _SAME_REGION * max(side_px(one), side_px(other))
    return bool(np.hypot(*(one[0] - other[0])) < reach)


def _distance(one: Float[np.ndarray, "joints 2"], other: Float[np.ndarray, "joints 2"]) -> float:
    return float(np.nanmedian(np.hypot(*(one - other).T)))


def _is_same(one: Landmarks, other: Landmarks) -> bool:
    return _distance(one.xy, other.xy) < _SAME_PERSON * max(side_px(one.roi), side_px(other.roi))


def _people(found: list[Landmarks], origin: list[int]) -> People2D:
    n_joints = len(BLAZEPOSE33.joints)
    xy: Float32[np.ndarray, "people joints 2"] = np.array(
        [person.xy for person in found], np.float32
    ).reshape(-1, n_joints, 2)
    return People2D(
        box=np.concatenate([xy.min(1), xy.max(1)], axis=1),
        xy=xy,
        score=np.array([person.score for person in found], np.float32).reshape(-1, n_joints),
        origin=np.array(origin, np.int64),
        hint=np.array([person.roi for person in found], np.float32).reshape(-1, 2, 2),
    )
