"""What a video file says of itself before any frame is read, and why it cannot be opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.video_damaged import why_unreadable

# Outside this range a header's rate is a clock's tick and not a rate (browsers write 1000).
_PLAUSIBLE_FPS = (1.0, 480.0)
_N_FRAMES_FOR_RATE = 32


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of itself; only `fps` is relied on.

    Attributes:
        fps: Nominal frames a second, exact: 29.97 is 30000/1001.
        n_frames_hint: Frames promised, often wrongly, or None.
        warnings: What is odd about it, in sentences.
    """

    fps: float
    n_frames_hint: int | None
    warnings: tuple[str, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds promised; 0 where nothing is."""
        return (self.n_frames_hint or 0) / self.fps


def exact_rate(fps: float) -> float:
    """Return `fps`, or the n * 1000 / 1001 it stands for if it is within 1e-4 of one.

    Never rounded to a whole number: 29.97 taken for 30 is 0.6 s wrong after ten minutes.
    """
    ntsc = round(fps * 1.001) * 1000 / 1001
    return ntsc if abs(ntsc - fps) <= 1e-4 * fps else fps


def read_header(path: Path) -> Header:
    """Read what a video says of itself.

    Raises:
        InputError: Missing, a folder, not a video, sound only, no frames.
    """
    capture = open_capture(path)
    fps, n_frames = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    across, down = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    capture.release()
    warnings = []
    if across > 0 and down > 0 and across != down:
        warnings.append(
            f"{path}: its pixels are not square ({across:g}:{down:g}), so people look squeezed "
            "and will be lifted wrongly; convert it first, for instance with "
            "ffmpeg -vf scale=iw*sar:ih,setsar=1"
        )
    if not _PLAUSIBLE_FPS[0] <= fps <= _PLAUSIBLE_FPS[1]:
        measured = _measure_rate(path)
        warnings.append(
            f"{path}: its header gives no usable frame rate ({fps:g}); "
            f"{measured:.4g} frames a second measured from the first frames"
        )
        # The promise of frames was made from that rate, so it means nothing either.
        fps, n_frames = measured, 0
    return Header(
        fps=exact_rate(fps),
        n_frames_hint=n_frames if n_frames > 0 else None,
        warnings=tuple(warnings),
    )


def open_capture(path: Path) -> cv2.VideoCapture:
    """Open a video with OpenCV, quietly, turning frames upright.

    Raises:
        InputError: Missing, a folder, not a video, sound only, no frames.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the name")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a video; give a file in it")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; change its permissions or copy it")
    # Read by OpenCV when it opens its first video: -8 is FFmpeg's word for quiet. Damaged files
    # would else fill the screen with the decoder's complaints; we say in one line what matters.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    cv2.utils.logging.setLogLevel(level)
    if not capture.isOpened():
        raise InputError(why_unreadable(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _measure_rate(path: Path) -> float:
    """Return the rate of the first frames; 30 where they tell nothing."""
    capture = open_capture(path)
    times_s: list[float] = []
    while len(times_s) < _N_FRAMES_FOR_RATE and capture.grab():
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    gaps_s = np.diff(times_s)
    typical_s = float(np.median(gaps_s[gaps_s > 0])) if np.any(gaps_s > 0) else 1 / 30
    return min(max(1 / typical_s, _PLAUSIBLE_FPS[0]), _PLAUSIBLE_FPS[1])
