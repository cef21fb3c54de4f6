"""Small video files made on the spot, sound and broken, whose every picture tells its number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

N_BITS = 12
RED, GREEN, BLUE = (220, 30, 30), (30, 180, 30), (30, 30, 220)


def picture(number: int, size: tuple[int, int] = (192, 96), *, grain: int = 0) -> np.ndarray:
    """Draw picture `number`: bits across the top, red left, blue right, green at the bottom.

    Args:
        number: 0 to 4095, written as dark and bright blocks in the top third.
        size: Width and height.
        grain: Strength of fixed random grain, which makes the file long enough to be damaged.
    """
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[:, : width // 2], image[:, width // 2 :] = RED, BLUE
    image[2 * height // 3 :] = GREEN
    if grain:
        noise = np.random.default_rng(number).integers(-grain, grain + 1, (height, width, 1))
        image = np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)
    edges = np.linspace(0, width, N_BITS + 1).astype(int)
    for bit in range(N_BITS):
        image[: height // 3, edges[bit] : edges[bit + 1]] = 235 if number >> bit & 1 else 20
    return image


def number_in(image: np.ndarray) -> int:
    """Read back the number that `picture` drew, at any size, if the picture is upright."""
    height, width = image.shape[:2]
    centres = ((np.arange(N_BITS) + 0.5) * width / N_BITS).astype(int)
    bright = image[height // 6, centres].mean(-1) > 128
    return int((bright << np.arange(N_BITS)).sum())


def colour_at(image: np.ndarray, x: float, y: float) -> tuple[int, int, int]:
    """Return the colour at a place given as shares of width and height."""
    height, width = image.shape[:2]
    red, green, blue = image[int(y * height), int(x * width)]
    return int(red), int(green), int(blue)


def make_clip(
    path: Path,
    *,
    n_frames: int = 30,
    size: tuple[int, int] = (192, 96),
    rate: Fraction = Fraction(30),
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    grain: int = 0,
    gop: int = 12,
    b_frames: int = 0,
) -> Path:
    """Write an H.264 clip (moov first) whose pictures are `picture(0)`, `picture(1)`, ...

    Args:
        path: Where to.
        n_frames: How many pictures; 0 makes a file with a video stream and nothing in it.
        size: Width and height as shown, upright.
        rate: Nominal frames a second.
        times_s: Presentation times for a variable rate; default one every 1 / rate.
        rotation: 90, 180 or 270: stored lying down, with a flag that turns it upright.
        aspect: Sample aspect ratio, for pixels that are not square.
        grain: See `picture`.
        gop: Frames between key frames.
        b_frames: Frames stored out of order; makes an mp4 with an edit list.
    """
    # A stream depends on the number of threads, which would be that of the cores.
    options = {
        "crf": "18",
        "preset": "veryfast",
        "g": str(gop),
        "bf": str(b_frames),
        "threads": "3",
    }
    faststart = {"movflags": "+faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", container_options=faststart) as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        turned = rotation % 180 != 0
        stream.width, stream.height = size[::-1] if turned else size
        stream.pix_fmt = "yuv420p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        container.start_encoding()
        for number in range(n_frames):
            image = np.rot90(picture(number, size, grain=grain), -rotation // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            if times_s is None:
                frame.pts, frame.time_base = number, 1 / rate
            else:
                frame.pts, frame.time_base = round(times_s[number] * 90000), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_sound_only(path: Path) -> Path:
    """Write an mp4 that holds sound and no video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_text(path: Path) -> Path:
    """Write a text file, whatever its name says."""
    path.write_text("This is not a video.\n" * 50)
    return path


def truncate(path: Path, share: float) -> Path:
    """Cut the file off after `share` of its bytes, as a broken download does."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


def spoil(path: Path, *, at: float = 0.5, n_bytes: int = 2000) -> Path:
    """Overwrite `n_bytes` with noise, starting after `at` of the file."""
    whole = bytearray(path.read_bytes())
    start = int(len(whole) * at)
    whole[start : start + n_bytes] = np.random.default_rng(0).bytes(n_bytes)
    path.write_bytes(bytes(whole))
    return path
