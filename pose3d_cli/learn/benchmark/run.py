"""Lifters over the clips of a data set: each clip is made once, and all lift it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.learn.benchmark.answer import answer
from pose3d_cli.learn.benchmark.evaluation import Evaluation
from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol
from pose3d_cli.learn.benchmark.score import ClipScore, score_clip
from pose3d_cli.learn.benchmark.settings import BenchmarkSettings
from pose3d_cli.learn.clip import Clip, Dataset
from pose3d_cli.learn.header import notes_on_test_2d
from pose3d_cli.learn.steps import Steps
from pose3d_cli.lift import weights
from pose3d_cli.lift.windowed import WindowedLifter


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What is measured on, and by which protocol.

    Attributes:
        name: Of the data set.
        dataset: Gives the clips.
        keypoints: Which 2D it gives.
        protocol: What is measured, and how.
    """

    name: str
    dataset: Dataset
    keypoints: str
    protocol: BenchmarkProtocol


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
        found = answer(self.lifter, clip, protocol)
        self.seconds += time.perf_counter() - started
        self.laying.add(found.laying)
        self.clips.append(score_clip(clip, found.xyz, found.stretch, protocol))


def evaluate(
    files: Sequence[Path],
    benchmark: Benchmark,
    settings: BenchmarkSettings,
    *,
    device: torch.device,
    steps: Steps,
) -> list[Evaluation]:
    """Measure weights on a data set.

    Args:
        files: Weights.
        benchmark: What to measure on.
        settings: Split, windows, mirror, limit.
        device: Where to compute.
        steps: Told of each clip.

    Raises:
        InputError: No clip to measure, or one that these weights cannot lift.
        NobodyFoundError: In no clip was anybody seen.
        WeightsError: Weights that cannot be loaded.
    """
    protocol = benchmark.protocol
    if settings.windows:
        protocol = replace(protocol, laying=settings.windows)
    tallies = [
        _Tally(
            label=label,
            file=file,
            lifter=WindowedLifter.from_file(file, device, mirror=settings.mirror),
        )
        for label, file in zip(_labels(files), files, strict=True)
    ]
    supply = _Supply(dataset=benchmark.dataset, protocol=protocol, settings=settings)
    steps.stage("evaluate", settings.limit or None)
    for clip in islice(supply.clips(), settings.limit or None):
        for tally in tallies:
            tally.take(clip, protocol)
        steps.advance()
    _check_found(tallies[0].clips, benchmark.name, settings.split)
    return [_evaluation(tally, benchmark, settings, supply.told()) for tally in tallies]


@dataclass(kw_only=True)
class _Supply:
    """The clips of a data set that a protocol does not leave out, and what is to be said of them.

    Attributes:
        notes: Of the first clip, which speaks of all, and of those that are measured.
        frames: Of the latter.
        left_out: How many of these frames the data set leaves out.
    """

    dataset: Dataset
    protocol: BenchmarkProtocol
    settings: BenchmarkSettings
    notes: list[str] = field(default_factory=list)
    frames: int = 0
    left_out: int = 0

    def clips(self) -> Iterator[Clip]:
        """Yield the clips."""
        for number, clip in enumerate(self.dataset.clips(self.settings.split)):
            is_measured = not clip.name.startswith(self.protocol.left_out)
            if is_measured or number == 0:
                self.notes += clip.notes
            if not is_measured:
                continue
            self.frames += len(clip)
            self.left_out += int((~clip.is_counted).sum())
            if clip.is_counted.any():
                yield clip

    def told(self) -> list[str]:
        """Return the notes, and how many frames are not measured."""
        if not self.left_out:
            return self.notes
        lost = f"{self.left_out:,} of {self.frames:,} frames"
        return [*self.notes, f"{lost} are not measured: no truth, or left out by the data set"]


def _check_found(clips: Sequence[ClipScore], name: str, split: str) -> None:
    if not clips:
        raise InputError(f"{name}: no clip to measure in the split {split!r}")
    if not any(len(clip.frame) for clip in clips):
        raise NobodyFoundError(
            f"{name}: somebody was found in none of {len(clips)} clips, or nowhere for as long as "
            "a window; look at the keypoints"
        )


def _labels(files: Sequence[Path]) -> list[str]:
    """Return short names that tell the files apart."""
    short = [file.stem if file.stem != "weights" else file.parent.name for file in files]
    return [
        name if short.count(name) == 1 else str(file)
        for name, file in zip(short, files, strict=True)
    ]


def _evaluation(
    tally: _Tally, benchmark: Benchmark, settings: BenchmarkSettings, notes: Sequence[str]
) -> Evaluation:
    return Evaluation(
        label=tally.label,
        weights=_about(tally),
        dataset=benchmark.name,
        split=settings.split,
        keypoints=benchmark.keypoints,
        protocol=benchmark.protocol.name,
        laying="/".join(sorted(tally.laying)),
        settings={"mirror": settings.mirror, "limit": settings.limit, "seed": settings.seed},
        clips=tally.clips,
        seconds=round(tally.seconds, 3),
        notes=[
            *notes,
            *_notes(tally, benchmark.protocol, settings),
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


def _notes(
    tally: _Tally, protocol: BenchmarkProtocol, settings: BenchmarkSettings
) -> Iterator[str]:
    """Yield what makes the figures others than the protocol's."""
    label = tally.label
    wanted = settings.windows or protocol.laying
    if tally.laying != {wanted}:
        rate = f"{tally.lifter.about.rate_hz:.3g} frames a second"
        yield (
            f"{label}: trained at {rate}, another rate than the set's, so it lifts clips as it "
            f"does videos, not in windows laid as {wanted}"
        )
    if wanted != protocol.laying:
        yield f"{label}: windows laid as {wanted} (--windows), not as the protocol says"
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
