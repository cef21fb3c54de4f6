"""Writing a video that appears whole or not at all: H.264 through PyAV, else MPEG-4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Literal, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8

from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.plain_name import plain_name, readable_name
from pose3d_cli.files.video_damaged import load_pyav

# Every usual rate, those over 1001 too, is a whole number of these ticks.
_TICKS_PER_S = 240_000
# Without B-frames, which would make the header's duration too short where the rate varies.
_H264_SETTINGS = {"crf": "20", "preset": "veryfast", "bf": "0"}


class VideoWriter:
    """Writes a video picture by picture; use it in a `with` block.

    The file appears under its name when the block ends well. After an error or Ctrl-C nothing of
    it is left, and a file that was there before is as it was.

    Attributes:
        path: The file.
        codec: "h264", which browsers play, where PyAV is installed; else "mp4v", which many do
            not, and which knows a constant rate only: pictures then lie 1 / fps apart.
    """

    codec: Literal["h264", "mp4v"]

    def __init__(self, path: Path, *, size_px: tuple[int, int], fps: float) -> None:
        """Make ready to write; nothing is touched before the `with` block.

        Args:
            path: The .mp4 to write.
            size_px: Width and height; odd ones are padded by one repeated column or row, since
                the usual colour format knows even ones only.
            fps: Nominal frames a second.
        """
        self.path = path
        self._size_px = size_px
        self._fps = fps
        self._av = load_pyav()
        self.codec = "mp4v" if self._av is None else "h264"
        self._context: AbstractContextManager[_Sink] | None = None
        self._sink: _Sink | None = None

    def __enter__(self) -> VideoWriter:
        width, height = self._size_px
        even = width + width % 2, height + height % 2
        self._context = _open_sink(self._av, self.path, even, self._fps)
        self._sink = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context, self._context, self._sink = self._context, None, None
        if context is not None:
            context.__exit__(kind, error, trace)

    def write(self, image_rgb: UInt8[np.ndarray, "height width 3"], time_s: float) -> None:
        """Add a picture.

        Args:
            image_rgb: A picture of the size given at the start.
            time_s: When it is shown, in seconds, later than the one before. The first picture
                is the start of the new video, whatever its time.

        Raises:
            OSError: Full disk; an OutputError that says so by the time it leaves the block.
        """
        width, height = self._size_px
        if image_rgb.shape != (height, width, 3):
            raise ValueError(f"picture {image_rgb.shape} in a video of {height} x {width}")
        if self._sink is None:
            raise ValueError("a video is written inside its `with` block")
        if width % 2 or height % 2:
            image_rgb = np.pad(image_rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        self._sink.write(image_rgb, time_s)


@runtime_checkable
class _Sink(Protocol):
    """Puts RGB pictures of even size into a file."""

    def write(self, image: np.ndarray, time_s: float) -> None: ...

    def finish(self) -> None: ...

    def abandon(self) -> None: ...


@contextmanager
def _open_sink(
    av: ModuleType | None, path: Path, size_px: tuple[int, int], fps: float
) -> Iterator[_Sink]:
    try:
        plain_name(path)
    except UnicodeEncodeError as error:
        raise OutputError(
            f"{readable_name(path)}: this name is not valid UTF-8, and such videos cannot be "
            "written; choose another with -o"
        ) from error
    with replacing(path) as temporary:
        sink: _Sink
        if av is None:
            sink = _Mpeg4Sink(temporary, size_px, fps)
        else:
            sink = _H264Sink(av, temporary, size_px, fps)
        try:
            yield sink
            sink.finish()
        except BaseException:  # Ctrl-C too: the encoder must let go of the file
            sink.abandon()
            raise


class _H264Sink:
    """H.264 as browsers play it: yuv420p, index first, presentation times kept."""

    def __init__(self, av: ModuleType, path: Path, size_px: tuple[int, int], fps: float) -> None:
        self._av = av
        self._last_tick = -1
        self._first_s: float | None = None
        rate = Fraction(fps).limit_denominator(1001)
        faststart = {"movflags": "+faststart"}
        self._container = av.open(plain_name(path), "w", format="mp4", container_options=faststart)
        self._stream = self._container.add_stream("libx264", rate=rate, options=_H264_SETTINGS)
        self._stream.width, self._stream.height = size_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        self._ticks_a_frame = round(_TICKS_PER_S / fps)

    def write(self, image: np.ndarray, time_s: float) -> None:
        if self._first_s is None:
            self._first_s = time_s
        tick = max(round((time_s - self._first_s) * _TICKS_PER_S), self._last_tick + 1)
        self._last_tick = tick
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS_PER_S)
        frame.duration = self._ticks_a_frame
        with self._plain_errors():
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        with self._plain_errors():
            self._container.mux(self._stream.encode())
            self._container.close()

    def abandon(self) -> None:
        with suppress(OSError), self._plain_errors():
            self._container.close()

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except self._av.error.FFmpegError as error:
            raise OSError(error.errno, error.strerror) from error


class _Mpeg4Sink:
    """MPEG-4 part 2 through OpenCV, at a constant rate."""

    def __init__(self, path: Path, size_px: tuple[int, int], fps: float) -> None:
        self._path = path
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(plain_name(path), cv2.CAP_FFMPEG, fourcc, fps, size_px)
        self._n_written = 0
        if not self._writer.isOpened():
            raise OSError(f"OpenCV cannot write {size_px[0]} x {size_px[1]} MPEG-4 here")

    def write(self, image: np.ndarray, time_s: float) -> None:  # noqa: ARG002 constant rate
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self._n_written += 1

    def finish(self) -> None:
        self._writer.release()
        # OpenCV tells of no failure; a file it cannot open again was not written whole.
        capture = cv2.VideoCapture(plain_name(self._path), cv2.CAP_FFMPEG)
        n_frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if n_frames != self._n_written:
            raise OSError("OpenCV could not write it whole; is the disk full?")

    def abandon(self) -> None:
        self._writer.release()
