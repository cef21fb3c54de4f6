"""What each stage trains, from what, and how it is measured on the way."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import nn

from pose3d_cli.errors import SettingsError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.keypoint_windows import KeypointWindows, MixedWindows
from pose3d_cli.learn.loop import Objective, Validate
from pose3d_cli.learn.objectives.selfdistill import SelfDistill, Student
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.probe import probe_error_mm
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.team import Team
from pose3d_cli.learn.validate import fixed_batch, held_out_error
from pose3d_cli.lift.blocks.encoder import JointEncoder
from pose3d_cli.lift.shelf import window_frames

VALIDATION_WINDOWS = 64
_PROBE_WINDOWS = 256


@dataclass(frozen=True, eq=False)
class Stage:
    """What the loop runs.

    Attributes:
        trained: Its parameters are trained; the lifter, or what wraps it.
        called: What the objective calls: the same, perhaps compiled and shared among processes.
        objective: Gives the losses.
        validate: Measures on held-out subjects, given the step.
    """

    trained: nn.Module
    called: nn.Module
    objective: Objective
    validate: Validate


@dataclass(frozen=True, kw_only=True, eq=False)
class StageMaker:
    """Makes the stage that the settings ask for.

    Attributes:
        clips: Motion of the training subjects.
        held_out: Motion of other subjects.
        pretrain: Settings of pre-training.
        device: Where the network is.
        unlabelled: Motion to pre-train on beside `clips`.
        team: The processes that train together.
    """

    clips: Sequence[MocapClip]
    held_out: Sequence[MocapClip]
    pretrain: PretrainSettings
    device: torch.device
    unlabelled: Sequence[MocapClip] = ()
    team: Team = field(default_factory=Team)

    def __call__(self, network: nn.Module, settings: TrainSettings) -> Stage:
        """Return the stage of `settings.stage`.

        Raises:
            SettingsError: A lifter that cannot be pre-trained.
        """
        if settings.stage == "pretrain":
            return self._pretrain(network, settings)
        return self._finetune(network, settings)

    def _finetune(self, network: nn.Module, settings: TrainSettings) -> Stage:
        frames = window_frames(network)
        batch = fixed_batch(self.held_out, frames, settings.rate_hz, VALIDATION_WINDOWS)
        called = self._called(network, settings)
        return Stage(
            network,
            called,
            Supervised.from_clips(
                called,
                self.labelled(settings),
                frames,
                settings,
                draw_apart=self.device.type != "cpu",
            ),
            lambda step: held_out_error(
                network, batch, self.device, over_time=step > settings.single_steps
            ),
        )

    def labelled(self, settings: TrainSettings) -> Sequence[MocapClip]:
        """Return the clips whose 3D is used: the same ones in every run, of all kinds."""
        if settings.labels == 1:
            return self.clips
        by_chance = sorted(self.clips, key=lambda c: hashlib.sha256(c.name.encode()).digest())
        return by_chance[: math.ceil(settings.labels * len(self.clips))]

    def _called(self, network: nn.Module, settings: TrainSettings) -> nn.Module:
        if settings.compile:
            network = cast(nn.Module, torch.compile(network, dynamic=False))
        return self.team.share(network, self.device)

    def _pretrain(self, network: nn.Module, settings: TrainSettings) -> Stage:
        if not isinstance(network, JointEncoder):
            raise SettingsError(
                f"--stage pretrain: {settings.lifter} does not embed each joint, so there is "
                "nothing to mask; pre-train dualstream, or train this lifter with --stage finetune"
            )
        frames, rate_hz = window_frames(network), settings.rate_hz
        is_flat = self.pretrain.target == "coordinates"
        channels = 2 if is_flat else network.embed.out_features
        own_token = self.pretrain.token == "own"
        student = Student(network, channels, own_token=own_token).to(self.device)
        called = self._called(student, settings)
        source = GeneratorConfig(frames=frames, rate_hz=rate_hz, seed=settings.seed)
        own = None
        if self.pretrain.keypoints:
            own = KeypointWindows.from_folder(Path(self.pretrain.keypoints), frames, rate_hz)
        generator = Generator([*self.clips, *self.unlabelled], source)
        fit = fixed_batch(self.clips, frames, rate_hz, _PROBE_WINDOWS)
        judge = fixed_batch(self.held_out, frames, rate_hz, VALIDATION_WINDOWS)
        return Stage(
            student,
            called,
            SelfDistill(
                student,
                MixedWindows(generator, own, self.pretrain.keypoint_share),
                settings,
                self.pretrain,
                called,
                draw_apart=self.device.type != "cpu",
            ),
            lambda _step: {"probe_mm": probe_error_mm(network, fit, judge, self.device)},
        )
