"""Clips of a data set as the material of a run, with the papers' targets and windows.

The clips are kept in memory as float32, 0.4 kB a frame: 0.6 GB for the training split of Human3.6M
(1.56 million frames in four cameras, 17 joints of 6 numbers each). While they are read, the data
set's own arrays are in memory, too.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.chance import lot
from pose3d_cli.learn.clip_tracks import Track, Units
from pose3d_cli.learn.clip_windows import ClipWindows, PassedWindows
from pose3d_cli.learn.held_out import HeldOut
from pose3d_cli.learn.material import TEST_2D, Provenance
from pose3d_cli.learn.objectives.supervised import Supervised, changed
from pose3d_cli.learn.pairs import Pairs, ScreenPairs
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.bodies import STATURE_M
from pose3d_cli.lift.normalise import Input
from pose3d_cli.pose.stature import stature

_PROBE_WINDOWS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedClips:
    """Clips of which each window is seen once in a pass; see `Material`.

    Attributes:
        title: Of the data set.
        terms: Where it is from, and under which terms.
        keypoints: Name of its 2D; "" where it has but one.
        tracks: Its training split, all in the same units.
        frames: Of a window.
        unlabelled: Clips of the test split, to pre-train on their 2D.
        held: Windows of another split, for the curves alone: nothing is chosen by them.
        held_from: Which split these are of, or why there are none, in words.
    """

    title: str
    terms: str
    keypoints: str
    tracks: Sequence[Track]
    frames: int
    unlabelled: Sequence[Track] = ()
    held: HeldOut | None = None
    held_from: str = ""

    def __post_init__(self) -> None:
        found = sorted({track.units for track in self.tracks})
        if len(found) != 1:
            raise InputError(
                f"{self.title}: truth in the units {' and '.join(found) or 'of no clip'}; "
                "a lifter learns one"
            )

    @property
    def input(self) -> Input:
        """What its windows show."""
        return "screen"

    @property
    def units(self) -> Units:
        """The unit of what is to be answered, in the words of a weights file."""
        return self.tracks[0].units

    @property
    def rate_hz(self) -> float:
        """Frames a second of most frames."""
        frames: Counter[float] = Counter()
        for track in self.tracks:
            frames[track.fps] += len(track)
        return frames.most_common(1)[0][0]

    def fitted(self, settings: TrainSettings, processes: int) -> TrainSettings:
        """Return settings with the clips' rate, and the steps that the passes come to.

        Raises:
            SettingsError: Another rate than the clips', or a noise.
            InputError: No window to learn from.
        """
        if settings.rate_hz not in (TrainSettings.rate_hz, self.rate_hz):
            raise SettingsError(
                f"--rate-hz {settings.rate_hz:g}: windows of a data set are cut at its own rate, "
                f"here {self.rate_hz:g} frames a second; leave it out"
            )
        if settings.detector_noise != TrainSettings.detector_noise:
            raise SettingsError(
                f"--detector-noise {settings.detector_noise}: of a data set the 2D is learnt from "
                "as it is; leave it out"
            )
        steps = settings.steps
        if settings.passes:
            of_a_step = settings.batch * settings.accumulate * processes
            windows = len(self.windows(settings))
            steps = max(math.ceil(settings.passes * windows / of_a_step), 1)
        return replace(settings, rate_hz=self.rate_hz, steps=steps)

    def windows(self, settings: TrainSettings) -> ClipWindows:
        """Return the windows of a stage: those with a truth, or for pre-training all.

        Raises:
            InputError: There are none.
        """
        is_pretrained = settings.stage == "pretrain"
        tracks = [*self.tracks, *self.unlabelled] if is_pretrained else self.labelled(settings)
        stride = settings.stride or max(self.frames // 3, 1)
        windows = ClipWindows.lay(tracks, self.frames, stride, need_truth=not is_pretrained)
        if not len(windows):
            raise InputError(
                f"{self.title}: nobody is seen{'' if is_pretrained else ' whose pose is known'} "
                "in its training split, so there is nothing to learn from"
            )
        return windows

    def labelled(self, settings: TrainSettings) -> Sequence[Track]:
        """Return the clips whose 3D is used: all views of the same takes in every run."""
        if settings.labels == 1:
            return self.tracks
        takes = sorted({track.take for track in self.tracks}, key=lot)
        chosen = set(takes[: math.ceil(settings.labels * len(takes))])
        return [track for track in self.tracks if track.take in chosen]

    def supervised(
        self, called: nn.Module, settings: TrainSettings, *, processes: int, draw_apart: bool
    ) -> Supervised:
        """Return the objective of fine-tuning; see `Ahead` for `draw_apart`.

        Steps of single frames pass over the windows, too, and look at a few frames of each.
        """
        windows, parts = self.windows(settings), settings.accumulate * processes
        seed, single_steps = settings.seed, settings.single_steps
        spread = min(settings.single_spread, self.frames)
        single = PassedWindows(
            windows, seed=seed, batch=settings.single_batch, parts=parts, spread=spread
        )
        whole = PassedWindows(windows, seed=seed + 1, batch=settings.batch, parts=parts)

        def draw(step: int, part: int) -> Pairs:
            alone = step < single_steps
            source = single if alone else whole
            source.begin(step if alone else step - single_steps, part)
            batch = source.draw(source.batch)
            return changed(batch, settings, source.random, alone=alone)

        batches = Ahead(draw, parts=settings.accumulate, apart=draw_apart)
        return Supervised(
            called, batches, settings, "screen_" if self.units == "screen,root" else ""
        )

    def views(
        self, settings: TrainSettings, pretrain: PretrainSettings, *, processes: int
    ) -> PassedWindows:
        """Return the windows of pre-training.

        Raises:
            InputError: There are none.
            SettingsError: Keypoints of one's own, which are mixed into generated windows only.
        """
        if pretrain.keypoints:
            raise SettingsError(
                f"--keypoints {pretrain.keypoints}: videos of your own go with packed motion, "
                "whose windows show rays as theirs do; a data set is learnt from alone"
            )
        return PassedWindows(
            self.windows(settings),
            seed=settings.seed,
            batch=settings.batch,
            parts=settings.accumulate * processes,
        )

    def held_out(self, settings: TrainSettings) -> HeldOut | None:
        """Return windows of other people to measure on; None if there are none."""
        del settings
        return self.held

    def probed(self, settings: TrainSettings) -> ScreenPairs:
        """Return windows of the training subjects for a linear probe to be fitted on."""
        windows = self.windows(replace(settings, stage="finetune"))
        some = np.linspace(0, len(windows) - 1, min(_PROBE_WINDOWS, len(windows)))
        return windows.cut(np.rint(some).astype(np.int64))

    def digest(self) -> str:
        """Return a hash of which clips there are, their lengths, their 2D and their truth."""
        told = hashlib.sha256()
        for track in (*self.tracks, *self.unlabelled):
            told.update(f"{track.name} {len(track)} {track.fps} {track.units}".encode())
            for values in (track.x, track.target):
                told.update(values[::100].tobytes())
        return told.hexdigest()

    def provenance(self, settings: TrainSettings, pretrain: PretrainSettings | None) -> Provenance:
        """Return what weights are to say of the data; `pretrain` is None of fine-tuning."""
        return Provenance(
            data=self._seen(settings, is_pretrained=pretrain is not None),
            licence=f"{self.title}: {self.terms}",
            measured_on=self.held_from,
            stature_m=self._stature_m(),
            more=self._unit(),
        )

    def _seen(self, settings: TrainSettings, *, is_pretrained: bool) -> str:
        windows = self.windows(settings)
        tracks = self.tracks if is_pretrained else windows.tracks
        rates = sorted({track.fps for track in self.tracks})
        words = [
            f"{self.title}, train ({len(tracks)} clips)",
            *([f"2D {self.keypoints}"] if self.keypoints else []),
            f"{len(windows)} windows of {self.frames} frames",
            f"{' and '.join(f'{rate:g}' for rate in rates)} frames a second",
        ]
        if not is_pretrained:
            return ", ".join(words)
        beside = f"; {TEST_2D} ({len(self.unlabelled)} clips)" if self.unlabelled else ""
        return ", ".join([*words, "2D only"]) + beside

    def _stature_m(self) -> float:
        """Return the usual height of those whose size is learnt; that of our people otherwise."""
        if self.units != "m,root":
            return STATURE_M
        tall = [stature(track.target) for track in self.tracks]
        known = [height for height in tall if np.isfinite(height)]
        return round(float(np.median(known)), 3) if known else STATURE_M

    def _unit(self) -> dict[str, str]:
        if self.units != "screen,root":
            return {}
        track = self.tracks[0]
        if track.axes == "picture" or track.metres_per_unit is None:
            unit = "half the picture's width, at the depth of the pelvis"
        else:
            unit = f"{track.metres_per_unit[0]:g} m"
        return {"axes": track.axes, "unit": unit}
