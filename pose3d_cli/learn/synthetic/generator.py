"""Training pairs without end: noisy 2D rays in, 3D poses of people of known stature out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.chance import seed_of
from pose3d_cli.learn.synthetic.bodies import draw_lengths, with_lengths
from pose3d_cli.learn.synthetic.cameras import View, look_at, project
from pose3d_cli.learn.synthetic.detector_noise import DetectorNoise
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.motion import MocapWindows, bend_and_swing, recombine
from pose3d_cli.learn.synthetic.noise_file import measured_noise
from pose3d_cli.learn.synthetic.postures import draw_postures
from pose3d_cli.lift.normalise import rays_to_input
from pose3d_cli.lift.rotation import turn, turn_back


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Settings of the generator."""

    frames: int = 27
    """Frames of a window."""
    rate_hz: float = 25.0
    """Frames a second of a window."""
    postures: float = 0.2
    """Share of windows that are made of joint angles, not of mocap."""
    recombine: bool = True
    """Whether limbs are exchanged between clips, trunks bent and limbs swung."""
    noise: bool = True
    """Whether a detector's errors are added; without, the rays are those of the true joints."""
    detector: DetectorNoise = field(default_factory=measured_noise)
    """How that detector errs."""
    seed: int = 0
    """Start of the random numbers."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.rate_hz <= 0:
            raise ValueError(f"frames ({self.frames}) and rate_hz ({self.rate_hz}) must be above 0")
        if not 0 <= self.postures <= 1:
            raise ValueError(f"postures ({self.postures}) must be between 0 and 1")


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows to learn from.

    Attributes:
        x: Input of a network: rays normalised by `rays_to_input`, and scores.
        target: Joints relative to the pelvis, metres, in the turned camera's axes.
        rays: The rays before normalisation.
        score: Scores of the joints.
        rotation: From camera axes to the axes of `x` and `target`.
    """

    x: Float[Tensor, "b t joints 3"]
    target: Float[Tensor, "b t joints 3"]
    rays: Float[Tensor, "b t joints 2"]
    score: Float[Tensor, "b t joints"]
    rotation: Float[Tensor, "b t 3 3"]

    @classmethod
    def of(
        cls,
        rays: Float[Tensor, "b t joints 2"],
        score: Float[Tensor, "b t joints"],
        pose: Float[Tensor, "b t joints 3"],
    ) -> Batch:
        """Return windows of what a detector saw of poses (metres, camera axes)."""
        x, rotation = rays_to_input(rays, score)
        return cls(x, turn(rotation, pose), rays, score, rotation)

    @property
    def pose(self) -> Float[Tensor, "b t joints 3"]:
        """Joints relative to the pelvis, metres, camera axes."""
        return turn_back(self.rotation, self.target)

    def at(self, index: Int[Tensor, "b t2"]) -> Batch:
        """Return each window with other frames of itself: those whose places are given."""
        rows = torch.arange(len(index))[:, None]
        return Batch.of(self.rays[rows, index], self.score[rows, index], self.pose[rows, index])

    def hiding(self, gone: Bool[Tensor, "b joints"]) -> Batch:
        """Return windows in which some joints are never seen, turned about what is left."""
        rays = self.rays.masked_fill(gone[:, None, :, None], torch.nan)
        score = self.score.masked_fill(gone[:, None], 0.0)
        return Batch.of(rays, score, self.pose)


class Generator:
    """Draws batches; equal settings and clips give equal batches in equal order."""

    def __init__(self, clips: Sequence[MocapClip], config: GeneratorConfig) -> None:
        self.config = config
        self.random = torch.Generator().manual_seed(config.seed)
        self.mocap = MocapWindows(clips, config.frames, config.rate_hz)

    def begin(self, step: int, part: int) -> None:
        """Go to the random numbers of a part of a step's batch, whatever was drawn before.

        A run that is resumed, or shared out among processes, draws the same batches so.
        """
        self.random.manual_seed(seed_of(self.config.seed, step, part))

    def draw(self, windows: int) -> Batch:
        """Return the next `windows` windows."""
        view = self.views(windows)
        if self.config.noise:
            rays, score = detect(view, self.config.rate_hz, self.random, self.config.detector)
        else:
            rays = project(view.pose + view.root[:, :, None])
            score = torch.ones(rays.shape[:-1])
        return Batch.of(rays, score, view.pose)

    def views(self, windows: int) -> View:
        """Return the next people before their cameras, as no detector sees them."""
        pose = self._motion(windows)
        pose = with_lengths(pose, draw_lengths(windows, self.random))
        return look_at(pose, self.random)

    def _motion(self, windows: int) -> Float[Tensor, "b t joints 3"]:
        pose = self.mocap.draw(windows, self.random)
        made = round(windows * self.config.postures)
        if made:
            seconds = (self.config.frames - 1) / self.config.rate_hz
            pose[:made] = draw_postures(made, self.config.frames, seconds, self.random)
        if not self.config.recombine:
            return pose
        order = torch.randperm(windows, generator=self.random)
        other = torch.randperm(windows, generator=self.random)
        pose = recombine(pose, pose[order], pose[other], self.random)
        return bend_and_swing(pose, self.random)
