"""Results as videos: the clip with its 2D keypoints, the people in 3D, or both side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose3d_cli.files.decode import VideoFrame
from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.video import Video, open_video
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import NO_FLOOR
from pose3d_cli.render.sheet import write_sheet
from pose3d_cli.render.shown import Montage, Picture, Shown

ON_SHEET = 6
"""Pictures of a clip on its sheet."""

_EARLY = 0.1
"""Share of the time between two pictures by which one may come early: times are rounded."""


class Drawing:
    """The videos of a clip, one a part; the clip is read once for all of them.

    To be closed: the clip is open from the first part on.
    """

    def __init__(self, clip: Path, settings: LiftSettings) -> None:
        self._clip, self._settings = clip, settings
        self._video: Video | None = None
        self._frames: Iterator[VideoFrame] = iter(())

    def draw(self, result: ClipResult, video: Path, sheet: Path, reporter: Reporter) -> str:
        """Write the video of the next part, and a sheet of its pictures.

        Args:
            result: Of the part.
            video: File of the video, which has the presentation times of the clip.
            sheet: PNG file with some pictures of it, evenly spread.
            reporter: Shows progress.

        Returns:
            The codec: `h264`, or `mp4v` without PyAV.
        """
        rows = {int(frame): row for row, frame in enumerate(result.frame)}
        reporter.stage("draw", len(rows))
        clip = self._opened()
        montage = _montage(self._settings.render, clip.size_px, result)
        pace, shown = _Pace(self._settings.fps), _of_sheet(result)
        pictures = []
        fps = min(self._settings.fps or clip.fps, clip.fps)
        with VideoWriter(video, size_px=montage.size_px, fps=fps) as writer:
            for frame in self._frames:
                row = rows.get(frame.index)
                if row is not None:
                    is_due = pace.is_due(frame.time_s)
                    picture = _draw(montage, frame, result, row) if is_due or row in shown else None
                    if picture is not None and is_due:
                        writer.write(np.ascontiguousarray(picture), frame.time_s)
                    if picture is not None and row in shown:
                        pictures.append(picture)
                    reporter.advance()
                if frame.index >= result.frame[-1]:
                    break
        write_sheet(sheet, pictures)
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


@dataclass
class _Pace:
    """Says which pictures are drawn, so that there are at most so many a second; 0: all."""

    fps: float
    _next_s: float = -np.inf

    def is_due(self, time_s: float) -> bool:
        """Return whether a picture is to be drawn; later ones follow in order."""
        if not self.fps:
            return True
        if time_s < self._next_s - _EARLY / self.fps:
            return False
        # From the time it was due, so that the rate holds; from now after a pause.
        due_s = self._next_s if time_s - self._next_s < 1 / self.fps else time_s
        self._next_s = due_s + 1 / self.fps
        return True


def _of_sheet(result: ClipResult) -> set[int]:
    """Return the rows whose pictures are on the sheet: with somebody in them, if there are any."""
    with_people = np.unique(np.concatenate([[], *(p.rows for p in result.people)])).astype(int)
    rows = with_people if len(with_people) else np.arange(len(result.frame))
    return set(rows[np.linspace(0, len(rows) - 1, ON_SHEET).round().astype(int)].tolist())


def _montage(layout: str, image_size_px: tuple[int, int], result: ClipResult) -> Montage:
    from pose3d_cli.render.montage import make_montage  # loads Matplotlib
    from pose3d_cli.render.view import view_limits

    people = (result.world.from_camera(person.xyz_camera) for person in result.people)
    floor_m = None if result.world.floor == NO_FLOOR else 0.0
    return make_montage(layout, image_size_px, H36M17, view_limits(people, floor_m))


def _draw(montage: Montage, frame: VideoFrame, result: ClipResult, row: int) -> Picture:
    """Return the picture of one row of the result; nobody may be there."""
    present = list(result.present(row))
    joints = len(result.joint_names)
    return montage.draw(
        Shown(
            image_rgb=frame.image,
            keypoints_px=np.array([p.keypoints_px[own] for p, own in present], np.float32).reshape(
                -1, joints, 2
            ),
            score=np.array([p.score[own] for p, own in present], np.float32).reshape(-1, joints),
            xyz_world=result.world.from_camera(
                np.array([p.xyz_camera[own] for p, own in present]).reshape(-1, joints, 3)
            ),
            person_id=[person.person for person, _ in present],
            time_s=float(result.time_s[row]),
            frame=frame.index,
        )
    )
