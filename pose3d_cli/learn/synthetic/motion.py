"""Windows of mocap, and new motion made of them: limbs of other clips, bent trunks, swung limbs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.lift.rotation import about_axis, turn, unit
from pose3d_cli.pose.skeleton import H36M17

_FLIP_X = (-1.0, 1.0, 1.0)
_RARE = {"sit": 4.0, "lie": 4.0}
"""Categories of which mocap has little are drawn this much more often."""

Pose = Float[Tensor, "b t joints 3"]


def joints(*names: str) -> list[int]:
    """Return the places of joints by name."""
    return [H36M17.index(name) for name in names]


_ARMS = joints("left_elbow", "left_wrist", "right_elbow", "right_wrist")
_LEGS = joints("left_knee", "left_ankle", "right_knee", "right_ankle")
ABOVE_SPINE = joints(
    "thorax", "nose", "head", "left_shoulder", "left_elbow", "left_wrist",
    "right_shoulder", "right_elbow", "right_wrist",
)  # fmt: skip
_CHAINS = (
    ("left_hip", ("left_knee", "left_ankle")),
    ("right_hip", ("right_knee", "right_ankle")),
    ("left_shoulder", ("left_elbow", "left_wrist")),
    ("right_shoulder", ("right_elbow", "right_wrist")),
    ("left_knee", ("left_ankle",)),
    ("right_knee", ("right_ankle",)),
    ("left_elbow", ("left_wrist",)),
    ("right_elbow", ("right_wrist",)),
    ("thorax", ("nose", "head")),
)


class LaidClips:
    """Clips laid end to end, which are looked up at any place.

    Args:
        clips: At least one.
        rate_hz: Frames a second that are asked for.

    Attributes:
        length: Frames of each clip.
        step: Frames of each clip from one frame that is asked for to the next, at its own speed.
    """

    def __init__(self, clips: Sequence[MocapClip], rate_hz: float) -> None:
        self.poses = torch.cat([torch.from_numpy(clip.xyz).float() for clip in clips])
        self.length = torch.tensor([len(clip) for clip in clips])
        self.start = self.length.cumsum(0) - self.length
        self.step = torch.tensor([clip.fps / rate_hz for clip in clips])

    def at(self, clip: Int[Tensor, " b"], place: Float[Tensor, "b t"]) -> Pose:
        """Return the poses at some places of each of some clips, by straight lines.

        Args:
            clip: Numbers of clips.
            place: In frames, from 0 to the last one.
        """
        low = place.floor().long()
        high = torch.minimum(low + 1, self.length[clip][:, None] - 1)
        share = (place - low)[..., None, None]
        start = self.start[clip][:, None]
        return torch.lerp(self.poses[start + low], self.poses[start + high], share)


def some_mirrored(pose: Pose, random: torch.Generator) -> Pose:
    """Return half of the windows as they are and the others mirrored, left and right exchanged."""
    mirrored = pose[:, :, torch.from_numpy(H36M17.mirror)] * torch.tensor(_FLIP_X)
    return _some(mirrored, pose, 0.5, random)


class MocapWindows:
    """Windows that are cut from clips at any speed.

    Args:
        clips: At least one.
        frames: Length of a window.
        rate_hz: Frames a second of a window.
    """

    def __init__(self, clips: Sequence[MocapClip], frames: int, rate_hz: float) -> None:
        self.frames = frames
        self.clips = LaidClips(clips, rate_hz)
        weight = [len(clip) * _RARE.get(clip.category, 1.0) for clip in clips]
        self.weight = torch.tensor(weight, dtype=torch.float64)

    def draw(self, windows: int, random: torch.Generator) -> Pose:
        """Draw windows: any clip, speed 0.6 to 1.5, forwards or backwards, as seen or mirrored."""
        clip = torch.multinomial(self.weight, windows, replacement=True, generator=random)
        step = self.clips.step[clip] * (0.6 + 0.9 * torch.rand(windows, generator=random))
        last = (self.clips.length[clip] - 1).float()
        spare = (last - step * (self.frames - 1)).clamp(min=0)
        first = spare * torch.rand(windows, generator=random)
        place = first[:, None] + step[:, None] * torch.arange(self.frames)
        place = torch.minimum(place, last[:, None])
        backwards = torch.rand(windows, generator=random) < 0.5
        place = torch.where(backwards[:, None], place.flip(1), place)
        return some_mirrored(self.clips.at(clip, place), random)


def _some(new: Pose, old: Pose, probability: float, random: torch.Generator) -> Pose:
    """Return `new` in some windows and `old` in the others."""
    chosen = torch.rand(len(old), generator=random) < probability
    return torch.where(chosen[:, None, None, None], new, old)


def chest_axes(pose: Pose) -> Float[Tensor, "b t 3 3"]:
    """Return the chest's axes as columns: x to the left, y backwards, z up the spine."""
    across = pose[:, :, H36M17.index("left_shoulder")] - pose[:, :, H36M17.index("right_shoulder")]
    return _axes(across, pose[:, :, H36M17.index("thorax")] - pose[:, :, H36M17.index("spine")])


def hip_axes(pose: Pose) -> Float[Tensor, "b t 3 3"]:
    """Return the pelvis' axes as columns: x to the left, y backwards, z up the spine."""
    across = pose[:, :, H36M17.index("left_hip")] - pose[:, :, H36M17.index("right_hip")]
    return _axes(across, pose[:, :, H36M17.index("spine")] - pose[:, :, H36M17.index("pelvis")])


def _axes(x: Tensor, near_z: Tensor) -> Tensor:
    x = unit(x)
    y = unit(torch.linalg.cross(near_z, x))
    return torch.stack([x, y, torch.linalg.cross(x, y)], -1)


def recombine(body: Pose, arms: Pose, legs: Pose, random: torch.Generator) -> Pose:
    """Hang the arms of one window and the legs of another on the trunk of a third, in some."""
    with_arms = _graft(body, arms, chest_axes(body) @ chest_axes(arms).transpose(-1, -2), _ARMS)
    body = _some(with_arms, body, 0.5, random)
    with_legs = _graft(body, legs, hip_axes(body) @ hip_axes(legs).transpose(-1, -2), _LEGS)
    return _some(with_legs, body, 0.35, random)


def _graft(body: Pose, donor: Pose, rotation: Tensor, chain: Sequence[int]) -> Pose:
    new = list(body.unbind(2))
    for joint in chain:
        parent = int(H36M17.parent_index[joint])
        bone = (donor[:, :, joint] - donor[:, :, parent])[..., None]
        new[joint] = new[parent] + (rotation @ bone)[..., 0]
    return torch.stack(new, 2)


def bend_and_swing(pose: Pose, random: torch.Generator) -> Pose:
    """Bend the trunk of some windows, and swing some limbs, slowly and about random axes."""
    axis = unit(torch.randn(len(pose), 3, generator=random) * torch.tensor([1.0, 1.0, 0.5]))
    pose = _swing(pose, "spine", ABOVE_SPINE, axis, 0.45, 0.35, random)
    for pivot, chain in _CHAINS:
        axis = unit(torch.randn(len(pose), 3, generator=random))
        reach = 0.2 if pivot == "thorax" else 0.32
        pose = _swing(pose, pivot, joints(*chain), axis, reach, 0.35, random)
    return pose


def _swing(
    pose: Pose,
    pivot: str,
    chain: Sequence[int],
    axis: Float[Tensor, "b 3"],
    reach: float,
    probability: float,
    random: torch.Generator,
) -> Pose:
    """Turn `chain` about `pivot` by a fixed angle plus a slow wave, in some windows."""
    angle = slow_wave(len(pose), pose.shape[1], random) * reach
    angle = angle * (torch.rand(len(pose), 1, generator=random) < probability)
    rotation = about_axis(axis[:, None].expand(-1, pose.shape[1], -1), angle)
    centre = pose[:, :, H36M17.index(pivot)][:, :, None]
    new = pose.clone()
    new[:, :, chain] = turn(rotation, pose[:, :, chain] - centre) + centre
    return new


def slow_wave(windows: int, frames: int, random: torch.Generator) -> Float[Tensor, "b t"]:
    """Return an offset plus a wave of up to one period a window, each of unit variance or so."""
    normal = torch.randn(3, windows, 1, generator=random)
    phase = torch.rand(2, windows, 1, generator=random)
    time = torch.linspace(0, 1, frames) if frames > 1 else torch.zeros(1)
    return normal[0] + 0.8 * normal[1] * torch.sin(2 * torch.pi * (phase[0] * time + phase[1]))
