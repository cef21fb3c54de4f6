"""What a 2D detector makes of a person: correlated noise, lost joints, misses, flips, scores."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.learn.synthetic.cameras import View, outside, project
from pose3d_cli.learn.synthetic.detector_noise import DetectorNoise, Flips, Jitter, Lost
from pose3d_cli.learn.synthetic.marks import marked_points, per_joint
from pose3d_cli.learn.synthetic.motion import joints
from pose3d_cli.learn.synthetic.noise_file import measured_noise
from pose3d_cli.pose.skeleton import DERIVED, H36M17

_MIRROR = torch.from_numpy(H36M17.mirror)


def detect(
    view: View, rate_hz: float, random: torch.Generator, noise: DetectorNoise | None = None
) -> tuple[Float[Tensor, "b t joints 2"], Float[Tensor, "b t joints"]]:
    """Return noisy rays and scores of the people in `view`; unseen joints are NaN with score 0.

    Args:
        view: People in front of a camera.
        rate_hz: Its frames a second; noise holds on for a time, not for a number of frames.
        random: Source of chance.
        noise: How the detector errs; None takes what was measured.
    """
    noise = noise or measured_noise()
    face_only = torch.rand(len(view.pose), generator=random) < noise.marks.face_only
    points = marked_points(view.pose, face_only, noise.marks, random) + view.root[:, :, None]
    rays = project(points)
    extent = (rays.amax(2) - rays.amin(2)).amax(-1).clamp(max=4.0)  # (b, t)
    cut_off = outside(view, rays)
    spread = _spread(cut_off, noise, rate_hz, random)
    error = _correlated(rays.shape, noise.jitter, rate_hz, random)
    rays = rays + error * (spread * extent[..., None])[..., None]
    score = _score(spread, cut_off, noise, rate_hz, random)
    rays, score = _derive(rays, score, face_only)
    rays = _flip(rays, noise.flips, rate_hz, random)
    return _lose(rays, score, noise.lost, random)


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
    cut_off: Bool[Tensor, "b t joints"],
    noise: DetectorNoise,
    rate_hz: float,
    random: torch.Generator,
) -> Float[Tensor, "b t joints"]:
    """Draw how far off each joint is: clips and joints differ, some joints are lost for a while."""
    n, frames, count = cut_off.shape
    of, lost = noise.jitter, noise.lost
    clip = torch.exp(of.clips_differ * torch.randn(n, 1, 1, generator=random))
    joint = torch.exp(of.joints_differ * torch.randn(n, 1, count, generator=random))
    worse = lost.worse * torch.exp(lost.differs * torch.randn(n, 1, count, generator=random))
    is_lost = _lost(n, frames, lost, rate_hz, random)
    spread = of.spread * joint * per_joint(of.worse) * torch.where(is_lost, worse, clip)
    return torch.where(cut_off, spread * of.cut_off, spread)


def _lost(
    people: int, frames: int, lost: Lost, rate_hz: float, random: torch.Generator
) -> Bool[Tensor, "b t joints"]:
    """Draw which joints are lost when: in some clips often, in most hardly ever."""
    hard = 3 * torch.rand(people, 1, generator=random) ** 2  # its mean is 1
    share = (hard * per_joint(lost.share)).clamp(max=0.8)
    alone = _bouts(share * (1 - lost.together), frames, lost.lasts_s, rate_hz, random)
    both = _bouts(share * lost.together, frames, lost.lasts_s, rate_hz, random)
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


def _correlated(
    shape: torch.Size, jitter: Jitter, rate_hz: float, random: torch.Generator
) -> Float[Tensor, "b t joints *xy"]:
    """Draw noise of about unit variance: mostly slow, a little of it new in every frame."""
    memory = {kind: math.exp(-1 / (rate_hz * s)) for kind, s in jitter.memory_s.items()}
    kept = per_joint(memory)  # of the slow part, in the next frame
    new = per_joint({kind: math.sqrt(1 - share**2) for kind, share in memory.items()})
    kept, new = (part.view(-1, *[1] * (len(shape) - 3)) for part in (kept, new))
    fresh = torch.randn(shape, generator=random)
    slow = [fresh[:, 0]]
    for frame in range(1, shape[1]):
        slow.append(kept * slow[-1] + new * fresh[:, frame])
    fresh = torch.randn(shape, generator=random)
    return jitter.slow * torch.stack(slow, 1) + jitter.fresh * fresh


def _score(
    spread: Float[Tensor, "b t joints"],
    cut_off: Bool[Tensor, "b t joints"],
    noise: DetectorNoise,
    rate_hz: float,
    random: torch.Generator,
) -> Float[Tensor, "b t joints"]:
    """Draw scores that fall as noise grows, loosely; in some clips they say next to nothing."""
    n, _, count = spread.shape
    of = noise.scores
    mood = of.joints_differ * torch.randn(n, 1, count, generator=random)
    mood = mood + of.frames_differ * _correlated(spread.shape, noise.jitter, rate_hz, random)
    told = torch.sigmoid(of.level - of.slope * torch.log(spread / noise.jitter.spread) + mood)
    vague = 1 - of.vague_below * torch.rand(spread.shape, generator=random)
    is_vague = torch.rand(n, 1, 1, generator=random) < of.vague
    score = torch.where(is_vague, vague, told)
    unsure = torch.rand(score.shape, generator=random)
    return torch.where(cut_off, score * unsure, score) if of.cut_off else score


def _flip(
    rays: Float[Tensor, "b t joints 2"], flips: Flips, rate_hz: float, random: torch.Generator
) -> Float[Tensor, "b t joints 2"]:
    """Swap left and right for a while: of all of the body, or of its legs or arms."""
    share = torch.tensor((flips.body, flips.legs, flips.arms)).expand(len(rays), 3)
    whole, legs, arms = _bouts(share, rays.shape[1], flips.lasts_s, rate_hz, random).unbind(-1)
    of_legs = torch.tensor([j.endswith(("knee", "ankle")) for j in H36M17.joints])
    of_arms = torch.tensor([j.endswith(("elbow", "wrist")) for j in H36M17.joints])
    swapped = whole[..., None] | (legs[..., None] & of_legs) | (arms[..., None] & of_arms)
    return torch.where(swapped[..., None], rays[:, :, _MIRROR], rays)


def _lose(
    rays: Float[Tensor, "b t joints 2"],
    score: Float[Tensor, "b t joints"],
    lost: Lost,
    random: torch.Generator,
) -> tuple[Float[Tensor, "b t joints 2"], Float[Tensor, "b t joints"]]:
    """Lose some joints: for a while, when a straight line fills the gap, or altogether."""
    gap = _spans(rays.shape[:3], lost.gaps, random)
    line = torch.linspace(0, 1, rays.shape[1])[:, None, None]
    filled = torch.lerp(rays[:, :1], rays[:, -1:], line if rays.shape[1] > 1 else line * 0)
    rays = torch.where(gap[..., None], filled, rays)
    gone = torch.rand(len(rays), 1, rays.shape[2], generator=random) < lost.gone
    gone[:, :, H36M17.index("pelvis")] = False
    rays = torch.where(gone[..., None], torch.nan, rays)
    return rays, torch.where(gap | gone, 0.0, score)
