"""Postures that mocap lacks, made of joint angles within human limits, and motion between them.

Angles are in degrees, in the order of `ANGLES`. Axes of the pelvis: x to the right, y forwards,
z up. At zero the person stands, arms hanging. A positive flexion takes a limb forwards (a knee:
backwards), a positive abduction takes it outwards.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from pose3d_cli.lift.rotation import about
from pose3d_cli.pose.skeleton import H36M17

_LIMB = ("flexion", "abduction", "rotation", "hinge")
_TRUNK = ("pitch", "roll", "flexion", "side", "twist", "nod", "turn")
ANGLES = (
    *(f"trunk_{name}" for name in _TRUNK),
    *(f"{side}_leg_{name}" for side in ("left", "right") for name in _LIMB),
    *(f"{side}_arm_{name}" for side in ("left", "right") for name in _LIMB),
)
"""`pitch` and `roll` turn the whole body; the other trunk angles bend it."""

Ranges = tuple[tuple[int, int], ...]

# Trunk ranges: pitch forwards, roll, flexion, side bend, twist, nod, turn of the head.
_UPRIGHT: Ranges = ((-10, 15), (-8, 8), (-10, 30), (-12, 12), (-20, 20), (-20, 35), (-40, 40))
_BENT: Ranges = ((0, 50), (-10, 10), (20, 90), (-20, 20), (-30, 30), (-30, 30), (-40, 40))
_FLAT: Ranges = ((60, 110), (-15, 15), (-20, 30), (-15, 15), (-20, 20), (-40, 30), (-40, 40))
_LYING: Ranges = ((-100, 100), (-90, 90), (-15, 40), (-20, 20), (-30, 30), (-30, 40), (-50, 50))
_LEANING: Ranges = ((0, 80), (-35, 35), (-10, 30), (-20, 20), (-20, 20), (-30, 30), (-30, 30))

# Leg ranges: flexion, abduction, rotation, knee. Arm ranges: the same with the elbow.
_LEGS: Mapping[str, tuple[Ranges, Ranges]] = {
    "sit": (_UPRIGHT, ((60, 110), (-5, 30), (-25, 25), (40, 115))),
    "cross_legged": (_UPRIGHT, ((70, 105), (15, 50), (20, 60), (105, 145))),
    "squat": (_BENT, ((70, 130), (0, 35), (-10, 30), (80, 150))),
    "kneel": (_UPRIGHT, ((-10, 95), (-5, 20), (-15, 15), (75, 150))),
    "bend": (_BENT, ((0, 60), (-5, 20), (-15, 15), (0, 35))),
    "crawl": (_FLAT, ((50, 120), (-5, 20), (-15, 15), (60, 120))),
    "lie": (_LYING, ((-10, 90), (-5, 40), (-30, 30), (0, 110))),
    "stand": (_UPRIGHT, ((-15, 30), (-5, 25), (-20, 20), (0, 40))),
    "balance": (_LEANING, ((-30, 110), (-10, 45), (-25, 25), (0, 110))),
}
_ARMS: Mapping[str, Ranges] = {
    "hang": ((-20, 30), (0, 25), (-40, 40), (0, 50)),
    "front": ((30, 100), (-15, 40), (-40, 60), (0, 130)),
    "overhead": ((110, 180), (-10, 40), (-40, 40), (0, 100)),
    "wide": ((-20, 40), (50, 110), (-60, 60), (0, 110)),
    "hips": ((-30, 20), (20, 55), (20, 80), (60, 120)),
}

_UP, _DOWN = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)


def _table(rows: Mapping[str, Ranges]) -> tuple[Tensor, Tensor]:
    ranges = torch.tensor([list(map(list, row)) for row in rows.values()])
    return ranges[..., 0], ranges[..., 1]


def draw_angles(windows: int, random: torch.Generator) -> Float[Tensor, "b angles"]:
    """Draw one posture a window: trunk and legs of one kind, each arm of its own kind."""
    trunk_low, trunk_high = _table({name: trunk for name, (trunk, _) in _LEGS.items()})
    leg_low, leg_high = _table({name: legs for name, (_, legs) in _LEGS.items()})
    arm_low, arm_high = _table(_ARMS)

    def between(low: Tensor, high: Tensor) -> Tensor:
        return low + (high - low) * torch.rand(low.shape, generator=random)

    kind = torch.randint(len(_LEGS), (windows,), generator=random)
    left = between(leg_low[kind], leg_high[kind])
    right = between(leg_low[kind], leg_high[kind])
    alike = torch.rand(windows, 1, generator=random) < 0.4
    right = torch.where(alike, left + 8 * torch.randn(left.shape, generator=random), right)
    arms = [torch.randint(len(_ARMS), (windows,), generator=random) for _ in range(2)]
    arms[1] = torch.where(torch.rand(windows, generator=random) < 0.5, arms[0], arms[1])
    parts = [between(trunk_low[kind], trunk_high[kind]), left, right]
    return torch.cat([*parts, *(between(arm_low[arm], arm_high[arm]) for arm in arms)], 1)


def draw_postures(
    windows: int, frames: int, seconds: float, random: torch.Generator
) -> Float[Tensor, "b t joints 3"]:
    """Draw windows that move from one posture to another; bones have unit length, Z is up."""
    start, end = draw_angles(windows, random), draw_angles(windows, random)
    # Most windows are shorter than a whole change of posture and see a part of it.
    nearby = torch.rand(windows, 1, generator=random)
    end = torch.lerp(start, end, nearby)
    duration = 0.5 + 2.5 * torch.rand(windows, 1, generator=random)
    offset = torch.rand(windows, 1, generator=random)
    time = torch.linspace(0, seconds, frames) if frames > 1 else torch.zeros(1)
    share = (offset + time / duration).clamp(0, 1.0)
    share = (share * share * (3 - 2 * share))[..., None]  # starts and ends at rest
    return pose_of(torch.deg2rad(torch.lerp(start[:, None], end[:, None], share)))


def pose_of(angles: Float[Tensor, "b t angles"]) -> Float[Tensor, "b t joints 3"]:
    """Return the pose of joint angles in radians: bones of unit length, pelvis at the origin."""
    angle = dict(zip(ANGLES, angles.unbind(-1), strict=True))
    pelvis = about("y", angle["trunk_roll"]) @ about("x", -angle["trunk_pitch"])
    half_bend = about("x", -angle["trunk_flexion"] / 2) @ about("y", angle["trunk_side"] / 2)
    belly = pelvis @ half_bend
    chest = belly @ half_bend @ about("z", angle["trunk_twist"])
    head = chest @ about("z", angle["trunk_turn"]) @ about("x", -angle["trunk_nod"])
    at: dict[str, Tensor] = {"pelvis": torch.zeros_like(angles[..., :3])}

    def grow(joint: str, axes: Tensor, direction: tuple[float, float, float]) -> None:
        step = axes @ torch.tensor(direction, dtype=axes.dtype)
        at[joint] = at[H36M17.parents[joint]] + step / step.norm(dim=-1, keepdim=True)

    grow("spine", pelvis, _UP)
    grow("thorax", belly @ half_bend, _UP)
    grow("nose", head, (0.0, 0.75, 0.66))
    grow("head", head, (0.0, -0.35, 0.94))
    for side, out in (("left", -1.0), ("right", 1.0)):
        grow(f"{side}_hip", pelvis, (out, 0.0, 0.0))
        grow(f"{side}_shoulder", chest, (out, 0.1, -0.3))
        thigh = pelvis @ _limb(angle, f"{side}_leg", out)
        grow(f"{side}_knee", thigh, _DOWN)
        grow(f"{side}_ankle", thigh @ about("x", -angle[f"{side}_leg_hinge"]), _DOWN)
        arm = chest @ _limb(angle, f"{side}_arm", out)
        grow(f"{side}_elbow", arm, _DOWN)
        grow(f"{side}_wrist", arm @ about("x", angle[f"{side}_arm_hinge"]), _DOWN)
    return torch.stack([at[joint] for joint in H36M17.joints], -2)


def _limb(angle: Mapping[str, Tensor], limb: str, out: float) -> Float[Tensor, "b t 3 3"]:
    """Return a limb's axes in those of the trunk; `out` is 1 on the right and -1 on the left."""
    raised = about("x", angle[f"{limb}_flexion"])
    return (
        about("y", -out * angle[f"{limb}_abduction"])
        @ raised
        @ about("z", out * angle[f"{limb}_rotation"])
    )
