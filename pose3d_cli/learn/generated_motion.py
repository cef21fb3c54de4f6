"""Packed motion as the material of a run: the generator shows it as a detector would see it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from pose3d_cli.errors import SettingsError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.chance import lot
from pose3d_cli.learn.held_out import HeldOut
from pose3d_cli.learn.keypoint_windows import KeypointWindows, MixedWindows
from pose3d_cli.learn.material import TEST_2D, Provenance
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.pairs import Pairs
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.bodies import STATURE_M
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.synthetic.noise_file import find_noise
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift.normalise import Input

_HELD_OUT_WINDOWS = 64
_PROBE_WINDOWS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratedMotion:
    """Motion of which windows are made without end; see `Material`.

    Attributes:
        clips: Motion of the training subjects.
        held_out_clips: Motion of other subjects.
        frames: Of a window.
        unlabelled: Motion to pre-train on beside `clips`.
    """

    clips: Sequence[MocapClip]
    held_out_clips: Sequence[MocapClip]
    frames: int
    unlabelled: Sequence[MocapClip] = ()

    @property
    def input(self) -> Input:
        """What its windows show."""
        return "rays"

    @property
    def units(self) -> str:
        """The unit of what is to be answered, in the words of a weights file."""
        return "m,root"

    def fitted(self, settings: TrainSettings, processes: int) -> TrainSettings:
        """Return the settings; motion behind a generator has no windows to count.

        Raises:
            InputError, SettingsError: A noise that cannot be read or makes no sense.
            SettingsError: Settings that only a data set gives a meaning.
        """
        del processes
        find_noise(settings.detector_noise)
        for name in ("passes", "stride"):
            if getattr(settings, name):
                raise SettingsError(
                    f"--{name} is about the windows of a data set (--data NAME:PATH); of packed "
                    "motion windows are drawn without end: give --steps"
                )
        return settings

    def supervised(
        self, called: nn.Module, settings: TrainSettings, *, processes: int, draw_apart: bool
    ) -> Supervised:
        """Return the objective of fine-tuning; see `Ahead` for `draw_apart`."""
        del processes  # each part of a batch has random numbers of its own
        clips = self.labelled(settings)
        return Supervised.from_clips(called, clips, self.frames, settings, draw_apart=draw_apart)

    def labelled(self, settings: TrainSettings) -> Sequence[MocapClip]:
        """Return the clips whose 3D is used: the same ones in every run, of all kinds."""
        if settings.labels == 1:
            return self.clips
        by_chance = sorted(self.clips, key=lambda clip: lot(clip.name))
        return by_chance[: math.ceil(settings.labels * len(self.clips))]

    def views(
        self, settings: TrainSettings, pretrain: PretrainSettings, *, processes: int
    ) -> MixedWindows:
        """Return the windows of pre-training, a share of them of one's own keypoints.

        Raises:
            InputError: Keypoints of one's own that cannot be used.
        """
        del processes
        source = GeneratorConfig(
            frames=self.frames,
            rate_hz=settings.rate_hz,
            seed=settings.seed,
            detector=find_noise(settings.detector_noise),
        )
        own = None
        if pretrain.keypoints:
            folder = Path(pretrain.keypoints)
            own = KeypointWindows.from_folder(folder, self.frames, settings.rate_hz)
        generator = Generator([*self.clips, *self.unlabelled], source)
        return MixedWindows(generator, own, pretrain.keypoint_share)

    def held_out(self, settings: TrainSettings) -> HeldOut:
        """Return windows of other people to measure on, their noise the same in every run."""
        rate_hz = settings.rate_hz
        batch = fixed_batch(self.held_out_clips, self.frames, rate_hz, _HELD_OUT_WINDOWS)
        return HeldOut(batch.x, batch.target)

    def probed(self, settings: TrainSettings) -> Pairs:
        """Return windows of the training subjects for a linear probe to be fitted on."""
        return fixed_batch(self.clips, self.frames, settings.rate_hz, _PROBE_WINDOWS)

    def digest(self) -> str:
        """Return a hash of which clips there are, their lengths and where each one goes."""
        clips = [*self.clips, *self.unlabelled]
        told = [(clip.name, len(clip), clip.fps, clip.xyz[::100].tobytes()) for clip in clips]
        return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()

    def provenance(self, settings: TrainSettings, pretrain: PretrainSettings | None) -> Provenance:
        """Return what weights are to say of the data; `pretrain` is None of fine-tuning."""
        licences = sorted({clip.licence for clip in (*self.clips, *self.unlabelled)})
        return Provenance(
            data=self._seen(settings, pretrain),
            licence="; ".join(licences),
            measured_on=f"generated windows of held-out subjects, {_HELD_OUT_WINDOWS} windows, "
            "seed 1234",
            stature_m=STATURE_M,
            more={"detector_noise": json.dumps(asdict(find_noise(settings.detector_noise)))},
        )

    def _seen(self, settings: TrainSettings, pretrain: PretrainSettings | None) -> str:
        noise = find_noise(settings.detector_noise).name
        through = f"through the pose3d generator, detector noise {noise}"
        if pretrain is None:
            return f"{len(self.labelled(settings))} motion clips {through}"
        sources = [f"{len(self.clips)} motion clips {through}, 2D only"]
        if pretrain.keypoints:
            sources.append("keypoints of the user's videos")
        if pretrain.test_2d:
            sources.append(TEST_2D)
        return "; ".join(sources)
