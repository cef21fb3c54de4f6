"""What a 2D detector makes of a person: correlated noise, lost joints, misses, flips, scores."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.learn.synthetic.cameras import View, outside, project
from pose3d_cli.learn.synthetic.marks import marked_points, per_joint
from pose3d_cli.learn.synthetic.motion import joints
from pose3d_cli.pose.skeleton import DERIVED, H36M17

_MIRROR = torch.from_numpy(H36M17.mirror)
_FACE_ONLY = 0.8
"""Share of clips whose detector knows no neck and no crown: shoulders and eyes stand in."""

# Noise of a joint as a share of the person's extent in the picture: median over clips, an axis.
_SPREAD = 0.008
_WORSE = {"wrist": 1.2, "elbow": 1.2, "knee": 1.1, "ankle": 1.1, "shoulder": 0.9}
_CLIPS_DIFFER = 0.5
_JOINTS_DIFFER = 0.35
_MEMORY_S = 0.246
"""Time in which the slow part of the noise falls to 1/e of what it was."""

# Now and then a joint is lost for a while: marked on another limb, or on the background.
_LOST_SHARE = {"wrist": 0.16, "elbow": 0.12, "knee": 0.12, "ankle": 0.13, "shoulder": 0.07}
_LOST_ELSE = 0.03
_LOST_S = 0.35
_LOST_WORSE, _LOST_DIFFERS = 6.5, 0.6
_TOGETHER = 0.5
"""Share of the time for which the two joints of a limb are lost together."""
_VAGUE = 0.3
"""Share of clips whose scores say next to nothing."""
# Left and right are taken for each other: of the whole body, of the legs, of the arms.
_FLIPPED_SHARE, _FLIPPED_S = (0.02, 0.02, 0.006), 0.5


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
    points = marked_points(view.pose, face_only, random) + view.root[:, :, None]
    rays = project(points)
    extent = (rays.amax(2) - rays.amin(2)).amax(-1).clamp(max=4.0)  # (b, t)
    cut_off = outside(view, rays)
    spread = _spread(cut_off, rate_hz, random)
    noise = _correlated(rays.shape, _memory(rate_hz), random)
    rays = rays + noise * (spread * extent[..., None])[..., None]
    score = _score(spread, cut_off, rate_hz, random)
    rays, score = _derive(rays, score, face_only)
    rays = _flip(rays, rate_hz, random)
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
    cut_off: Bool[Tensor, "b t joints"], rate_hz: float, random: torch.Generator
) -> Float[Tensor, "b t joints"]:
    """Draw how far off each joint is: clips and joints differ, some joints are lost for a while."""
    n, frames, count = cut_off.shape
    clip = torch.exp(_CLIPS_DIFFER * torch.randn(n, 1, 1, generator=random))
    joint = torch.exp(_JOINTS_DIFFER * torch.randn(n, 1, count, generator=random))
    worse = _LOST_WORSE * torch.exp(_LOST_DIFFERS * torch.randn(n, 1, count, generator=random))
    lost = _lost(n, frames, rate_hz, random)
    spread = _SPREAD * joint * per_joint(_WORSE, 1.0) * torch.where(lost, worse, clip)
    return torch.where(cut_off, spread * 2.5, spread)


def _lost(
    people: int, frames: int, rate_hz: float, random: torch.Generator
) -> Bool[Tensor, "b t joints"]:
    """Draw which joints are lost when: in some clips often, in most hardly ever."""
    hard = 3 * torch.rand(people, 1, generator=random) ** 2  # its mean is 1
    share = (hard * per_joint(_LOST_SHARE, _LOST_ELSE)).clamp(max=0.8)
    alone = _bouts(share * (1 - _TOGETHER), frames, _LOST_S, rate_hz, random)
    both = _bouts(share * _TOGETHER, frames, _LOST_S, rate_hz, random)
    for upper, lower in (("elbow", "wrist"), ("knee", "ankle")):
        for side in ("left", "right"):
            both[:, :, joints(f"{side}_{upper}")] = both[:, :, joints(f"{side}_{lower}")]
    return alone | both


def _bouts(
    share: Float[Tensor, "b kinds"],
    frames: int,
    seconds: float,
    rate_hz: float,
    random: torch.Generator,
) -> Bool[Tensor, "b t kinds"]:
    """Draw when something is so that comes and goes, for `share` of the time.

    It lasts `seconds` in the mean, with every further moment as likely as the last.
    """
    ends = 1 - math.exp(-1 / (rate_hz * seconds))
    begins = ends * share / (1 - share)
    chance = torch.rand(len(share), frames, share.shape[1], generator=random)
    is_so = [chance[:, 0] < share]
    for frame in range(1, frames):
        is_so.append(torch.where(is_so[-1], chance[:, frame] >= ends, chance[:, frame] < begins))
    return torch.stack(is_so, 1)


def _spans(
    shape: torch.Size, probability: float, random: torch.Generator
) -> Bool[Tensor, "b t joints"]:
    """Draw, for some joints, a run of frames (often all of the window)."""
    n, frames, count = shape
    chosen = torch.rand(n, 1, count, generator=random) < probability
    edge = torch.rand(2, n, 1, count, generator=random) * 1.6 - 0.3
    time = torch.linspace(0, 1, frames)[:, None] if frames > 1 else torch.full((1, 1), 0.5)
    return chosen & (time >= edge.amin(0)) & (time <= edge.amax(0))


def _memory(rate_hz: float) -> float:
    """Return how much of the slow noise is left in the next frame."""
    return math.exp(-1 / (rate_hz * _MEMORY_S))


def _correlated(
    shape: torch.Size, correlation: float, random: torch.Generator
) -> Float[Tensor, "b t joints *xy"]:
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
    rate_hz: float,
    random: torch.Generator,
) -> Float[Tensor, "b t joints"]:
    """Draw scores that fall as noise grows, loosely; in some clips they say next to nothing."""
    n, _, count = spread.shape
    mood = 1.5 * torch.randn(n, 1, count, generator=random)
    mood = mood + 1.2 * _correlated(spread.shape, _memory(rate_hz), random)
    told = torch.sigmoid(2.4 - 1.8 * torch.log(spread / _SPREAD) + mood)
    vague = 1 - 0.08 * torch.rand(spread.shape, generator=random)
    is_vague = torch.rand(n, 1, 1, generator=random) < _VAGUE
    score = torch.where(is_vague, vague, told)
    return torch.where(cut_off, score * torch.rand(score.shape, generator=random), score)


def _flip(
    rays: Float[Tensor, "b t joints 2"], rate_hz: float, random: torch.Generator
) -> Float[Tensor, "b t joints 2"]:
    """Swap left and right for a while: of all of the body, or of its legs or arms."""
    share = torch.tensor(_FLIPPED_SHARE).expand(len(rays), 3)
    whole, legs, arms = _bouts(share, rays.shape[1], _FLIPPED_S, rate_hz, random).unbind(-1)
    of_legs = torch.tensor([j.endswith(("knee", "ankle")) for j in H36M17.joints])
    of_arms = torch.tensor([j.endswith(("elbow", "wrist")) for j in H36M17.joints])
    swapped = whole[..., None] | (legs[..., None] & of_legs) | (arms[..., None] & of_arms)
    return torch.where(swapped[..., None], rays[:, :, _MIRROR], rays)


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
