"""Real people in small clips made on the spot: cuts of the sample with what a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

SAMPLE = Path(__file__).parents[1] / "samples" / "walk.mp4"
FPS = 30


@cache
def walking(n_frames: int, size: tuple[int, int] = (640, 360)) -> tuple[np.ndarray, ...]:
    """Return the first pictures of the sample, RGB."""
    pictures = []
    with av.open(str(SAMPLE)) as clip:
        for frame in clip.decode(video=0):
            pictures.append(cv2.resize(frame.to_ndarray(format="rgb24"), size))
            if len(pictures) == n_frames:
                return tuple(pictures)
    raise AssertionError(f"the sample has fewer than {n_frames} frames")


def empty(n_frames: int, size: tuple[int, int] = (640, 360)) -> tuple[np.ndarray, ...]:
    """Return pictures of a grey wall."""
    return (np.full((size[1], size[0], 3), 127, np.uint8),) * n_frames


def make_film(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
) -> Path:
    """Write upright pictures as H.264; with `rotation` stored lying down and flagged."""
    with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as container:
        options = {"crf": "20", "preset": "veryfast", "bf": "0", "g": "6"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stored = [np.ascontiguousarray(np.rot90(p, -rotation // 90)) for p in pictures]
        stream.height, stream.width = stored[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        container.start_encoding()
        for number, picture in enumerate(stored):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            time_s = number / FPS if times_s is None else times_s[number]
            frame.pts, frame.time_base = round(time_s * 90000), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
