"""People who go about before cameras that are held askew: windows without end to learn up from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pose3d_cli.errors import InputError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.chance import seed_of
from pose3d_cli.learn.synthetic.bodies import draw_lengths, with_lengths
from pose3d_cli.learn.synthetic.cameras import LOOK_FORWARD, View
from pose3d_cli.learn.synthetic.detector_noise import DetectorNoise
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.motion import LaidClips, joints, recombine, some_mirrored
from pose3d_cli.lift.rotation import about, turn

# Wider than what is measured by `bench upright`, so that nothing there is at the edge.
_PITCH_DEG, _ROLL_DEG = (-25.0, 55.0), (-22.0, 22.0)
_NEAR_M, _FAR_M = 2.0, 10.0
_FOV_DEG = (35.0, 90.0)
_ASPECT = 16 / 9
_OFF_CENTRE = 0.4
_INSIDE = 0.95  # of all joints
_FARTHER, _TRIES = 1.15, 14
_SPEED = (0.8, 1.25)
_SHORTEST = 0.3  # of a window
_FOCAL_OFF = 0.15
_OFTENER = {"walk": 2.0, "sit": 2.0}
_LEGS = (("hip", "knee"), ("knee", "ankle"))


@dataclass(frozen=True, eq=False)
class Windows:
    """What a detector saw, and the truth.

    Attributes:
        rays: NaN where unseen, and in the frames that fill a short window up.
        score: Of joints.
        up: In camera axes, of length one.
    """

    rays: Float[Tensor, "b t joints 2"]
    score: Float[Tensor, "b t joints"]
    up: Float[Tensor, "b 3"]


class Going:
    """Draws windows; equal clips, seed, step and part give equal windows.

    Args:
        clips: Motion in the world, Z up; single poses are left out.
        frames: Of a window.
        rate_hz: Its frames a second.
        seed: Start of the random numbers.
        noise: How the detector errs; None takes what was measured.

    Raises:
        InputError: Nobody moves.
    """

    def __init__(
        self,
        clips: Sequence[MocapClip],
        frames: int,
        rate_hz: float,
        seed: int = 0,
        noise: DetectorNoise | None = None,
    ) -> None:
        moving = [clip for clip in clips if not clip.static]
        if not moving:
            raise InputError("--stage upright learns from people who move; these are single poses")
        self.frames, self.rate_hz, self.seed, self.noise = frames, rate_hz, seed, noise
        self.clips = LaidClips(moving, rate_hz)
        seconds = [len(clip) / clip.fps * _OFTENER.get(clip.category, 1.0) for clip in moving]
        self.weight = torch.tensor(seconds, dtype=torch.float64)
        self.random = torch.Generator()

    def draw(self, windows: int, step: int, part: int) -> Windows:
        """Return the windows of a part of a step's batch."""
        self.random.manual_seed(seed_of(self.seed, step, part))
        pose, shown = self._motion(windows)
        pose = self._other_bodies(pose)
        view, up = self._before_cameras(pose, shown)
        rays, score = detect(view, self.rate_hz, self.random, self.noise)
        rays = rays * self._wrong_focal(windows)
        rays = rays.masked_fill(~shown[..., None, None], torch.nan)
        return Windows(rays, score.masked_fill(~shown[..., None], 0.0), up)

    def _uniform(self, n: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=self.random)

    def _motion(self, n: int) -> tuple[Float[Tensor, "b t joints 3"], Bool[Tensor, "b t"]]:
        """Draw motion, some of it mirrored, and which frames of each window are shown."""
        clip = torch.multinomial(self.weight, n, replacement=True, generator=self.random)
        step = self.clips.step[clip] * self._uniform(n, *_SPEED)
        last = (self.clips.length[clip] - 1).float()
        long = self.frames * self._uniform(n, _SHORTEST, 1.0)
        spare = (last - step * (long - 1)).clamp(min=0)
        first = spare * self._uniform(n, 0.0, 1.0)
        at = torch.arange(self.frames)
        place = first[:, None] + step[:, None] * at
        shown = (at < long[:, None]) & (place <= last[:, None])
        place = torch.minimum(place, last[:, None])
        return some_mirrored(self.clips.at(clip, place), self.random), shown

    def _other_bodies(self, pose: Float[Tensor, "b t joints 3"]) -> Float[Tensor, "b t joints 3"]:
        """Return the motion of people with other bones and, some, with the arms of another.

        Who has longer legs goes farther with the same steps. Legs and trunk stay, for how people
        hold these is what tells where up is.
        """
        arms = pose[torch.randperm(len(pose), generator=self.random)]
        pose = recombine(pose, arms, pose, self.random)
        lengths = draw_lengths(len(pose), self.random)
        body = with_lengths(pose, lengths)
        farther = _legs(body) / _legs(pose)
        return body + pose[:, :, :1] * farther[:, None, None, None]

    def _before_cameras(
        self, pose: Float[Tensor, "b t joints 3"], shown: Bool[Tensor, "b t"]
    ) -> tuple[View, Float[Tensor, "b 3"]]:
        n = len(pose)
        pitch, roll = (torch.deg2rad(self._uniform(n, *r)) for r in (_PITCH_DEG, _ROLL_DEG))
        to_camera = (
            about("z", roll)
            @ about("x", pitch)
            @ torch.tensor(LOOK_FORWARD)
            @ about("z", self._uniform(n, 0.0, 2 * math.pi))
        )
        half = torch.tan(torch.deg2rad(self._uniform(n, *_FOV_DEG) / 2))
        half_picture = torch.stack([half, half / _ASPECT], 1)
        is_upright = self._uniform(n, 0.0, 1.0) < 0.5
        half_picture = torch.where(is_upright[:, None], half_picture.flip(1), half_picture)
        turned = turn(to_camera[:, None], pose)
        middle = (turned[:, :, 0] * shown[..., None]).sum(1) / shown.sum(1, keepdim=True)
        aside = (2 * torch.rand(n, 2, generator=self.random) - 1) * half_picture * _OFF_CENTRE
        towards = torch.cat([aside, torch.ones(n, 1)], 1)
        distance = torch.exp(self._uniform(n, math.log(_NEAR_M), math.log(_FAR_M)))
        around = turned - middle[:, None, None]
        for _ in range(_TRIES):
            xyz = around + (distance[:, None] * towards)[:, None, None]
            distance = torch.where(
                _is_inside(xyz, half_picture, shown), distance, distance * _FARTHER
            )
        xyz = around + (distance[:, None] * towards)[:, None, None]
        view = View(xyz - xyz[:, :, :1], xyz[:, :, 0], half_picture)
        return view, to_camera[:, :, 2]

    def _wrong_focal(self, n: int) -> Float[Tensor, "b 1 1 1"]:
        """Draw by how much the field of view is misjudged; that of half of the cameras is known."""
        off = torch.exp(_FOCAL_OFF * torch.randn(n, generator=self.random))
        known = self._uniform(n, 0.0, 1.0) < 0.5
        return torch.where(known, 1.0, off)[:, None, None, None]


def _legs(pose: Float[Tensor, "b t joints 3"]) -> Float[Tensor, " b"]:
    bones = [
        (pose[:, :, joints(f"{side}_{end}")] - pose[:, :, joints(f"{side}_{start}")]).norm(dim=-1)
        for side in ("left", "right")
        for start, end in _LEGS
    ]
    return torch.cat(bones, -1).mean((1, 2))


def _is_inside(
    xyz: Float[Tensor, "b t joints 3"],
    half_picture: Float[Tensor, "b 2"],
    shown: Bool[Tensor, "b t"],
) -> Bool[Tensor, " b"]:
    rays = xyz[..., :2] / xyz[..., 2:].clamp(min=0.5)
    inside = ((rays.abs() < half_picture[:, None, None]) & (xyz[..., 2:] > 1.0)).all(-1)
    frames = shown.sum(1) * xyz.shape[2]
    return (inside & shown[..., None]).sum((1, 2)) >= _INSIDE * frames
