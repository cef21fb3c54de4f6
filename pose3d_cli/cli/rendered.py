"""Looking for the people of rendered clips, with progress: for `bench` and `eval`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose3d_cli.cli.screen import Screen
    from pose3d_cli.learn.rendered.detector_error import Finder, Found
    from pose3d_cli.learn.rendered.truth import Rendered


def find_people(
    screen: Screen, folder: Path, detector: str, from_2d: Path | None = None
) -> list[tuple[Rendered, Found | None]]:
    """Return the clips of a folder, and what a detector, or its files, found in each."""
    from pose3d_cli.detect.shelf import DETECTORS
    from pose3d_cli.detect.video import people_in
    from pose3d_cli.learn.rendered.detector_error import nearest, read_from
    from pose3d_cli.learn.rendered.truth import read_all

    clips = read_all(folder)
    if from_2d is None:
        find: Finder = partial(people_in, detector=DETECTORS.get(detector)())
    else:
        find = read_from(from_2d)
    screen.stage("detect", len(clips))
    pairs = []
    for clip in clips:
        pairs.append((clip, nearest(find(clip.video), clip)))
        screen.advance()
        if pairs[-1][1] is None:
            screen.detail(f"{clip.video}: the person was not found")
    return pairs
