"""A lifter's answer to a clip, in the way a protocol lays its windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Int64

from pose3d_cli.errors import InputError
from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol, Laying
from pose3d_cli.learn.clip import Clip
from pose3d_cli.lift.screen import Screen
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import Layout, centred_windows, lay_windows, tile_windows
from pose3d_cli.pose.align import root_relative
from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.resample import SAME_RATE
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_LAYOUTS: Mapping[Laying, Layout] = {
    "video": lay_windows,
    "tiles": tile_windows,
    "centred": centred_windows,
}
_PELVIS = H36M17.index("pelvis")


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a lifter made of a clip.

    Attributes:
        xyz: Root-relative joints of each frame in the axes of the truth, metres; NaN where there is
            no answer. A truth in axes of a world whose camera is unknown is met by one rotation
            for the whole clip.
        stretch: Number of the stretch that each frame's answer belongs to; -1 where there is none.
        laying: How windows were laid.
    """

    xyz: Float32[np.ndarray, "frames 17 3"]
    stretch: Int64[np.ndarray, " frames"]
    laying: Laying


def _laying_for(lifter: WindowedLifter, fps: float, protocol: BenchmarkProtocol) -> Laying:
    """Return how windows can be laid: the protocol's way, or a video's for weights of another rate.

    A paper's windows are of frames of the data set. Weights of another rate do not see these.
    """
    is_own = abs(fps / lifter.about.rate_hz - 1) <= SAME_RATE
    return protocol.laying if is_own else "video"


def answer(lifter: WindowedLifter, clip: Clip, protocol: BenchmarkProtocol) -> Answer:
    """Lift a clip.

    Short gaps in what was seen are filled; at longer ones, and where the pelvis was not seen, the
    clip is parted.

    Raises:
        InputError: The weights take rays, and the camera is unknown.
    """
    if lifter.about.input == "rays" and clip.camera is None:
        raise InputError(
            f"{clip.name}: the camera is unknown, but these weights need it; "
            "give a calibration, or measure weights that take screen coordinates"
        )
    laying = _laying_for(lifter, clip.keypoints.fps, protocol)
    laid = replace(lifter, layout=_LAYOUTS[laying])
    metres = _metres_for(lifter, clip, protocol)
    xyz = np.full((len(clip), len(H36M17.joints), 3), np.nan, np.float32)
    stretch = np.full(len(clip), -1, np.int64)
    for number, part in enumerate(_parts(clip.keypoints)):
        pose = laid.lift(part, clip.camera, _screen(clip, part, metres))
        rows = np.searchsorted(clip.keypoints.frames, pose.frames)
        is_own = clip.keypoints.frames[np.minimum(rows, len(clip) - 1)] == pose.frames
        xyz[rows[is_own]] = pose.xyz[is_own]
        tile = np.arange(len(pose)) // lifter.window if laying == "tiles" else 0
        stretch[rows[is_own]] = (number * len(clip) + np.zeros(len(pose), np.int64) + tile)[is_own]
    if clip.truth.frame == "world":
        xyz = _turned(xyz, clip)
    return Answer(xyz=xyz, stretch=stretch, laying=laying)


def _parts(keypoints: Keypoints2D) -> list[Keypoints2D]:
    """Return the stretches in which the pelvis is known in every row."""
    filled = fill_gaps(keypoints)
    seen = filled.take(np.isfinite(filled.xy[:, _PELVIS]).all(-1))
    return split_at_gaps(seen) if len(seen) else []


def _metres_for(
    lifter: WindowedLifter, clip: Clip, protocol: BenchmarkProtocol
) -> Float64[np.ndarray, " frames"] | None:
    """Return what a unit of these weights' answers is in metres, by the data set's rule.

    None where there is no such rule, or where it is for networks of another data set, whose unit
    is another; answers are then made a person of the usual stature.
    """
    learnt_on = lifter.about.more.get("trained_on", "")
    if clip.unit_of and learnt_on not in ("", clip.unit_of):
        return None
    if protocol.unit == "picture":
        return np.full(len(clip), clip.screen_width / 2 / 1000)
    return clip.metres_per_unit


def _screen(clip: Clip, part: Keypoints2D, metres: Float64[np.ndarray, " frames"] | None) -> Screen:
    if metres is not None:
        metres = np.interp(part.frames, clip.keypoints.frames, metres)
    return Screen(width=clip.screen_width, metres_per_unit=metres)


def _turned(
    xyz: Float32[np.ndarray, "frames 17 3"], clip: Clip
) -> Float32[np.ndarray, "frames 17 3"]:
    """Return answers turned, all frames alike, to lie as near as can be to a truth in other axes.

    Source: Kabsch 1976.
    """
    pose = root_relative(xyz.astype(np.float64), H36M17.joints)
    truth = root_relative(clip.truth.xyz.astype(np.float64), H36M17.joints)
    known = np.isfinite(pose).all(-1) & np.isfinite(truth).all(-1) & clip.is_counted[:, None]
    if not known.any():
        return xyz
    return (pose @ _rotation(pose[known], truth[known])).astype(np.float32)


def _rotation(
    points: Float64[np.ndarray, "points 3"], truth: Float64[np.ndarray, "points 3"]
) -> Float64[np.ndarray, "3 3"]:
    """Return the rotation R that brings `points @ R` nearest to `truth`; never a mirror image."""
    u, _, vt = np.linalg.svd(points.T @ truth)
    handed = np.array([1.0, 1.0, -1.0 if np.linalg.det(u @ vt) < 0 else 1.0])
    return (u * handed) @ vt
