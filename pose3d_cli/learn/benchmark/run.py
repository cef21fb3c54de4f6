"""Lifters over the clips of a data set: each clip is made once, and all lift it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from pose3d_cli.errors import InputError
from pose3d_cli.learn.benchmark.answer import answer, laying_for
from pose3d_cli.learn.benchmark.evaluation import Evaluation
from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol, Laying
from pose3d_cli.learn.benchmark.score import ClipScore, score_clip
from pose3d_cli.learn.clip import Clip, Dataset, Split
from pose3d_cli.learn.header import notes_on_test_2d
from pose3d_cli.lift import weights
from pose3d_cli.lift.windowed import WindowedLifter


@runtime_checkable
class Steps(Protocol):
    """Whoever is told of progress."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage."""
        ...

    def advance(self) -> None:
        """Count a clip."""
        ...


@dataclass(frozen=True, kw_only=True)
class EvalSettings:
    """How to measure.

    Attributes:
        split: Of the data set.
        mirror: Lift the mirror image too and take the mean.
        laying: How windows are laid; None as the protocol says.
        limit: Measure so many clips only, from the first; 0 for all.
        seed: Of data sets drawn by chance.
    """

    split: Split = "test"
    mirror: bool = True
    laying: Laying | None = None
    limit: int = 0
    seed: int = 1234


@dataclass(kw_only=True)
class _Tally:
    """What one lifter gave so far."""

    label: str
    file: Path
    lifter: WindowedLifter
    clips: list[ClipScore] = field(default_factory=list)
    seconds: float = 0.0
    laying: set[str] = field(default_factory=set)

    def take(self, clip: Clip, protocol: BenchmarkProtocol) -> None:
        """Lift a clip and measure the answer."""
        started = time.perf_counter()
        xyz, stretch = answer(self.lifter, clip, protocol)
        self.seconds += time.perf_counter() - started
        self.laying.add(laying_for(self.lifter, clip.keypoints.fps, protocol))
        self.clips.append(score_clip(clip, xyz, stretch, protocol))


def evaluate(
    files: Sequence[Path],
    dataset: Dataset,
    name: str,
    keypoints: str,
    protocol: BenchmarkProtocol,
    settings: EvalSettings,
    *,
    device: torch.device,
    steps: Steps,
) -> list[Evaluation]:
    """Measure weights on a data set.

    Args:
        files: Weights.
        dataset: Gives the clips.
        name: Of the data set.
        keypoints: Which 2D it gives.
        protocol: What is measured, and how.
        settings: What else.
        device: Where to compute.
        steps: Told of each clip.

    Raises:
        InputError: No clip to measure, or one that these weights cannot lift.
        WeightsError: Weights that cannot be loaded.
    """
    if settings.laying:
        protocol = replace(protocol, laying=settings.laying)
    labels = _labels(files)
    tallies = [
        _Tally(
            label=label,
            file=file,
            lifter=WindowedLifter.from_file(file, device, mirror=settings.mirror),
        )
        for label, file in zip(labels, files, strict=True)
    ]
    steps.stage("evaluate", settings.limit or None)
    for clip in _measured(dataset, protocol, settings):
        for tally in tallies:
            tally.take(clip, protocol)
        steps.advance()
    if not tallies or not tallies[0].clips:
        raise InputError(f"{name}: no clip to measure in the split {settings.split!r}")
    own = _notes_of(dataset, settings.split)
    return [_evaluation(tally, name, keypoints, protocol, settings, own) for tally in tallies]


def _notes_of(dataset: Dataset, split: Split) -> list[str]:
    """Return what a data set says of a split, if it says anything; a user's folder does."""
    notes = getattr(dataset, "notes", None)
    return list(notes(split)) if callable(notes) else []


def _measured(
    dataset: Dataset, protocol: BenchmarkProtocol, settings: EvalSettings
) -> Iterator[Clip]:
    """Yield the clips that the protocol does not leave out."""
    clips = (
        clip
        for clip in dataset.clips(settings.split)
        if not clip.name.startswith(protocol.left_out) and clip.is_counted.any()
    )
    return islice(clips, settings.limit or None)


def _labels(files: Sequence[Path]) -> list[str]:
    """Return short names that tell the files apart."""
    short = [file.stem if file.stem != "weights" else file.parent.name for file in files]
    return [
        name if short.count(name) == 1 else str(file)
        for name, file in zip(short, files, strict=True)
    ]


def _evaluation(
    tally: _Tally,
    name: str,
    keypoints: str,
    protocol: BenchmarkProtocol,
    settings: EvalSettings,
    own: Sequence[str],
) -> Evaluation:
    laying = "/".join(sorted(tally.laying))
    return Evaluation(
        label=tally.label,
        weights=_about(tally),
        dataset=name,
        split=settings.split,
        keypoints=keypoints,
        protocol=protocol.name,
        laying=laying,
        settings={"mirror": settings.mirror, "limit": settings.limit, "seed": settings.seed},
        clips=tally.clips,
        seconds=round(tally.seconds, 3),
        notes=[
            *own,
            *_notes(tally, protocol, settings),
            *notes_on_test_2d([tally.file], settings.split),
        ],
    )


def _about(tally: _Tally) -> Mapping[str, Any]:
    about = tally.lifter.about
    return {
        "path": str(tally.file),
        "sha256": weights.sha256(tally.file),
        "lifter": about.lifter,
        "frames": tally.lifter.window,
        "rate_hz": about.rate_hz,
        "input": about.input,
        "parameters": sum(p.numel() for p in tally.lifter.network.parameters()),
    }


def _notes(tally: _Tally, protocol: BenchmarkProtocol, settings: EvalSettings) -> Iterator[str]:
    """Yield what makes the figures others than the protocol's."""
    label = tally.label
    if protocol.laying not in tally.laying or len(tally.laying) > 1:
        rate = f"{tally.lifter.about.rate_hz:.3g} frames a second"
        yield (
            f"{label}: trained at {rate}, another rate than the set's, so it lifts clips as it "
            "does videos, not in the protocol's windows"
        )
    if settings.limit:
        yield f"{label}: only the first {settings.limit} clips were measured (--limit)"
    groups = len({clip.group for clip in tally.clips})
    if protocol.groups and groups != protocol.groups:
        yield f"{label}: the mean of {groups} actions; the whole set has {protocol.groups}"
    if not settings.mirror:
        yield f"{label}: without the mirror image (--no-mirror)"
    lost = sum(clip.wanted - len(clip.frame) for clip in tally.clips)
    if lost and "tiles" not in tally.laying:
        yield f"{label}: {lost} frames have no answer, since the pelvis was not seen there"
    if lost and "tiles" in tally.laying:
        yield f"{label}: {lost} frames lie in no whole window and were not measured"
