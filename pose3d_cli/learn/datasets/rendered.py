"""Rendered people, whose every joint is known: from the picture to 3D, or from the true 2D."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.shelf import DETECTORS, USUAL
from pose3d_cli.detect.video import people_in
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    chosen_keypoints,
    clip_of,
)
from pose3d_cli.learn.rendered.detector_error import nearest as nearest_person
from pose3d_cli.learn.rendered.truth import TRUTH, Rendered, read_all

KEYPOINTS = ("found", "true")
"""What the detector finds in the pictures, or where the joints are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderedPeople:
    """Clips of `pose3d data render`.

    Attributes:
        rendered: What is known of each.
        detector: Looks at the videos; None where the true 2D is lifted.
    """

    rendered: Sequence[Rendered]
    detector: Detector | None

    def clips(self, split: Split) -> Iterator[Clip]:
        """Yield the clips, in the order of their names; the person alone, and if need be unseen.

        Raises:
            InputError: A video that is missing or damaged.
            SettingsError: Another split than `test`: such a folder is of whom it was rendered of.
        """
        if split != "test":
            raise SettingsError(f"--split {split}: rendered clips have none; leave it out")
        for clip in self.rendered:
            xy, score = self._seen(clip)
            yield clip_of(
                name=clip.video.stem,
                subject="",
                action="",
                xy=xy,
                score=score,
                xyz=clip.xyz.astype(np.float32),
                frame="camera",
                fps=clip.fps,
                image_size=clip.camera.image_size,
                camera=clip.camera,
            )

    def _seen(
        self, clip: Rendered
    ) -> tuple[Float32[np.ndarray, "frames 17 2"], Float32[np.ndarray, "frames 17"]]:
        """Return keypoints and their scores in every frame; NaN and 0 where nobody was found."""
        if self.detector is None:
            return clip.keypoints_px.astype(np.float32), np.ones(clip.xyz.shape[:2], np.float32)
        xy = np.full((*clip.xyz.shape[:2], 2), np.nan, np.float32)
        score = np.zeros(xy.shape[:2], np.float32)
        found = nearest_person(people_in(clip.video, self.detector), clip)
        if found is not None:
            rows = found.keypoints.frames
            xy[rows], score[rows] = found.keypoints.xy, found.keypoints.score
        return xy, score


def open_rendered(path: Path, options: DatasetOptions) -> RenderedPeople:
    """Return the clips of a folder.

    Raises:
        InputError: A folder without rendered clips, or a damaged one.
        UnknownNameError: `options.keypoints` is none of `KEYPOINTS`.
    """
    seen = chosen_keypoints(options, KEYPOINTS)
    detector = None if seen == "true" else DETECTORS.get(USUAL)(DetectorOptions())
    return RenderedPeople(rendered=read_all(path), detector=detector)


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return what is wrong with a folder of rendered clips, a line each."""
    del options
    try:
        clips = read_all(path)
    except InputError as error:
        return [str(error)]
    return [f"{clip.video}: no such video" for clip in clips if not clip.video.is_file()]


DATASETS.add(
    "rendered",
    DatasetEntry(
        open=open_rendered,
        check=check,
        title="rendered people, whose every joint is known",
        source="`pose3d data render` makes them of packed motion (extra `rendered`)",
        files=(
            "person0000.mp4 and so on: the videos",
            f"person0000{TRUTH} and so on: joints and camera",
        ),
        protocols=("rendered",),
        keypoints=KEYPOINTS,
        is_quick=lambda _: False,
    ),
)
