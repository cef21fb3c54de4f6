"""Reading the frames of one video file in order, by OpenCV first and by PyAV where it gives up."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from pose3d_cli.files.video_damaged import SAME_TIME_S, Salvage, count_before, load_pyav
from pose3d_cli.files.video_header import Header, open_capture

# A header may promise this share more than there is before anybody is warned.
_TOLERATED_LOSS = 0.02
# A seek must land before the spot to be exact, so we aim early and read up to it.
_SEEK_MARGIN_S = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoFrame:
    """One picture of a video.

    Attributes:
        image: RGB, turned upright.
        index: Number in the file, from 0, also where reading starts later.
        time_s: Presentation time in seconds from the start of the video; rises, perhaps unevenly.
    """

    image: UInt8[np.ndarray, "height width 3"]
    index: int
    time_s: float


@dataclass
class _Clock:
    """Presentation times out of what OpenCV reports, which for some files is nothing but 0."""

    fps: float
    last_s: float = field(default=-math.inf)

    def tick(self, index: int, reported_s: float) -> float:
        """Return the time of frame `index`: as reported where that rises, else index / fps."""
        for time_s in (reported_s, index / self.fps):
            if math.isfinite(time_s) and time_s > self.last_s:
                break
        else:
            time_s = self.last_s + 1 / self.fps
        self.last_s = time_s
        return time_s


@dataclass
class FrameReader:
    """The frames of a file shown from `start_s` up to, not including, `end_s`.

    Where OpenCV stops well before the end that the header promises, PyAV goes on from there if
    it is installed.

    Attributes:
        path: A video.
        header: Its header.
        start_s: Seconds from the start of the video.
        end_s: Likewise; may be infinite.
        warnings: Gets a sentence for what could not be read.
        n_reached: Number of the last frame come to, those before `start_s` too, plus one.
        reached_s: Its time in seconds.
    """

    path: Path
    header: Header
    start_s: float = 0.0
    end_s: float = math.inf
    warnings: list[str] = field(default_factory=list)
    n_reached: int = 0
    reached_s: float = -math.inf

    def frames(self) -> Generator[VideoFrame, None, None]:
        """Yield the frames, once."""
        for index, time_s, capture in self._grab():
            self.n_reached, self.reached_s = index + 1, time_s
            if self._is_past_end():
                return
            if self._is_wanted():
                is_read, picture = capture.retrieve()
                if not is_read:
                    break
                image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                yield VideoFrame(image=image, index=index, time_s=time_s)
        if self._is_short(self.header.length_s):
            yield from self._salvage()

    def _is_past_end(self) -> bool:
        return self.reached_s >= self.end_s - SAME_TIME_S

    def _is_wanted(self) -> bool:
        return self.reached_s >= self.start_s - SAME_TIME_S

    def _is_short(self, length_s: float) -> bool:
        """Whether both frames and seconds lack: either alone is wrong in many sound files."""
        share = 1 - _TOLERATED_LOSS
        promised = self.header.n_frames_hint or 0
        seen_s = max(self.reached_s, 0.0) + 1 / self.header.fps
        return self.n_reached < share * promised and seen_s < share * length_s

    def _grab(self) -> Iterator[tuple[int, float, cv2.VideoCapture]]:
        """Yield number, time and the capture standing at it, for each frame or from near start."""
        capture = open_capture(self.path)
        clock = _Clock(fps=self.header.fps)
        try:
            index = self._seek(capture) if self.start_s > _SEEK_MARGIN_S else None
            if index is None:
                capture.release()
                capture, index = open_capture(self.path), 0
                is_there = capture.grab()
            else:
                is_there = True
            while is_there:
                reported_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                yield index, clock.tick(index, reported_s), capture
                index, is_there = index + 1, capture.grab()
        finally:
            capture.release()

    def _seek(self, capture: cv2.VideoCapture) -> int | None:
        """Stand on some frame before the start; return its number, or None if that is unsure."""
        capture.set(cv2.CAP_PROP_POS_MSEC, (self.start_s - _SEEK_MARGIN_S) * 1000)
        landed_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if capture.grab() else 0.0
        if not 0 < landed_s < self.start_s - SAME_TIME_S:
            return None
        return count_before(self.path, landed_s)

    def _salvage(self) -> Iterator[VideoFrame]:
        n_opencv, opencv_s = self.n_reached, max(self.reached_s, 0.0)
        salvage = Salvage(self.path, after_s=self.reached_s)
        for image, time_s in salvage:
            self.n_reached, self.reached_s = self.n_reached + 1, time_s
            if self._is_past_end():
                break
            if self._is_wanted():
                yield VideoFrame(image=image, index=self.n_reached - 1, time_s=time_s)
        is_sound = salvage.n_bad == 0 and self.n_reached == n_opencv
        if is_sound and salvage.length_s is not None and not self._is_short(salvage.length_s):
            return  # the header promised frames that an edit list hides
        self.warnings.append(self._describe_damage(n_opencv, opencv_s, salvage.n_bad))

    def _describe_damage(self, n_opencv: int, opencv_s: float, n_bad: int) -> str:
        read_s = max(self.reached_s, 0.0)
        words = (
            f"{self.path}: damaged or cut off: read {self.n_reached} of "
            f"{self.header.n_frames_hint} frames ({read_s:.2f} of {self.header.length_s:.2f} s)"
        )
        if self.n_reached > n_opencv:
            words += (
                f"; OpenCV stopped after {n_opencv} frames ({opencv_s:.2f} s), PyAV read on and "
                f"passed over {n_bad} that cannot be decoded"
            )
        elif load_pyav() is None:
            words += "; more may be saved with PyAV: pip install 'pose3d[video]'"
        return words
