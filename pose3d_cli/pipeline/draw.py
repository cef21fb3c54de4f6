"""Results as videos: the clip with its 2D keypoints beside the 3D skeletons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pose3d_cli.files.decode import VideoFrame
from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.video import Video, open_video
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import NO_FLOOR

if TYPE_CHECKING:
    from pose3d_cli.render.montage import SideBySide
    from pose3d_cli.render.overlay import Image


class Drawing:
    """The side-by-side videos of a clip, one a part; the clip is read once for all of them.

    To be closed: the clip is open from the first part on.
    """

    def __init__(self, clip: Path, settings: LiftSettings) -> None:
        self._clip, self._settings = clip, settings
        self._video: Video | None = None
        self._frames: Iterator[VideoFrame] = iter(())

    def draw(self, result: ClipResult, path: Path, reporter: Reporter) -> str:
        """Write the video of the next part; return its codec (`h264`, or `mp4v` without PyAV)."""
        from pose3d_cli.render.montage import SideBySide  # loads Matplotlib
        from pose3d_cli.render.view import view_limits

        rows = {int(frame): row for row, frame in enumerate(result.frame)}
        reporter.stage("draw", len(rows))
        video = self._opened()
        montage = SideBySide(
            video.size_px, H36M17, view_limits(_in_world(result), _floor_m(result))
        )
        with VideoWriter(path, size_px=montage.size_px, fps=video.fps) as writer:
            for frame in self._frames:
                row = rows.get(frame.index)
                if row is not None:
                    picture = _draw(montage, frame, result, row)
                    writer.write(np.ascontiguousarray(picture), frame.time_s)
                    reporter.advance()
                if frame.index >= result.frame[-1]:
                    break
        return writer.codec

    def close(self) -> None:
        """Close the clip."""
        if self._video is not None:
            self._video.close()

    def _opened(self) -> Video:
        if self._video is None:
            start_s, end_s = self._settings.start or None, self._settings.end or None
            self._video = open_video(self._clip, start_s=start_s, end_s=end_s)
            self._frames = iter(self._video)
        return self._video


def _in_world(result: ClipResult) -> Iterator[np.ndarray]:
    return (result.world.from_camera(person.xyz_camera) for person in result.people)


def _floor_m(result: ClipResult) -> float | None:
    return None if result.world.floor == NO_FLOOR else 0.0


def _draw(montage: SideBySide, frame: VideoFrame, result: ClipResult, row: int) -> Image:
    """Return the picture of one row of the result; nobody may be there."""
    present = list(result.present(row))
    joints = len(result.joint_names)
    return montage.draw(
        frame.image,
        np.array([p.keypoints_px[own] for p, own in present], np.float32).reshape(-1, joints, 2),
        np.array([p.score[own] for p, own in present], np.float32).reshape(-1, joints),
        result.world.from_camera(
            np.array([p.xyz_camera[own] for p, own in present]).reshape(-1, joints, 3)
        ),
        [person.person for person, _ in present],
        float(result.time_s[row]),
        frame=frame.index,
    )
