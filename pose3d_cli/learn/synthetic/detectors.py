"""What a 2D detector makes of a person: other joints, correlated noise, misses, flips, scores."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.learn.synthetic.cameras import View, outside, project
from pose3d_cli.learn.synthetic.motion import ABOVE_SPINE, chest_axes, hip_axes, joints
from pose3d_cli.pose.skeleton import DERIVED, H36M17

_MIRROR = torch.from_numpy(H36M17.mirror)
_FACE_ONLY = 0.8
"""Share of clips whose detector knows no neck and no crown: shoulders and eyes stand in."""

# Offset in metres between the point that detectors mark and the joint: the mean of BlazePose and
# MoveNet on rendered people, outwards, backwards and up in the axes of the pelvis
# or, from the thorax upwards, of the chest.
_MARKED_M = {
    "hip": (0.0, -0.017, 0.019),
    "knee": (-0.001, 0.005, 0.006),
    "ankle": (0.0, -0.004, 0.020),
    "shoulder": (-0.007, 0.0, 0.010),
    "elbow": (-0.004, -0.015, 0.009),
    "wrist": (-0.007, -0.007, 0.006),
}
# What is constant over a clip and differs between clips, per axis: its body, clothes and detector,
# and where its mocap has the joint (docs/measured.md).
_CLIPS_DIFFER_M = {
    "hip": 0.023,
    "shoulder": 0.018,
    "knee": 0.015,
    "ankle": 0.014,
    "elbow": 0.017,
    "wrist": 0.015,
    "nose": 0.020,
    "head": 0.025,
    "spine": 0.020,
    "thorax": 0.017,
    "pelvis": 0.015,
}
_UPWARD_HIPS_M = 0.015
"""What the height of both hips has in common."""

_SPREAD = 0.010
"""Median noise of a joint as a share of the person's extent in the picture."""
_WORSE = {"wrist": 1.7, "elbow": 1.5, "knee": 1.25, "ankle": 1.15, "shoulder": 0.87}
_CLIPS_DIFFER = 0.5
_JOINTS_DIFFER = 0.35
_MEMORY_S = 0.246
"""Time in which the slow part of the noise falls to 1/e of what it was."""


def _per_joint(table: dict[str, float], other: float) -> Float[Tensor, " joints"]:
    return torch.tensor([table.get(name.rpartition("_")[2], other) for name in H36M17.joints])


def _marked() -> Float[Tensor, "joints 3"]:
    """Return `_MARKED_M` of every joint; outwards is x on the left and -x on the right."""
    offset = torch.zeros(len(H36M17.joints), 3)
    for joint, name in enumerate(H36M17.joints):
        side, _, kind = name.rpartition("_")
        outwards = -1.0 if side == "right" else 1.0
        offset[joint] = torch.tensor(_MARKED_M.get(kind, (0.0, 0.0, 0.0)))
        offset[joint, 0] *= outwards
    return offset


def detector_joints(
    pose: Float[Tensor, "b t joints 3"], face_only: Bool[Tensor, " b"], random: torch.Generator
) -> Float[Tensor, "b t joints 3"]:
    """Return the points a detector would mark, metres, axes of `pose`.

    Args:
        pose: True joints relative to the pelvis.
        face_only: Whether the detector knows eyes and nose, but neither neck nor crown.
        random: Source of chance.
    """
    n = len(pose)
    nose, head = pose[:, :, H36M17.index("nose")], pose[:, :, H36M17.index("head")]
    forwards = nose - (pose[:, :, H36M17.index("thorax")] + head) / 2
    marked = pose.clone()
    marked[:, :, H36M17.index("nose")] = nose + 0.1 * forwards
    marked[:, :, H36M17.index("head")] = nose + 0.3 * (head - nose)  # the eyes
    marked = torch.where(face_only[:, None, None, None], marked, pose)
    offset = torch.randn(n, len(H36M17.joints), 3, generator=random)
    offset = _marked() + offset * _per_joint(_CLIPS_DIFFER_M, 0.0)[:, None]
    hips = joints("left_hip", "right_hip", "pelvis")
    offset[:, hips, 2] += _UPWARD_HIPS_M * torch.randn(n, 1, generator=random)
    axes = hip_axes(pose)[:, :, None].repeat(1, 1, len(H36M17.joints), 1, 1)
    axes[:, :, ABOVE_SPINE] = chest_axes(pose)[:, :, None]
    return marked + (axes @ offset[:, None, ..., None])[..., 0]


def detect(
    view: View, rate_hz: float, random: torch.Generator
) -> tuple[Float[Tensor, "b t joints 2"], Float[Tensor, "b t joints"]]:
    """Return noisy rays and scores of the people in `view`; unseen joints are NaN with score 0.

    Args:
        view: People in front of a camera.
        rate_hz: Its frames a second; noise holds on for a time, not for a number of frames.
        random: Source of chance.
    """
    face_only = torch.rand(len(view.pose), generator=random) < _FACE_ONLY
    points = detector_joints(view.pose, face_only, random) + view.root[:, :, None]
    rays = project(points)
    extent = (rays.amax(2) - rays.amin(2)).amax(-1).clamp(max=4.0)  # (b, t)
    cut_off = outside(view, rays)
    spread = _spread(rays.shape[:3], cut_off, random)
    noise = _correlated(rays.shape, math.exp(-1 / (rate_hz * _MEMORY_S)), random)
    rays = rays + noise * (spread * extent[..., None])[..., None]
    score = _score(spread, cut_off, random)
    rays, score = _derive(rays, score, face_only)
    rays = _flip(rays, random)
    return _lose(rays, score, random)


def _derive(
    rays: Float[Tensor, "b t joints 2"],
    score: Float[Tensor, "b t joints"],
    face_only: Bool[Tensor, " b"],
) -> tuple[Float[Tensor, "b t joints 2"], Float[Tensor, "b t joints"]]:
    """Make the trunk's middle of hips and shoulders where the detector marks only those."""
    new_rays, new_score = rays.clone(), score.clone()
    for joint, parts in DERIVED["coco17", "h36m17"].items():
        if joint == "head":  # marked at the eyes already
            continue
        columns = joints(*parts)
        new_rays[:, :, H36M17.index(joint)] = rays[:, :, columns].mean(2)
        new_score[:, :, H36M17.index(joint)] = score[:, :, columns].amin(2)
    chosen = face_only[:, None, None]
    return torch.where(chosen[..., None], new_rays, rays), torch.where(chosen, new_score, score)


def _spread(
    shape: torch.Size, cut_off: Bool[Tensor, "b t joints"], random: torch.Generator
) -> Float[Tensor, "b t joints"]:
    """Draw how far off each joint is: clips and joints differ, some joints are bad for a while."""
    n, frames, count = shape
    clip = torch.exp(_CLIPS_DIFFER * torch.randn(n, 1, 1, generator=random))
    joint = torch.exp(_JOINTS_DIFFER * torch.randn(n, 1, count, generator=random))
    bad = _spans(shape, 0.06, random)
    much = 1 + 4 * torch.rand(n, 1, count, generator=random) * bad
    spread = _SPREAD * clip * joint * _per_joint(_WORSE, 1.0) * much
    return torch.where(cut_off, spread * 2.5, spread).expand(n, frames, count)


def _spans(
    shape: torch.Size, probability: float, random: torch.Generator
) -> Bool[Tensor, "b t joints"]:
    """Draw, for some joints, a run of frames (often all of the window)."""
    n, frames, count = shape
    chosen = torch.rand(n, 1, count, generator=random) < probability
    edge = torch.rand(2, n, 1, count, generator=random) * 1.6 - 0.3
    time = torch.linspace(0, 1, frames)[:, None] if frames > 1 else torch.full((1, 1), 0.5)
    return chosen & (time >= edge.amin(0)) & (time <= edge.amax(0))


def _correlated(
    shape: torch.Size, correlation: float, random: torch.Generator
) -> Float[Tensor, "b t joints 2"]:
    """Draw noise of unit variance: mostly slow, a little of it new in every frame."""
    fresh = torch.randn(shape, generator=random)
    slow = [fresh[:, 0]]
    for frame in range(1, shape[1]):
        innovation = math.sqrt(1 - correlation**2) * fresh[:, frame]
        slow.append(correlation * slow[-1] + innovation)
    return 0.95 * torch.stack(slow, 1) + 0.3 * torch.randn(shape, generator=random)


def _score(
    spread: Float[Tensor, "b t joints"],
    cut_off: Bool[Tensor, "b t joints"],
    random: torch.Generator,
) -> Float[Tensor, "b t joints"]:
    """Draw scores that fall as noise grows; in a third of the clips they say next to nothing."""
    told = torch.sigmoid(
        4.2 - 0.9 * spread / _SPREAD + 0.7 * torch.randn(spread.shape, generator=random)
    )
    vague = 1 - 0.08 * torch.rand(spread.shape, generator=random)
    is_vague = torch.rand(len(spread), 1, 1, generator=random) < 0.35
    score = torch.where(is_vague, vague, told)
    return torch.where(cut_off, score * torch.rand(score.shape, generator=random), score)


def _flip(
    rays: Float[Tensor, "b t joints 2"], random: torch.Generator
) -> Float[Tensor, "b t joints 2"]:
    """Swap left and right for a run of frames: all of the body, or its legs or arms."""
    n, frames, count = rays.shape[:3]
    when = _spans(torch.Size((n, frames, 1)), 0.035, random)
    part = torch.randint(3, (n, 1, 1), generator=random)
    legs = torch.tensor(["hip" in j or "knee" in j or "ankle" in j for j in H36M17.joints])
    affected = (part == 0) | ((part == 1) & legs) | ((part == 2) & ~legs)
    return torch.where((when & affected.view(n, 1, count))[..., None], rays[:, :, _MIRROR], rays)


def _lose(
    rays: Float[Tensor, "b t joints 2"], score: Float[Tensor, "b t joints"], random: torch.Generator
) -> tuple[Float[Tensor, "b t joints 2"], Float[Tensor, "b t joints"]]:
    """Lose some joints: for a while, when a straight line fills the gap, or altogether."""
    gap = _spans(rays.shape[:3], 0.03, random)
    line = torch.linspace(0, 1, rays.shape[1])[:, None, None]
    filled = torch.lerp(rays[:, :1], rays[:, -1:], line if rays.shape[1] > 1 else line * 0)
    rays = torch.where(gap[..., None], filled, rays)
    gone = torch.rand(len(rays), 1, rays.shape[2], generator=random) < 0.012
    gone[:, :, H36M17.index("pelvis")] = False
    rays = torch.where(gone[..., None], torch.nan, rays)
    return rays, torch.where(gap | gone, 0.0, score)
