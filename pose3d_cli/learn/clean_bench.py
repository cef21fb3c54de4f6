"""What each step of clean-up does to the errors of lifted motion whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float64

from pose3d_cli.learn.takes import TAKE_HZ
from pose3d_cli.learn.travel import Take
from pose3d_cli.pose.clean.chain import Steps, clean
from pose3d_cli.pose.clean.contact import ANKLES
from pose3d_cli.pose.clean.feet import slide_m
from pose3d_cli.pose.clean.motion import Motion
from pose3d_cli.pose.clean.runs import runs_of
from pose3d_cli.pose.measures import acceleration_error, mpjpe, p_mpjpe
from pose3d_cli.pose.skeleton import H36M17

_NONE = Steps(outliers=False, smooth="off", bones=False, feet="off")

VARIANTS: Mapping[str, Steps] = {
    "before": _NONE,
    "outliers": Steps(outliers=True, smooth="off", bones=False, feet="off"),
    "smooth light": Steps(outliers=False, smooth="light", bones=False, feet="off"),
    "smooth strong": Steps(outliers=False, smooth="strong", bones=False, feet="off"),
    "bones": Steps(outliers=False, smooth="off", bones=True, feet="off"),
    "feet auto": Steps(outliers=False, smooth="off", bones=False, feet="auto"),
    "feet lock": Steps(outliers=False, smooth="off", bones=False, feet="lock"),
    "all but feet": Steps(feet="off"),
    "all": Steps(),
    "all, strong, lock": Steps(smooth="strong", feet="lock"),
}
"""Each step by itself, and together; `all` is what `pose3d lift` does unless told."""

_STANDS_M_S = 0.3  # an ankle that is slower, and lower, stands
_STANDS_M = 0.16
_FEWEST = 3
_FOCAL_PX = 1000.0
_PARENT = H36M17.parent_index


@dataclass(frozen=True, kw_only=True)
class CleanFigures:
    """Means over takes.

    Attributes:
        mpjpe_mm: Joints relative to the pelvis.
        p_mpjpe_mm: The same after a similarity.
        pose_acceleration_mm: Error of second differences relative to the pelvis, mm a frame^2.
        acceleration_mm: The same of joints from the camera, so with the pelvis' path.
        bone_spread_mm: Standard deviation of a bone's length over a take, mean of all bones.
        slide_mm: How far an ankle gets in a true contact, whether it was found or not.
        held_slide_mm: The same in contacts that were found and held; NaN where none is.
        held: Share of the contacts found that were held.
        path_mm: Error of the pelvis' place.
        path_speed_mm_s: Error of the pelvis' velocity.
        picture_px: Error of joints in a picture of 1000 px focal length.
    """

    mpjpe_mm: float
    p_mpjpe_mm: float
    pose_acceleration_mm: float
    acceleration_mm: float
    bone_spread_mm: float
    slide_mm: float
    held_slide_mm: float
    held: float
    path_mm: float
    path_speed_mm_s: float
    picture_px: float


def bench_clean(takes: Sequence[Take]) -> Iterator[tuple[str, CleanFigures]]:
    """Yield each of `VARIANTS` with its figures over takes."""
    for name, steps in VARIANTS.items():
        each = [measure(take, steps) for take in takes]
        yield name, CleanFigures(**{key: _mean(each, key) for key in _NAMES})


def measure(take: Take, steps: Steps) -> CleanFigures:
    """Return the figures of one take after some steps."""
    motion = Motion(
        time_s=take.keypoints.time_s,
        root=take.root,
        pose=take.xyz_root.astype(np.float64),
        score=take.keypoints.score,
    )
    cleaned = clean([motion], take.world, steps)
    better = cleaned.motions[0]
    truth = take.truth - take.truth[:, :1]
    off = better.root - take.truth[:, 0]
    feet = cleaned.record.get("feet", {})
    slides = [slide_m(better.xyz[a:b, ANKLES[foot]]) for foot, a, b in true_contacts(take)]
    bones = np.linalg.norm(better.pose[:, 1:] - better.pose[:, _PARENT[1:]], axis=-1)
    values = {
        "mpjpe_mm": mpjpe(better.pose, truth).mean(),
        "p_mpjpe_mm": p_mpjpe(better.pose, truth).mean(),
        "pose_acceleration_mm": acceleration_error(better.pose, truth).mean(),
        "acceleration_mm": acceleration_error(better.xyz, take.truth).mean(),
        "bone_spread_mm": bones.std(0).mean(),
        "slide_mm": np.mean(slides) if slides else np.nan,
        "path_mm": np.linalg.norm(off, axis=-1).mean(),
        "path_speed_mm_s": np.linalg.norm(np.diff(off, axis=0), axis=-1).mean() * TAKE_HZ,
    }
    in_mm = {name: float(metres) * 1000 for name, metres in values.items()}
    held_slide = feet.get("slide_held_mm")
    return CleanFigures(
        **in_mm,
        held_slide_mm=np.nan if held_slide is None else held_slide,
        held=feet["held"] / feet["contacts"] if feet.get("contacts") else np.nan,
        picture_px=_picture_px(better.xyz, take.truth),
    )


def true_contacts(take: Take) -> list[tuple[int, int, int]]:
    """Return foot, first frame and the frame after the last of each contact of the truth."""
    ankles = take.world.from_camera(take.truth[:, ANKLES])
    speed = np.linalg.norm(np.gradient(ankles, take.keypoints.time_s, axis=0), axis=-1)
    stands = (speed < _STANDS_M_S) & (ankles[..., 2] < _STANDS_M)
    return [
        (foot, first, stop)
        for foot in range(len(ANKLES))
        for first, stop in runs_of(stands[:, foot])
        if stop - first >= _FEWEST
    ]


def _picture_px(
    xyz: Float64[np.ndarray, "frames 17 3"], truth: Float64[np.ndarray, "frames 17 3"]
) -> float:
    off = xyz[..., :2] / xyz[..., 2:] - truth[..., :2] / truth[..., 2:]
    return float(np.linalg.norm(off, axis=-1).mean() * _FOCAL_PX)


_NAMES = tuple(field.name for field in fields(CleanFigures))


def _mean(each: Sequence[CleanFigures], name: str) -> float:
    """Return the mean over the takes that have a value."""
    values = np.array([getattr(figures, name) for figures in each])
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
