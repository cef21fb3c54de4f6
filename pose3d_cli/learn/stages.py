"""What each stage trains, from what, and how it is measured on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import nn

from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.generated_motion import GeneratedMotion
from pose3d_cli.learn.loop import Objective, Validate
from pose3d_cli.learn.material import Material
from pose3d_cli.learn.objectives.selfdistill import SelfDistill, Student
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.probe import probe_error_mm
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.team import Team
from pose3d_cli.learn.upright.objective import (
    UprightObjective,
    held_out_up,
    held_out_views,
)
from pose3d_cli.learn.validate import held_out_error
from pose3d_cli.lift.blocks.encoder import JointEncoder
from pose3d_cli.lift.upright import UprightNet


@dataclass(frozen=True, eq=False)
class Stage:
    """What the loop runs.

    Attributes:
        trained: Its parameters are trained; the lifter, or what wraps it.
        objective: Gives the losses.
        validate: Measures on held-out subjects, given the step.
    """

    trained: nn.Module
    objective: Objective
    validate: Validate


@dataclass(frozen=True, kw_only=True, eq=False)
class StageMaker:
    """Makes the stage that the settings ask for.

    Attributes:
        material: What is learnt from, and what is measured on.
        pretrain: Settings of pre-training.
        device: Where the network is.
        team: The processes that train together.
    """

    material: Material
    pretrain: PretrainSettings
    device: torch.device
    team: Team = field(default_factory=Team)

    def __call__(self, network: nn.Module, settings: TrainSettings) -> Stage:
        """Return the stage of `settings.stage`.

        Raises:
            SettingsError: A lifter that cannot be pre-trained; up from a data set.
        """
        if settings.stage == "upright":
            return self._upright(network, settings)
        if settings.stage == "pretrain":
            return self._pretrain(network, settings)
        return self._finetune(network, settings)

    @property
    def _draw_apart(self) -> bool:
        return self.device.type != "cpu"

    def _finetune(self, network: nn.Module, settings: TrainSettings) -> Stage:
        held_out = self.material.held_out(settings)
        called = self._called(network, settings)

        def validate(step: int) -> dict[str, float]:
            if held_out is None:
                return {}
            over_time = step > settings.single_steps
            return held_out_error(network, held_out, self.device, over_time=over_time)

        objective = self.material.supervised(
            called, settings, processes=self.team.size, draw_apart=self._draw_apart
        )
        return Stage(network, objective, validate)

    def _upright(self, network: nn.Module, settings: TrainSettings) -> Stage:
        assert isinstance(network, UprightNet)
        if not isinstance(self.material, GeneratedMotion):
            raise SettingsError(
                "--stage upright: learns from motion in a world whose up is known; give packed "
                "motion as --data"
            )
        called = self._called(network, settings)
        objective = UprightObjective.from_clips(
            network, called, self.material.labelled(settings), settings, draw_apart=self._draw_apart
        )
        views = held_out_views(self.material.held_out_clips)
        return Stage(network, objective, lambda _step: held_out_up(network, views, self.device))

    def _called(self, network: nn.Module, settings: TrainSettings) -> nn.Module:
        """Return what the objective calls: the network, compiled if asked for."""
        self.team.begin_alike(network)
        if settings.compile:
            return cast(nn.Module, torch.compile(network, dynamic=False))
        return network

    def _pretrain(self, network: nn.Module, settings: TrainSettings) -> Stage:
        if not isinstance(network, JointEncoder):
            raise SettingsError(
                f"--stage pretrain: {settings.lifter} does not embed each joint, so there is "
                "nothing to mask; pre-train dualstream, or train this lifter with --stage finetune"
            )
        is_flat = self.pretrain.target == "coordinates"
        channels = 2 if is_flat else network.embed.out_features
        own_token = self.pretrain.token == "own"
        student = Student(network, channels, own_token=own_token).to(self.device)
        called = self._called(student, settings)
        views = self.material.views(settings, self.pretrain, processes=self.team.size)
        objective = SelfDistill(
            student, views, settings, self.pretrain, called, draw_apart=self._draw_apart
        )
        return Stage(student, objective, self._probe(network, settings))

    def _probe(self, network: JointEncoder, settings: TrainSettings) -> Validate:
        judge = self.material.held_out(settings)
        if judge is None:
            return lambda _step: {}
        fit = self.material.probed(settings)
        return lambda _step: {"probe_mm": probe_error_mm(network, fit, judge, self.device)}
