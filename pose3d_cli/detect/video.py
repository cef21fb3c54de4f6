"""A detector over a whole video."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.track import track_people
from pose3d_cli.files.video import open_video
from pose3d_cli.pose.types import Keypoints2D


def people_in(video: Path, detector: Detector) -> list[Keypoints2D]:
    """Return everybody that a detector finds in a video, each followed through it.

    Raises:
        InputError: A video that cannot be read.
    """
    with open_video(video) as frames:
        return track_people(detector, frames, fps=frames.fps, image_size=frames.size_px)
