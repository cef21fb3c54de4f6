"""What a detector is: a picture in, the people in it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from pose3d_cli.pose.skeleton import Skeleton


class Search(IntEnum):
    """How a picture is searched for people, apart from following those known."""

    NONE = 0
    USUAL = 1
    THOROUGH = 2
    """Slower, where that finds smaller people; elsewhere the same as `USUAL`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class People2D:
    """Everybody found in one picture; nobody is zero rows, never a box of the whole picture.

    Attributes:
        box: Left, top, right, bottom in pixels; may reach beyond the picture.
        xy: Keypoints in pixels; NaN where a joint was not seen.
        score: Confidence of each keypoint in [0, 1].
        origin: Row of `near` that each person continues; -1 for one found anew.
        hint: Points the detector wants to see again as `near` with the next picture.
    """

    box: Float32[np.ndarray, "persons 4"]
    xy: Float32[np.ndarray, "persons joints 2"]
    score: Float32[np.ndarray, "persons joints"]
    origin: Int64[np.ndarray, " persons"]
    hint: Float32[np.ndarray, "persons hints 2"] | None = None

    def __len__(self) -> int:
        return len(self.box)

    def take(self, rows: Int64[np.ndarray, " kept"] | Bool[np.ndarray, " persons"]) -> People2D:
        """Return the people of some rows, in that order."""
        return People2D(
            box=self.box[rows],
            xy=self.xy[rows],
            score=self.score[rows],
            origin=self.origin[rows],
            hint=None if self.hint is None else self.hint[rows],
        )


@runtime_checkable
class Detector(Protocol):
    """Finds people and their keypoints in one picture at a time; keeps no memory between them."""

    @property
    def name(self) -> str:
        """The name on the shelf, written into results."""
        ...

    @property
    def skeleton(self) -> Skeleton:
        """The joints it finds, in array order."""
        ...

    def detect(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        near: People2D | None = None,
        *,
        search: Search = Search.THOROUGH,
    ) -> People2D:
        """Return the people in an RGB picture.

        Args:
            image: Upright picture, RGB.
            near: The people of the picture before, where these are likely to be again.
            search: How to look over the whole picture; with `NONE` only `near` is followed, which
                is faster for detectors that can. Nobody near means searching anyway.

        Returns:
            Those who continue somebody of `near` first, in its order, then newcomers.
        """
        ...
