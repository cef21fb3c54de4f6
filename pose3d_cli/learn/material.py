"""What a run learns from, as its stages see it: motion behind a generator, or recorded clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import nn

from pose3d_cli.learn.held_out import HeldOut
from pose3d_cli.learn.keypoint_windows import Views
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.pairs import Pairs
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.lift.normalise import Input

TEST_2D = "THE 2D OF THE TEST SUBJECTS"
"""Stands in the headers of weights that have seen it."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What weights say of the data they learnt from.

    Attributes:
        data: What it was, the test subjects' 2D above all.
        licence: Under which the data may be used.
        measured_on: What the figures on the way were measured on.
        stature_m: How tall the people of the answers are.
        more: What else those who use the weights must know.
    """

    data: str
    licence: str
    measured_on: str
    stature_m: float
    more: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Material(Protocol):
    """What a run learns from, and what it is measured on on the way."""

    @property
    def input(self) -> Input:
        """What its windows show: rays, or coordinates of the screen."""
        ...

    @property
    def units(self) -> str:
        """The unit of what is to be answered, in the words of a weights file."""
        ...

    def fitted(self, settings: TrainSettings, processes: int) -> TrainSettings:
        """Return settings in which what the data decide is filled in.

        Args:
            settings: As they were given.
            processes: How many train together.

        Raises:
            SettingsError: Settings that do not go with such data.
        """
        ...

    def supervised(
        self, called: nn.Module, settings: TrainSettings, *, processes: int, draw_apart: bool
    ) -> Supervised:
        """Return the objective of fine-tuning; see `Ahead` for `draw_apart`."""
        ...

    def views(
        self, settings: TrainSettings, pretrain: PretrainSettings, *, processes: int
    ) -> Views:
        """Return the windows of pre-training.

        Raises:
            InputError: Keypoints of one's own that cannot be used.
            SettingsError: Settings that do not go with such data.
        """
        ...

    def held_out(self, settings: TrainSettings) -> HeldOut | None:
        """Return windows of other people to measure on; None if there are none."""
        ...

    def probed(self, settings: TrainSettings) -> Pairs:
        """Return windows of the training subjects for a linear probe to be fitted on."""
        ...

    def digest(self) -> str:
        """Return a hash by which a run that goes on knows its data again."""
        ...

    def provenance(self, settings: TrainSettings, pretrain: PretrainSettings | None) -> Provenance:
        """Return what weights are to say of the data; `pretrain` is None of fine-tuning."""
        ...
