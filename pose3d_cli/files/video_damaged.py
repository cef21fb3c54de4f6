"""What PyAV, where it is installed, can do better than OpenCV: damaged files, counting, reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pose3d_cli.files.plain_name import plain_name

# Two readers give the same frame the same time but for rounding; frames are further apart.
SAME_TIME_S = 5e-4
# Codecs in which every packet is one picture to be shown (VP8, for one, has hidden ones).
_PACKET_IS_FRAME = frozenset({"h264", "hevc", "mpeg4", "mjpeg", "prores", "vp9", "av1"})


def load_pyav() -> ModuleType | None:
    """Return PyAV with its messages on stderr silenced, or None where it is not installed."""
    try:
        import av
        import av.logging
    except ImportError:
        return None
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)
    return av


class Salvage:
    """The frames of a damaged file after a given time, read packet by packet.

    Packets that cannot be decoded are passed over.

    Attributes:
        n_bad: Packets passed over so far.
        reached_s: Time of the last frame given; the `after_s` of the start while there is none.
        length_s: What the file claims to last, or None.
    """

    def __init__(self, path: Path, *, after_s: float) -> None:
        self.path = path
        self.n_bad = 0
        self.reached_s = after_s
        self.length_s: float | None = None

    def __iter__(self) -> Iterator[tuple[UInt8[np.ndarray, "height width 3"], float]]:
        """Yield each frame (RGB, upright) later than `after_s` with its time in seconds."""
        av = load_pyav()
        if av is None:
            return
        try:
            container = av.open(plain_name(self.path))
        except (av.error.FFmpegError, OSError):
            self.n_bad += 1
            return
        with container:
            stream = next(iter(container.streams.video), None)
            if stream is not None:
                self.length_s = _length(container, stream)
                yield from self._later_frames(av, container, stream)

    def _later_frames(
        self, av: ModuleType, container: Any, stream: Any
    ) -> Iterator[tuple[np.ndarray, float]]:
        start_pts = stream.start_time or 0
        if self.reached_s > 0:
            pts = start_pts + int(self.reached_s / stream.time_base)
            try:
                container.seek(pts, stream=stream)
            except av.error.FFmpegError:
                self.n_bad += 1
        for frame in self._decode(av, container, stream):
            if frame.pts is None:
                continue
            time_s = float((frame.pts - start_pts) * stream.time_base)
            if time_s > self.reached_s + SAME_TIME_S:
                self.reached_s = time_s
                image = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                yield np.ascontiguousarray(image), time_s

    def _decode(self, av: ModuleType, container: Any, stream: Any) -> Iterator[Any]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self.n_bad += 1
                return
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self.n_bad += 1


def _length(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def count_before(path: Path, time_s: float) -> int | None:
    """Count the frames shown before `time_s` without decoding any, or None if PyAV cannot tell.

    Args:
        path: A video.
        time_s: Seconds from the start of the video stream.
    """
    av = load_pyav()
    if av is None:
        return None
    try:
        with av.open(plain_name(path)) as container:
            stream = container.streams.video[0]
            if stream.codec_context.name not in _PACKET_IS_FRAME:
                return None
            return _count_packets(container, stream, time_s)
    except (av.error.FFmpegError, OSError, IndexError):
        return None


def _count_packets(container: Any, stream: Any, time_s: float) -> int | None:
    limit = (stream.start_time or 0) + (time_s - SAME_TIME_S) / stream.time_base
    n_before = 0
    for packet in container.demux(stream):
        if packet.size == 0:
            break  # the mark of the end
        if packet.pts is None or packet.dts is None:
            return None
        if packet.dts >= limit:
            break  # a frame is never shown before it is decoded: all that follow are later
        n_before += packet.pts < limit and not packet.is_discard
    return n_before


def why_unreadable(path: Path) -> str:
    """Say why a file that OpenCV cannot open is no video, and what to do."""
    if path.stat().st_size == 0:
        return f"{path}: the file is empty (0 bytes); copy or download it again"
    av = load_pyav()
    if av is None:
        return (
            f"{path}: not a video, or one without pictures or without its index "
            "(a broken download?); play it in a video player to see"
        )
    try:
        with av.open(plain_name(path)) as container:
            if container.streams.audio and not container.streams.video:
                return f"{path}: holds sound but no pictures; give a video file"
            return f"{path}: holds no frames; record or export it again"
    except (av.error.FFmpegError, OSError):
        return (
            f"{path}: not a video, or one whose index is missing (a broken download?); "
            "give a video file such as .mp4, .mov, .mkv, .avi or .webm"
        )
