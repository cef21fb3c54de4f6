"""The result as a video: the clip with its 2D keypoints beside the 3D skeletons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pose3d_cli.files.decode import VideoFrame
from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.video import open_video
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import NO_FLOOR

if TYPE_CHECKING:
    from pose3d_cli.render.montage import SideBySide
    from pose3d_cli.render.overlay import Image


def draw_video(
    clip: Path, result: ClipResult, path: Path, settings: LiftSettings, reporter: Reporter
) -> str:
    """Write the side-by-side video and return its codec (`h264`, or `mp4v` without PyAV)."""
    from pose3d_cli.render.montage import SideBySide  # loads Matplotlib
    from pose3d_cli.render.view import view_limits

    rows = {int(frame): row for row, frame in enumerate(result.frame)}
    reporter.stage("draw", len(rows))
    with open_video(clip, start_s=settings.start or None, end_s=settings.end or None) as video:
        montage = SideBySide(
            video.size_px, H36M17, view_limits(_in_world(result), _floor_m(result))
        )
        with VideoWriter(path, size_px=montage.size_px, fps=video.fps) as writer:
            for frame in video:
                row = rows.get(frame.index)
                if row is None:
                    continue
                picture = _draw(montage, frame, result, row)
                writer.write(np.ascontiguousarray(picture), frame.time_s)
                reporter.advance()
        return writer.codec


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
