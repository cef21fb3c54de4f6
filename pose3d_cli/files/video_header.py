"""What a video file says of itself before any frame is read, and why it cannot be opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.plain_name import plain_name, readable_name
from pose3d_cli.files.video_damaged import why_unreadable

# Outside this range a header's rate is a clock's tick and not a rate (browsers write 1000).
# Time lapses and surveillance do have one picture in several seconds.
_PLAUSIBLE_FPS = (0.1, 480.0)
_N_FRAMES_FOR_RATE = 32
# How a Matroska or WebM file begins, whatever its name.
_MATROSKA = b"\x1a\x45\xdf\xa3"
_SILENT = 0  # of the levels of OpenCV's log


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
    start_s = _start(capture, fps) if n_frames > 0 and _counts_from_zero(path) else 0.0
    capture.release()
    n_frames = round(n_frames - start_s * fps)
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
        InputError: Missing, a folder, not a video, sound only, no frames, a name that is not UTF-8.
    """
    try:
        name = plain_name(path)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{readable_name(path)}: its name, or that of its folder, is not valid UTF-8, and "
            "such files cannot be opened; rename it"
        ) from error
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the name")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a video; give a file in it")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; change its permissions or copy it")
    # Read by OpenCV when it opens its first video: -8 is FFmpeg's word for quiet. Damaged files
    # would else fill the screen with the decoder's complaints; we say in one line what matters.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    level = _set_log_level(_SILENT)
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    _set_log_level(level)
    if not capture.isOpened():
        raise InputError(why_unreadable(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _set_log_level(level: int) -> int:
    """Set how much OpenCV says, and return how much it said before; 4 and 5 name it otherwise."""
    place: Any = getattr(cv2.utils, "logging", cv2)
    return int(place.setLogLevel(level))


def _counts_from_zero(path: Path) -> bool:
    """Whether the file's promised length runs from time 0 and not from its first frame."""
    with path.open("rb") as file:
        return file.read(len(_MATROSKA)) == _MATROSKA


def _start(capture: cv2.VideoCapture, fps: float) -> float:
    """Return the file's own time of its first frame, in seconds; 0 where it is not told."""
    if not (fps > 0 and capture.grab()):
        return 0.0
    # OpenCV before 4.11 does not have it. It counts in frames.
    own = capture.get(getattr(cv2, "CAP_PROP_PTS", -1)) / fps
    return max(own - capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, 0.0)


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
