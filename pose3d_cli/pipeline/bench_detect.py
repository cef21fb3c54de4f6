"""How fast detectors are on this machine, and how many people they find."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path

import numpy as np

from pose3d_cli.detect.boxes.shelf import person_detector
from pose3d_cli.detect.make import make_detector
from pose3d_cli.detect.onnx_net import onnx_engine
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.track import track_people
from pose3d_cli.errors import InputError
from pose3d_cli.files.model_cache import here
from pose3d_cli.files.video import VideoFrame, open_video


@dataclass(frozen=True, kw_only=True)
class DetectCost:
    """What one detector did with one clip.

    Attributes:
        clip: File name.
        detector: With the networks it is made of.
        threads: Of the CPU.
        frames: Looked at.
        frames_per_s: Detecting and following; pictures were decoded before.
        people: Tracks.
        people_a_frame: Rows of all tracks for each frame.
        score: Mean score of the keypoints of all tracks; 0 where there are none.
    """

    clip: str
    detector: str
    threads: int
    frames: int
    frames_per_s: float
    people: int
    people_a_frame: float
    score: float


def detectors_here(options: DetectorOptions) -> list[tuple[str, DetectorOptions]]:
    """Return the detectors that can be measured: BlazePose, and RTMPose of each file here.

    Args:
        options: What RTMPose is made with, but for its weights.
    """
    models = [model for model in here() if model.kind == "keypoints"]
    can_run = [m for m in models if m.file.endswith(".pth") or onnx_engine()]
    return [
        ("blazepose", DetectorOptions()),
        *(("rtmpose", replace(options, weights=model.name)) for model in can_run),
    ]


def person_detectors_here() -> list[str]:
    """Return the person detectors that can be measured."""
    found = [model.name for model in here() if model.kind == "boxes" and onnx_engine()]
    return ["blazepose", *found]


def bench_boxes(
    clips: Sequence[Path], names: Sequence[str], *, threads: Sequence[int], frames: int
) -> Iterator[DetectCost]:
    """Measure person detectors alone, on every picture; see `bench_detect`.

    `people_a_frame` is boxes a picture, `score` the mean of their confidences; nobody is followed.

    Raises:
        InputError: A clip that cannot be read.
    """
    for clip in clips:
        pictures, _, _ = _pictures(clip, frames)
        for name, n_threads in product(names, threads):
            detector = person_detector(DetectorOptions(boxes=name, threads=n_threads))
            detector.boxes(pictures[0].image)
            started = time.perf_counter()
            found = np.concatenate([detector.boxes(picture.image) for picture in pictures])
            spent = time.perf_counter() - started
            yield DetectCost(
                clip=clip.name,
                detector=f"boxes {detector.name}",
                threads=n_threads,
                frames=len(pictures),
                frames_per_s=len(pictures) / spent,
                people=0,
                people_a_frame=len(found) / len(pictures),
                score=float(found[:, 4].mean()) if len(found) else 0.0,
            )


def _pictures(clip: Path, frames: int) -> tuple[list[VideoFrame], float, tuple[int, int]]:
    """Return the first pictures of a clip, its rate, and their width and height."""
    with open_video(clip) as video:
        pictures = list(islice(video, frames))
    if not pictures:
        raise InputError(f"{clip}: has no frames")
    return pictures, video.fps, video.size_px


def bench_detect(
    clips: Sequence[Path],
    detectors: Sequence[tuple[str, DetectorOptions]],
    *,
    threads: Sequence[int] = (1, 2),
    frames: int = 100,
    detect_every: int | None = None,
) -> Iterator[DetectCost]:
    """Measure each detector on each clip with each number of threads.

    Args:
        clips: Videos.
        detectors: Names, and what they are made with.
        threads: Numbers of threads.
        frames: First frames of each clip, which are kept in memory.
        detect_every: As in lifting.

    Raises:
        InputError: A clip that cannot be read.
    """
    for clip in clips:
        pictures, fps, size = _pictures(clip, frames)
        for (name, options), n_threads in product(detectors, threads):
            detector = make_detector(name, replace(options, threads=n_threads))
            detector.detect(pictures[0].image)  # the first picture is slower
            started = time.perf_counter()
            people = track_people(
                detector, pictures, fps=fps, image_size=size, detect_every=detect_every
            )
            spent = time.perf_counter() - started
            rows = sum(map(len, people))
            scores = [float(person.score.mean()) * len(person) for person in people]
            yield DetectCost(
                clip=clip.name,
                detector=detector.name,
                threads=n_threads,
                frames=len(pictures),
                frames_per_s=len(pictures) / spent,
                people=len(people),
                people_a_frame=rows / len(pictures),
                score=sum(scores) / rows if rows else 0.0,
            )
