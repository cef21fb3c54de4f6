"""The result as a video: the clip with its 2D keypoints beside the 3D skeletons."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.video import open_video
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.skeleton import H36M17


def draw_video(
    clip: Path, result: ClipResult, path: Path, settings: LiftSettings, reporter: Reporter
) -> str:
    """Write the side-by-side video and return its codec (`h264`, or `mp4v` without PyAV)."""
    from pose3d_cli.render.montage import SideBySide  # loads Matplotlib
    from pose3d_cli.render.view import view_limits

    rows = {int(frame): row for row, frame in enumerate(result.frame)}
    reporter.stage("draw", len(rows))
    with open_video(clip, start_s=settings.start or None, end_s=settings.end or None) as video:
        montage = SideBySide(video.size_px, H36M17, view_limits(result.xyz_camera))
        with VideoWriter(path, size_px=montage.size_px, fps=video.fps) as writer:
            for frame in video:
                row = rows.get(frame.index)
                if row is None:
                    continue
                picture = montage.draw(
                    frame.image,
                    result.keypoints_px[:, row],
                    result.score[:, row],
                    result.xyz_camera[:, row],
                    result.person_id.tolist(),
                    float(result.time_s[row]),
                    frame=frame.index,
                )
                writer.write(np.ascontiguousarray(picture), frame.time_s)
                reporter.advance()
        return writer.codec
