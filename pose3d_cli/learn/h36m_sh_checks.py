"""What can be wrong with MotionBERT's pickle of Human3.6M, and how well its two truths agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.learn.h36m_cameras import CAMERAS
from pose3d_cli.learn.h36m_checks import apart
from pose3d_cli.learn.h36m_sh_file import Frames
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    extent,
    length_unit,
    looks_normalised,
    sampled,
)
from pose3d_cli.pose.skeleton import H36M17

_LOOKED_AT = 2000
_FAR_PX = 60.0
_NEAR_PX = 12.0
_ROOT = H36M17.index("pelvis")
_SAME_MM = 100.0
_MOST_SCORE = 1.5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far `joints_2.5d_image` is from `2.5d_factor` times `joint3d_image`, root-relative.

    Attributes:
        mean_mm: Mean over joints and frames.
        max_mm: Of any joint.
        frames: How many were compared.
    """

    mean_mm: float
    max_mm: float
    frames: int

    def in_words(self) -> str:
        """Return a sentence for a report."""
        return (
            "joints_2.5d_image and 2.5d_factor times joint3d_image differ by "
            f"{self.mean_mm:.3g} mm in the mean and {self.max_mm:.3g} mm at most "
            f"({self.frames} frames)"
        )


def difference(frames: Frames) -> Difference:
    """Compare the two truths of a split that has both, video by video."""
    total, most = 0.0, 0.0
    for run in frames.runs():
        apart_mm = _apart_mm(frames, np.arange(run.start, run.stop))
        total += float(apart_mm.sum())
        most = max(most, float(apart_mm.max()))
    n = len(frames)
    return Difference(mean_mm=total / (n * len(H36M17.joints)), max_mm=most, frames=n)


def _apart_mm(frames: Frames, rows: np.ndarray) -> Float64[np.ndarray, "rows 17"]:
    image = relative(frames.arrays["joint3d_image"][rows])
    truth = relative(frames.arrays["joints_2.5d_image"][rows])
    factor = frames.arrays["2.5d_factor"][rows].astype(np.float64)
    return np.asarray(np.linalg.norm(truth - factor[:, None, None] * image, axis=-1))


def relative(joints: np.ndarray) -> Float64[np.ndarray, "frames 17 3"]:
    """Return joints with the pelvis at the origin."""
    exact = joints.astype(np.float64)
    return exact - exact[:, _ROOT : _ROOT + 1]


def check_frames(frames: Frames) -> None:
    """Record what is wrong with a split, whose shapes are right, in its findings."""
    _check_videos(frames)
    rows = sampled(len(frames), _LOOKED_AT)
    _check_pictures(frames, rows)
    if "confidence" in frames.arrays:
        most = float(frames.arrays["confidence"][rows].max())
        if most > _MOST_SCORE:
            frames.findings.add(f"confidence up to {most:g}; expected 0 to 1", frames.name)
    if frames.is_metric:
        _check_metres(frames, rows)


def _check_videos(frames: Frames) -> None:
    """Record videos that are in two places, cameras or actions."""
    source = frames.arrays["source"]
    seen: set[str] = set()
    for run in frames.runs():
        name = str(source[run.start])
        place = f"{frames.name}/{name}"
        if name in seen:
            frames.findings.add("frames of one video are not all in one place", place)
        seen.add(name)
        for key in ("camera_name", "action"):
            values = frames.arrays.get(key)
            if values is not None and (values[run] != values[run.start]).any():
                frames.findings.add(f"{key} changes within a video", place)
        camera_id = str(frames.arrays["camera_name"][run.start])
        if camera_id not in CAMERAS:
            frames.findings.add(f"camera {camera_id!r}; known are {', '.join(CAMERAS)}", place)


def _check_pictures(frames: Frames, rows: np.ndarray) -> None:
    """Record keypoints that are no pixels, or that are not where the joints are."""
    xy = frames.arrays["joint_2d"][rows].astype(np.float64)
    image = frames.arrays["joint3d_image"][rows].astype(np.float64)
    normalised = [
        key
        for key, pixels in (("joint_2d", xy), ("joint3d_image", image[..., :2]))
        if looks_normalised(pixels)
    ]
    for key in normalised:
        frames.findings.add(
            f"{key} is in screen coordinates, normalised to [-1, 1] or so; expected pixels",
            frames.name,
        )
    if normalised:
        return
    for problem in (
        _depth_fault(image),
        joint_order_fault(image) and f"joint3d_image: {joint_order_fault(image)}",
        _pair_fault(xy, image[..., :2]),
    ):
        if problem:
            frames.findings.add(problem, frames.name)


def _depth_fault(image: Float64[np.ndarray, "rows 17 3"]) -> str:
    depth = float(np.median(np.abs(image[:, _ROOT, 2])))
    if depth <= 1:
        return ""
    return f"joint3d_image has the pelvis {depth:.4g} deep; expected 0, depth relative to it"


def _pair_fault(
    xy: Float64[np.ndarray, "rows 17 2"], image: Float64[np.ndarray, "rows 17 2"]
) -> str:
    off = apart(xy, image)
    if off > _NEAR_PX and apart(xy, image[:, H36M17.mirror]) < off / 2:
        return "left and right are exchanged between joint_2d and joint3d_image"
    if off > _FAR_PX:
        return (
            f"joint_2d lies {off:.0f} px (median) from joint3d_image; expected both in pixels and "
            "of h36m17's joints"
        )
    return ""


def _check_metres(frames: Frames, rows: np.ndarray) -> None:
    """Record a truth that is in no millimetres, or another than the factor makes."""
    truth = frames.arrays["joints_2.5d_image"][rows].astype(np.float64)
    unit = length_unit(truth)
    if unit != "millimetres":
        found = f"in {unit}" if unit else f"of people {extent(truth):.3g} long"
        frames.findings.add(f"joints_2.5d_image is {found}; expected millimetres", frames.name)
        return
    off = float(_apart_mm(frames, rows).mean())
    if off > _SAME_MM:
        factor = float(np.median(frames.arrays["2.5d_factor"][rows]))
        frames.findings.add(
            f"2.5d_factor (median {factor:.3g}) times joint3d_image is {off:.0f} mm away from "
            "joints_2.5d_image; expected millimetres of a pixel, about 3 to 7",
            frames.name,
        )
