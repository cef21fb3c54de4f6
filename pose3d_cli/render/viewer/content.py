"""What a page is about, in plain values that its script reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.files.results import ClipResult, PersonResult
from pose3d_cli.pose.world import ASSUMED, NO_FLOOR, World
from pose3d_cli.render.palette import FAINT_BELOW, HEAD_SHARE, person_colour
from pose3d_cli.render.view import ViewLimits, grid_step, view_limits
from pose3d_cli.render.viewer.pack import pack_points, pack_rising, pack_times, pack_whole

_MM = 0.001
_PX_UNIT = 0.1
_SCORE_STEPS = 20
_ASSUMED = "assumed: "
_REACH = 4
"""Keypoints further out than so many pictures are mistakes that would cost everybody precision."""


def content(result: ClipResult, *, step: int) -> dict[str, Any]:
    """Return everything but the video.

    Args:
        result: What to show.
        step: Every so many rows of the time axis are kept of the people; 1 keeps all.
    """
    limits = view_limits(_in_world(result), None if result.world.floor == NO_FLOOR else 0.0)
    return {
        "times": pack_times(result.time_s.astype("<f8")),
        "frames": pack_rising(result.frame),
        "n": len(result.frame),
        "joints": list(result.joint_names),
        "parents": result.parents.tolist(),
        "faintBelow": FAINT_BELOW,
        "headShare": HEAD_SHARE,
        "size": _size(result),
        "step": step,
        "people": [_person(person, result, step) for person in result.people],
        "limits": _limits(limits),
        "camera": _camera(result),
        "facts": facts(result),
        "granted": granted(result),
    }


def _in_world(result: ClipResult) -> list[np.ndarray]:
    return [result.world.from_camera(person.xyz_camera) for person in result.people]


def _person(person: PersonResult, result: ClipResult, step: int) -> dict[str, Any]:
    kept = kept_rows(person.rows, step)
    xyz = result.world.from_camera(person.xyz_camera[kept])
    px = person.keypoints_px[kept].astype(np.float64)
    px[np.abs(np.nan_to_num(px, nan=np.inf)).max(-1) > _REACH * max(_size(result))] = np.nan
    score = np.rint(_SCORE_STEPS * np.clip(np.nan_to_num(person.score[kept]), 0, 1))
    return {
        "id": person.person,
        "colour": person.person % n_colours(),
        "n": len(kept),
        "n_all": len(person.rows),
        "rows": pack_rising(person.rows[kept]),
        "xyz": asdict(pack_points(xyz, result.parents, unit=_MM, order=2)),
        "px": asdict(pack_points(px, result.parents, unit=_PX_UNIT, order=1)),
        "score": pack_whole(score.astype(np.int16), order=1),
        "scoreUnit": 1 / _SCORE_STEPS,
    }


def n_colours() -> int:
    """Return how many people have colours of their own."""
    return len({person_colour(person) for person in range(100)})


def kept_rows(rows: Int64[np.ndarray, " rows"], step: int) -> Int64[np.ndarray, " kept"]:
    """Return places in `rows` of every `step`-th row, and of both ends of every stay."""
    ends = np.diff(rows, prepend=-2, append=np.iinfo(np.int64).max) > 1
    return np.flatnonzero((rows % step == 0) | ends[:-1] | ends[1:])


def _size(result: ClipResult) -> tuple[int, int]:
    """Return width and height of the picture, or what holds all keypoints if nobody says."""
    camera = result.meta.get("camera")
    told = camera.get("image_size") if isinstance(camera, Mapping) else None
    if isinstance(told, list | tuple) and len(told) == 2 and min(told) > 0:
        return int(told[0]), int(told[1])
    far = [np.nanmax(p.keypoints_px, (0, 1), initial=1.0) for p in result.people]
    width, height = np.ceil(np.max(far, 0)) if far else (640, 360)
    return int(width), int(height)


def _limits(limits: ViewLimits) -> dict[str, Any]:
    return {
        "low": limits.low.round(3).tolist(),
        "high": limits.high.round(3).tolist(),
        "grid": grid_step(limits),
    }


def _camera(result: ClipResult) -> dict[str, Any]:
    """Return place of the camera and the corners of its picture a metre ahead, world axes."""
    world, size = result.world, np.array(_size(result))
    return {
        "at": world.camera_m.round(3).tolist(),
        "corners": (world.rotation @ _rays(result, size).T).T.round(4).tolist(),
    }


def _rays(result: ClipResult, size: Int64[np.ndarray, " 2"]) -> Float64[np.ndarray, "4 3"]:
    camera = result.meta.get("camera")
    told = camera.get("matrix") if isinstance(camera, Mapping) else None
    matrix = np.diag([size.max(), size.max(), 1.0]) if told is None else np.array(told, np.float64)
    if told is None:
        matrix[:2, 2] = size / 2
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [*size, 1], [0, size[1], 1]], np.float64)
    return corners @ np.linalg.inv(matrix).T


def facts(result: ClipResult) -> list[tuple[str, str]]:
    """Return what whoever looks at a result should know of it: a name and words each."""
    meta, world = result.meta, result.world
    camera = meta.get("camera")
    found = {
        "people": len(result.people),
        "frames": _frames(result),
        "nominal frame rate": _rounded(meta.get("fps"), "frames a second"),
        "scale": meta.get("scale_source"),
        "upright": _sure(world.up, world.up_sure_deg, "°"),
        "floor": _floor(world),
        "axes": _axes(world),
        "camera": camera.get("source") if isinstance(camera, Mapping) else camera,
        "detector": meta.get("detector"),
        "weights": _weights(meta.get("weights")),
        "made by": f"pose3d {meta['program_version']}" if "program_version" in meta else None,
    }
    return [(name, str(words)) for name, words in found.items() if words is not None]


def granted(result: ClipResult) -> list[str]:
    """Return what nobody measured and all positions rest on, in words."""
    scale = str(result.meta.get("scale_source", ""))
    found = [
        scale.removeprefix(_ASSUMED) if scale.startswith(_ASSUMED) else "",
        ASSUMED.removeprefix(_ASSUMED) if result.world.up == ASSUMED else "",
        "the floor is at the lowest feet" if result.world.floor == NO_FLOOR else "",
    ]
    return [words for words in found if words and result.people]


def _frames(result: ClipResult) -> str:
    if not len(result.frame):
        return "none"
    first, last = result.frame[0], result.frame[-1]
    span = f"{result.time_s[0]:.2f} s to {result.time_s[-1]:.2f} s of the video"
    return f"{len(result.frame)}: number {first} to {last}, {span}"


def _floor(world: World) -> str:
    if world.floor == NO_FLOOR:
        return "unknown; drawn, and heights counted from, at the lowest feet"
    return _sure(world.floor, world.floor_sure_m * 100, " cm")


def _axes(world: World) -> str:
    origin = "at the camera" if world.floor == NO_FLOOR else "on the floor below the camera"
    return f"x right as the camera looks, y away from it, z up; metres; origin {origin}"


def _sure(words: str, value: float, unit: str) -> str:
    return f"{words} (± {value:.2g}{unit})" if np.isfinite(value) else words


def _rounded(value: Any, unit: str) -> str | None:
    return f"{value:.6g} {unit}" if isinstance(value, int | float) else None


def _weights(weights: Any) -> str | None:
    if not isinstance(weights, Mapping):
        return None if weights is None else str(weights)
    return f"{weights.get('name', '')} (SHA-256 {str(weights.get('sha256', ''))[:12]}…)"
