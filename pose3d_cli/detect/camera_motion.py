"""Whether the camera moves: how the background shifts between frames a tenth of a second apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.boxes import around
from pose3d_cli.pose.types import Keypoints2D

MOVES_PERCENT_S = 1.0
"""Faster than this, in per cent of the picture's longer side a second, and the camera moves."""

_EVERY_S = 0.5
_APART_S = 0.1
_SIDE_PX = 480
_POINTS = 80
_MIN_POINTS = 8
_BACK_PX = 0.5  # how far a point may be from where it started when it is followed back
_OFF_PX = 1.0  # from where the picture's motion puts it
_AGREE = 0.5  # share of the points that a motion must explain to be one of the whole picture
_MARGIN = 0.2  # of a person's box, on each side: arms, clothes and shadows move too
_LEAST_S = 0.7  # of motion: one shake is no moving camera
_LEAST_SHARE = 0.02


@dataclass(frozen=True, kw_only=True)
class CameraMotion:
    """How much the camera moved in a clip.

    Attributes:
        percent_s: Speed of the picture while it moves (root mean square over its corners), in per
            cent of its longer side a second; 0 if it never does.
        share: Of the times looked at that could be told, those at which it moved.
        known: Of the times looked at, those that could be told: where enough of the background
            has something to hold on to.
        moves: Whether the camera counts as moving.
    """

    percent_s: float = 0.0
    share: float = 0.0
    known: float = 0.0
    moves: bool = False


@dataclass(frozen=True, eq=False)
class _Pair:
    """Points of a frame and where they are a moment later, in units of the longer side."""

    frame: int
    apart_s: float
    before: Float32[np.ndarray, "points 2"]
    after: Float32[np.ndarray, "points 2"]


@dataclass(eq=False)
class CameraWatch:
    """Follows points from frame to frame, twice a second; 3 kB a second are kept."""

    _pairs: list[_Pair] = field(default_factory=list)
    _first: tuple[int, float, UInt8[np.ndarray, "height width"]] | None = None
    _next_s: float = -np.inf

    def see(self, frame: VideoFrame) -> None:
        """Look at the next frame of the video; most are passed over."""
        if self._first is None:
            if frame.time_s >= self._next_s:
                self._first = (frame.index, frame.time_s, _small(frame.image))
                self._next_s = frame.time_s + _EVERY_S
            return
        index, time_s, image = self._first
        if frame.time_s - time_s < _APART_S:
            return
        before, after = _followed(image, _small(frame.image))
        self._pairs.append(_Pair(index, frame.time_s - time_s, before, after))
        self._first = None

    def motion(self, people: Sequence[Keypoints2D], last_frame: int | None = None) -> CameraMotion:
        """Return how the camera moved, by the points that are on none of `people`.

        Args:
            people: Who is seen.
            last_frame: Only up to this, and what was seen until then is forgotten; None for all.
        """
        last_frame = self._pairs[-1].frame if last_frame is None and self._pairs else last_frame
        pairs = [pair for pair in self._pairs if last_frame is None or pair.frame <= last_frame]
        self._pairs = self._pairs[len(pairs) :]
        speeds = np.array([_speed(pair, people) for pair in pairs])
        known = np.isfinite(speeds)
        if not known.any():
            return CameraMotion()
        moving = speeds[known] > MOVES_PERCENT_S
        least = max(_LEAST_S / _EVERY_S, _LEAST_SHARE * len(speeds))
        return CameraMotion(
            percent_s=float(np.mean(speeds[known][moving])) if moving.any() else 0.0,
            share=float(moving.mean()),
            known=float(known.mean()),
            moves=bool(moving.sum() >= min(least, len(moving))),
        )


def _small(image: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height2 width2"]:
    scale = _SIDE_PX / max(image.shape[:2])
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def _followed(
    image: UInt8[np.ndarray, "height width"], later: UInt8[np.ndarray, "height width"]
) -> tuple[Float32[np.ndarray, "points 2"], Float32[np.ndarray, "points 2"]]:
    """Return points that are found again, and where, in units of the longer side."""
    nothing = np.zeros((0, 2), np.float32)
    before = cv2.goodFeaturesToTrack(
        image, maxCorners=_POINTS, qualityLevel=0.01, minDistance=_SIDE_PX / 24
    )
    if before is None:
        return nothing, nothing
    after, found, _ = cv2.calcOpticalFlowPyrLK(image, later, before, np.zeros_like(before))
    back, again, _ = cv2.calcOpticalFlowPyrLK(later, image, after, np.zeros_like(before))
    stays = np.linalg.norm((back - before)[:, 0], axis=-1) < _BACK_PX
    kept = (found[:, 0] == 1) & (again[:, 0] == 1) & stays
    return before[kept, 0] / _SIDE_PX, after[kept, 0] / _SIDE_PX


def _speed(pair: _Pair, people: Sequence[Keypoints2D]) -> float:
    """Return how fast the background shifts, in per cent of the longer side a second, or NaN."""
    behind = ~_on_people(pair, people)
    before, after = pair.before[behind], pair.after[behind]
    if len(before) < _MIN_POINTS:
        return np.nan
    turn, inside = cv2.estimateAffinePartial2D(
        before, after, ransacReprojThreshold=_OFF_PX / _SIDE_PX
    )
    if turn is None or inside.mean() < _AGREE:
        return np.nan
    return float(100 * _corner_shift(turn.astype(np.float64)) / pair.apart_s)


def _corner_shift(turn: Float64[np.ndarray, "2 3"]) -> float:
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    shift = corners @ turn[:, :2].T + turn[:, 2] - corners
    return float(np.sqrt((shift**2).sum(-1).mean()))


def _on_people(pair: _Pair, people: Sequence[Keypoints2D]) -> Bool[np.ndarray, " points"]:
    """Return which points lie within somebody's box."""
    covered = np.zeros(len(pair.before), bool)
    for box in _boxes(pair.frame, people):
        margin = _MARGIN * (box[2:] - box[:2])
        low, high = box[:2] - margin, box[2:] + margin
        covered |= ((pair.before >= low) & (pair.before <= high)).all(-1)
    return covered


def _boxes(frame: int, people: Sequence[Keypoints2D]) -> Iterator[Float64[np.ndarray, " 4"]]:
    for person in people:
        row = int(np.searchsorted(person.frames, frame))
        if row < len(person) and person.frames[row] == frame and (person.score[row] > 0).any():
            yield around(person.xy[row]).astype(np.float64) / max(person.image_size)
