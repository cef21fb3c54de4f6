"""How a 2D detector errs on people whose joints are known: what the generator's noise is fitted to.

Joints whose truth is unknown (NaN) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.learn.rendered.truth import FEWEST_FRAMES, Rendered
from pose3d_cli.learn.synthetic.motion import ABOVE_SPINE, chest_axes, hip_axes, joints
from pose3d_cli.pose.camera import pixels_to_rays
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

Finder = Callable[[Path], Sequence[Keypoints2D]]

KINDS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "nose", "head")
PERCENTILES = (25, 50, 75, 90, 95, 98, 99)
_LIMBS = [H36M17.index(joint) for joint in LIMB_JOINTS]
_NORMAL = 1.4826
"""Median of absolute values to standard deviation, of a normal distribution."""
_LOST = 0.25
"""Keypoints whose median error is this share of the person's extent are of something else."""
_OUTLIERS = 3.0
_APART = 0.1
"""Left and right can be told apart where they are this share of the person's extent apart."""
_MEMORY_AFTER_S = 0.2
_ENDS = ("hip", "shoulder")


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector made of the person of a clip, in the frames in which it found them.

    Attributes:
        keypoints: Human3.6M joints, left and right mended.
        error: Keypoint less truth, as a ray: times depth it is metres across and down.
        extent: Larger side of the person in the picture, as a ray; of the joints that are known.
        mended: Frames in which left and right were swapped back.
        flipped: Whether the detector itself took left for right, in arms and legs; NaN where the
            sides lie too close together to tell.
    """

    keypoints: Keypoints2D
    error: Float64[np.ndarray, "frames joints 2"]
    extent: Float64[np.ndarray, " frames"]
    mended: int
    flipped: Float64[np.ndarray, "frames 2"]


@dataclass(frozen=True)
class JointError:
    """How a detector errs at one kind of joint, left and right together.

    Attributes:
        outwards_mm, backwards_mm, up_mm: The point it marks, from the joint, in the axes of the
            pelvis (above the spine: of the chest).
        clips_differ_mm: Standard deviation between clips of what is constant in a clip, an axis.
        noise: Median over clips of the error's standard deviation in a clip, an axis, as a share
            of the person's extent in the picture.
        remembered: Its correlation with itself 0.2 s later; None in shorter clips.
    """

    outwards_mm: float
    backwards_mm: float
    up_mm: float
    clips_differ_mm: float
    noise: float
    remembered: float | None


def read_from(folder: Path) -> Finder:
    """Return a finder that reads `CLIP_keypoints.npz`, as `pose3d data detect` writes it.

    Raises:
        InputError: No such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; check the name")

    def find(video: Path) -> list[Keypoints2D]:
        file = folder / f"{video.stem}_keypoints.npz"
        return list(read_keypoints(file)) if file.is_file() else []

    return find


def nearest(people: Sequence[Keypoints2D], clip: Rendered) -> Found | None:
    """Return whoever of `people` is nearest to the truth, sides mended; None if nobody is near."""
    rays = clip.xyz[..., :2] / clip.xyz[..., 2:]
    best: tuple[float, Found] | None = None
    for person in people:
        mended, flipped = mend_flips(person)
        keypoints = convert(mended, H36M17)
        frame = keypoints.frames
        if len(frame) < FEWEST_FRAMES or frame[-1] >= len(rays):
            continue
        error = _rays(keypoints, clip) - rays[frame]
        extent = _extent(rays[frame])
        size = np.linalg.norm(error, axis=-1) / extent[:, None]
        off = float(np.nanmedian(size)) if np.isfinite(size).any() else np.inf
        if off < _LOST and (best is None or off < best[0]):
            sides = flips(_rays(convert(person, H36M17), clip), rays[frame], extent)
            best = off, Found(keypoints, error, extent, flipped, sides)
    return None if best is None else best[1]


def _rays(keypoints: Keypoints2D, clip: Rendered) -> Float64[np.ndarray, "frames joints 2"]:
    return pixels_to_rays(keypoints.xy.astype(np.float64), clip.camera)


def _extent(rays: Float64[np.ndarray, "frames joints 2"]) -> Float64[np.ndarray, " frames"]:
    """Return the larger side of the known joints' box; NaN where none is known."""
    low, high = (np.where(np.isnan(rays), far, rays) for far in (np.inf, -np.inf))
    side = (high.max(1) - low.min(1)).max(-1)
    return np.where(side > 0, side, np.nan)


def flips(
    found: Float64[np.ndarray, "frames joints 2"],
    rays: Float64[np.ndarray, "frames joints 2"],
    extent: Float64[np.ndarray, " frames"],
) -> Float64[np.ndarray, "frames 2"]:
    """Return 1 where arms, legs are nearer to the truth of the other side, 0 where not.

    NaN where they are unknown, or where the two sides lie within a tenth of the person.
    """
    out = np.full((len(found), 2), np.nan)
    for group, limbs in enumerate((("elbow", "wrist"), ("knee", "ankle"))):
        left, right = (joints(*(f"{side}_{limb}" for limb in limbs)) for side in ("left", "right"))
        both, crossed = [*left, *right], [*right, *left]
        apart = np.linalg.norm(rays[:, both] - rays[:, crossed], axis=-1).mean(1)
        own = np.linalg.norm(found[:, both] - rays[:, both], axis=-1).mean(1)
        other = np.linalg.norm(found[:, both] - rays[:, crossed], axis=-1).mean(1)
        told = np.isfinite(own) & (apart > _APART * extent)
        out[told, group] = other[told] < own[told]
    return out


def joint_errors(clips: Sequence[tuple[Rendered, Found]]) -> dict[str, JointError]:
    """Return the error of each kind of joint over many clips; kinds seen too rarely are left out.

    Offsets are fitted by least squares to all frames at once, without the worst of them, so that
    a joint on the wrong limb does not count.
    """
    errors = {kind: _of_kind(clips, kind) for kind in KINDS}
    return {kind: error for kind, error in errors.items() if error is not None}


def limb_percentiles(clips: Sequence[tuple[Rendered, Found]]) -> dict[int, float]:
    """Return percentiles of the error of limb joints, as a share of the person's extent.

    Over joints and frames, of joints that the picture shows.
    """
    sizes = []
    for clip, seen in clips:
        size = np.linalg.norm(seen.error, axis=-1) / seen.extent[:, None]
        shown = clip.shown[seen.keypoints.frames]
        sizes.append(size[:, _LIMBS][shown[:, _LIMBS]])
    values = np.nanpercentile(np.concatenate(sizes), PERCENTILES)
    return {p: float(value) for p, value in zip(PERCENTILES, values, strict=True)}


@dataclass(frozen=True, eq=False)
class _Track:
    """One joint of one clip: what three offsets would do in the picture, and what is there."""

    design: Float64[np.ndarray, "frames 2 3"]
    metres: Float64[np.ndarray, "frames 2"]
    share: Float64[np.ndarray, "frames 2"]
    remembered: float | None


def _of_kind(clips: Sequence[tuple[Rendered, Found]], kind: str) -> JointError | None:
    columns = [j for j, name in enumerate(H36M17.joints) if name.rpartition("_")[2] == kind]
    tracks = [t for pair in clips for j in columns if (t := _track(*pair, j)) is not None]
    if not tracks:
        return None
    design = np.concatenate([track.design.reshape(-1, 3) for track in tracks])
    metres = np.concatenate([track.metres.ravel() for track in tracks])
    offset = np.linalg.lstsq(design, metres, rcond=None)[0]
    rest = np.abs(metres - design @ offset)
    usual = rest < _OUTLIERS * _NORMAL * np.median(rest)
    offset = np.linalg.lstsq(design[usual], metres[usual], rcond=None)[0]
    constant = [np.median(t.metres - t.design @ offset, axis=0) for t in tracks]
    remembered = [t.remembered for t in tracks if t.remembered is not None]
    outwards, backwards, up = (float(1000 * v) for v in offset)
    return JointError(
        outwards_mm=outwards,
        backwards_mm=backwards,
        up_mm=up,
        clips_differ_mm=float(1000 * _NORMAL * np.median(np.abs(constant))),
        noise=float(np.median([np.sqrt(np.mean(t.share**2)) for t in tracks])),
        remembered=float(np.mean(remembered)) if remembered else None,
    )


def _track(clip: Rendered, seen: Found, joint: int) -> _Track | None:
    """Return one joint of one clip; None where it is hardly ever seen."""
    truth = clip.xyz[seen.keypoints.frames]
    size = np.linalg.norm(seen.error[:, joint], axis=-1) / seen.extent
    axes = _axes(truth, joint)
    good = clip.shown[seen.keypoints.frames, joint] & (size < _LOST)
    good &= np.isfinite(axes).all((1, 2))
    if good.sum() < FEWEST_FRAMES:
        return None
    rays, depth = truth[:, joint, :2] / truth[:, joint, 2:], truth[:, joint, 2:]
    design = axes[:, :2] - rays[:, :, None] * axes[:, 2:]
    if H36M17.joints[joint].startswith("right_"):
        design[..., 0] *= -1  # outwards
    share = seen.error[:, joint] / seen.extent[:, None]
    share = np.where(good[:, None], share - np.median(share[good], axis=0), np.nan)
    metres = seen.error[:, joint] * depth
    return _Track(design[good], metres[good], share[good], _remembered(seen.keypoints, share))


def _axes(truth: Float64[np.ndarray, "frames joints 3"], joint: int) -> np.ndarray:
    """Return the axes of the trunk; where its middle is unknown, of shoulders and hips alone."""
    of = chest_axes if joint in ABOVE_SPINE else hip_axes
    whole = truth.copy()
    pelvis, spine, thorax = joints("pelvis", "spine", "thorax")
    hips, shoulders = (truth[:, joints(f"left_{j}", f"right_{j}")].mean(1) for j in _ENDS)
    for middle, made in ((pelvis, hips), (thorax, shoulders), (spine, (hips + shoulders) / 2)):
        unknown = np.isnan(truth[:, middle]).any(-1)
        whole[unknown, middle] = made[unknown]
    return of(torch.from_numpy(whole)[None])[0].numpy()


def _remembered(keypoints: Keypoints2D, share: Float64[np.ndarray, "frames 2"]) -> float | None:
    lag = round(_MEMORY_AFTER_S * keypoints.fps)
    together = keypoints.frames[lag:] - keypoints.frames[:-lag] == lag
    product = (share[lag:] * share[:-lag])[together]
    if not np.isfinite(product).any():
        return None
    return float(np.nanmean(product) / np.nanmean(share**2))
