"""Videos as streams of frames: decoded in a thread of their own, flat in memory."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.decode import FrameReader, VideoFrame
from pose3d_cli.files.video_header import Header, read_header

__all__ = ["Video", "VideoFrame", "open_video"]

# A 4K frame has 25 MB: four keep the decoder busy without filling a small machine.
_N_WAITING = 4
# How soon a waiting decoder notices that nobody wants more.
_POLL_S = 0.1
_LONGEST_WAIT_S = 5.0

_Item = VideoFrame | BaseException | None


class _Decoder:
    """A thread that reads ahead by a few frames until the end or until it is stopped."""

    def __init__(self, frames: Generator[VideoFrame, None, None]) -> None:
        self._frames = frames
        self._waiting: queue.Queue[_Item] = queue.Queue(maxsize=_N_WAITING)
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pose3d-decoder", daemon=True)
        self._has_begun = False
        self._is_over = threading.Event()

    def __iter__(self) -> Iterator[VideoFrame]:
        # Started here, not before: whoever reads is by then ready to call `stop`.
        self._has_begun = True
        self._thread.start()
        while (item := self._waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def stop(self) -> None:
        """Close the file, wait for the thread, and let whoever still reads come to an end."""
        self._is_stopped.set()
        if self._has_begun:  # an interrupt may have come before the thread could run at all
            self._is_over.wait(_LONGEST_WAIT_S)
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put(None)

    def _run(self) -> None:
        last: _Item = None
        try:
            with closing(self._frames):
                for frame in self._frames:
                    if not self._put(frame):
                        break
        except BaseException as error:  # handed to the reader of the frames, whatever it is
            last = error
        self._put(last)
        self._is_over.set()

    def _put(self, item: _Item) -> bool:
        while not self._is_stopped.is_set():
            try:
                self._waiting.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


def _again(
    first: VideoFrame, others: Generator[VideoFrame, None, None]
) -> Generator[VideoFrame, None, None]:
    with closing(others):
        yield first
        yield from others


class Video:
    """The frames of a video file; iterate over it, and again to read it again.

    Made by `open_video`. Use it in a `with` block, so that the file is closed whatever happens.

    Attributes:
        path: The file.
        fps: Nominal frames a second, exact (29.97 is 30000/1001).
        size_px: Width and height of the upright picture.
        n_frames_hint: Frames promised by the header, often wrongly: for progress displays only.
        warnings: What is odd or damaged, in sentences; complete once all frames are read.
        n_read: Frames given so far by the newest iteration.
    """

    def __init__(self, path: Path, header: Header, *, start_s: float, end_s: float) -> None:
        self.path = path
        self.fps = header.fps
        self.n_frames_hint = header.n_frames_hint
        self.warnings: list[str] = []
        self.n_read = 0
        self._header = header
        self._span_s = (start_s, end_s)
        self._decoder: _Decoder | None = None
        self._ready: Generator[VideoFrame, None, None] | None
        first, self._ready = self._begin()
        self.size_px: tuple[int, int] = (first.image.shape[1], first.image.shape[0])

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        self._stop_decoder()
        frames, self._ready = self._ready or self._begin()[1], None
        decoder = self._decoder = _Decoder(frames)
        self.n_read = 0
        try:
            for frame in decoder:
                self.n_read += 1
                yield frame
        finally:
            decoder.stop()

    def close(self) -> None:
        """Stop decoding and close the file."""
        self._stop_decoder()
        self._ready = None

    def _stop_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.stop()
            self._decoder = None

    def _begin(self) -> tuple[VideoFrame, Generator[VideoFrame, None, None]]:
        """Read the first frame, the only proof that there is one; give it and all frames."""
        self.warnings[:] = self._header.warnings
        start_s, end_s = self._span_s
        reader = FrameReader(
            self.path, self._header, start_s=start_s, end_s=end_s, warnings=self.warnings
        )
        frames = reader.frames()
        first = next(frames, None)
        if first is None:
            raise InputError(self._why_nothing(reader))
        return first, _again(first, frames)

    def _why_nothing(self, reader: FrameReader) -> str:
        start_s, end_s = self._span_s
        if reader.n_reached == 0:
            return f"{self.path}: not one frame can be read; record or export it again"
        if reader.reached_s < start_s:
            length_s = reader.reached_s + 1 / self.fps
            return (
                f"{self.path}: --start {start_s:g} is after its end ({length_s:.2f} s); "
                "choose an earlier one"
            )
        return (
            f"{self.path}: no frame is shown from --start {start_s:g} to --end {end_s:g}; "
            "choose a longer span"
        )


def open_video(path: Path, *, start_s: float | None = None, end_s: float | None = None) -> Video:
    """Open a video and read its first frame, so that whatever is wrong shows at once.

    Args:
        path: A video file.
        start_s: Presentation time of the first frame wanted, in seconds; default all.
        end_s: Presentation time of the first frame no longer wanted; default all.

    Raises:
        InputError: Missing, a folder, not a video, sound only, no frames, over before `start_s`.
        SettingsError: A negative time, or an end that is not after the start.
    """
    start_s, end_s = start_s or 0.0, math.inf if end_s is None else end_s
    if not (0 <= start_s < math.inf):
        raise SettingsError(f"--start {start_s:g}: give seconds from the start of the video")
    if not end_s > start_s:
        raise SettingsError(f"--end {end_s:g}: must be later than --start {start_s:g}")
    return Video(path, read_header(path), start_s=start_s, end_s=end_s)
