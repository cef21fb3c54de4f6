"""Where the viewer of the 3D picture stands, and how much of the room it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

_MIN_SPAN_M = np.array([1.3, 1.3, 1.3])
_ROOM_M = 0.15
_STRAY_PERCENT = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewLimits:
    """The part of the room that is shown: an upright box along the axes of the world.

    Attributes:
        low: Least x (right), y (ahead) and z (up), metres; `low[2]` is the floor.
        high: Greatest x, y and z.
    """

    low: Float64[np.ndarray, " 3"]
    high: Float64[np.ndarray, " 3"]

    def __post_init__(self) -> None:
        if not np.all(np.isfinite([self.low, self.high])) or not np.all(self.low < self.high):
            raise ValueError(f"limits must be finite and rise: found {self.low} to {self.high}")


def view_limits(
    people: Iterable[Float[np.ndarray, "_ joints 3"]], floor_m: float | None = None
) -> ViewLimits:
    """Return limits that hold everybody through the clip, a few stray frames aside.

    Each person counts alike, however short the stay. Without a single finite joint the answer is
    an empty room two to four metres away.

    Args:
        people: Everybody's joints over time, metres, world axes; NaN where absent.
        floor_m: Its height, if known; else it is at the lowest feet.
    """
    lows, highs = [], []
    for xyz_world in people:
        person = np.asarray(xyz_world, np.float64)
        seen = person[np.isfinite(person).all((1, 2))]
        if len(seen):
            lows.append(np.percentile(seen.min(1), _STRAY_PERCENT, axis=0))
            highs.append(np.percentile(seen.max(1), 100 - _STRAY_PERCENT, axis=0))
    if not lows:
        return ViewLimits(low=np.array([-1.0, 2.0, 0.0]), high=np.array([1.0, 4.0, 2.0]))
    low, high = np.min(lows, 0), np.max(highs, 0)
    grow = np.maximum(_MIN_SPAN_M - (high - low), 2 * _ROOM_M) / 2
    # Feet stay on the floor: what is missing in height is added above the heads only.
    low, high = low - grow * [1, 1, 0], high + grow * [1, 1, 2]
    if floor_m is not None and floor_m < high[2]:
        low[2] = floor_m
    return ViewLimits(low=low, high=high)


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A parallel look at a box from beside and above the camera.

    Attributes:
        axes: Rows: picture right, picture up, towards the viewer; in world axes.
        px_per_m: Size of a metre in the picture.
        offset_px: What is added to picture right and up, from the bottom-left corner.
    """

    axes: Float64[np.ndarray, "3 3"]
    px_per_m: float
    offset_px: Float64[np.ndarray, " 2"]

    def project(self, xyz_world: Float[np.ndarray, "*n 3"]) -> Float64[np.ndarray, "*n 3"]:
        """Return right px, up px (from the bottom-left corner) and nearness to the viewer in m."""
        turned: Float64[np.ndarray, "*n 3"] = np.asarray(xyz_world, np.float64) @ self.axes.T
        turned[..., :2] = turned[..., :2] * self.px_per_m + self.offset_px
        return turned


def look_at(
    limits: ViewLimits,
    area_px: tuple[float, float, float, float],
    *,
    azimuth_deg: float = -62.0,
    elevation_deg: float = 12.0,
) -> View:
    """Return the view that fits `limits` into an area of the picture.

    Args:
        limits: What must be seen.
        area_px: Left, bottom, right and top, from the bottom-left corner of the picture.
        azimuth_deg: -90 looks where the camera looks; more turns the viewer to its right, so
            that depth shows as well as width.
        elevation_deg: How far above the horizontal the viewer is.
    """
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    sin_a, cos_a, sin_e, cos_e = (
        np.sin(azimuth), np.cos(azimuth), np.sin(elevation), np.cos(elevation),
    )  # fmt: skip
    axes = np.array(
        [
            [-sin_a, cos_a, 0.0],
            [-sin_e * cos_a, -sin_e * sin_a, cos_e],
            [cos_e * cos_a, cos_e * sin_a, sin_e],
        ]
    )
    flat = corners(limits) @ axes[:2].T
    low, high = flat.min(0), flat.max(0)
    area_low, area_high = np.array(area_px[:2]), np.array(area_px[2:])
    px_per_m = float(np.min((area_high - area_low) / (high - low)))
    offset_px = (area_low + area_high) / 2 - px_per_m * (low + high) / 2
    return View(axes=axes, px_per_m=px_per_m, offset_px=offset_px)


def corners(limits: ViewLimits) -> Float64[np.ndarray, "8 3"]:
    """Return the corners of the box, world axes, metres."""
    ends = zip(limits.low, limits.high, strict=True)
    return np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(8, 3)


def ticks(low: float, high: float, step: float) -> Float64[np.ndarray, " ticks"]:
    """Return the whole multiples of `step` from `low` to `high`."""
    return np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step


def grid_step(limits: ViewLimits) -> float:
    """Return a round distance between grid lines, metres, that keeps them few."""
    span = float(np.max((limits.high - limits.low)[:2]))
    return next((step for step in (0.5, 1.0, 2.0, 5.0) if span <= 9 * step), 10.0)
