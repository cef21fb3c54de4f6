"""Cut a clip into windows and stitch the answers together: one law, used by all.

Windows overlap, and each answer counts less towards the ends of its window (a triangle), so one
window fades out while the next one fades in. A clip shorter than a window stands in the middle of
one and is reflected to both sides, which keeps its rate where stretching would not. Papers cut
their test clips in other ways; those that figures are compared by are here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped


@dataclass(frozen=True, eq=False)
class Windows:
    """Where the windows of a clip lie.

    Attributes:
        n_frames: Length of the clip.
        index: Frame of the clip in each place of each window.
        is_real: Whether a place holds its frame for the first time; false where reflected.
        weight: How much the answer in a place counts; 0 where not real.
    """

    n_frames: int
    index: Int[np.ndarray, "windows window"]
    is_real: Bool[np.ndarray, "windows window"]
    weight: Float64[np.ndarray, "windows window"]


def lay_windows(n_frames: int, window: int, stride: int | None = None) -> Windows:
    """Lay windows over a clip so that every frame is in at least one.

    Args:
        n_frames: Length of the clip, from 1.
        window: Frames of a window.
        stride: Most frames from the start of one window to that of the next; None takes half a
            window. Windows are spread evenly, the last one ending with the clip.

    Raises:
        ValueError: An empty clip, or a stride that would leave frames out.
    """
    stride = max(window // 2, 1) if stride is None else stride
    if n_frames < 1 or not 1 <= stride <= window:
        raise ValueError(f"cannot lay windows of {window}, {stride} apart, over {n_frames} frames")
    if n_frames < window:
        place = np.arange(window) - (window - n_frames) // 2
        index = _reflected(place, n_frames)[None]
        is_real = ((place >= 0) & (place < n_frames))[None]
    else:
        last = n_frames - window
        starts = np.rint(np.linspace(0, last, -(-last // stride) + 1)).astype(np.int64)
        index = starts[:, None] + np.arange(window)
        is_real = np.ones(index.shape, dtype=bool)
    return Windows(n_frames, index, is_real, _fades(*index.shape) * is_real)


def tile_windows(n_frames: int, window: int) -> Windows:
    """Lay windows side by side, as papers cut their test clips: what fills no window is left out.

    A clip shorter than a window is stretched to one by repeating frames; of a frame's repeats the
    last one counts.

    Source: MotionBERT's and MotionAGFormer's `split_clips`, with frames repeated evenly where
    theirs are drawn by chance.
    """
    if n_frames >= window:
        starts = np.arange(0, n_frames - window + 1, window)
        index = starts[:, None] + np.arange(window)
    else:
        index = np.linspace(0, n_frames, window, endpoint=False).astype(np.int64)[None]
    is_last = np.append(np.diff(index, axis=1) > 0, np.ones((len(index), 1), bool), axis=1)
    return Windows(n_frames, index, is_last, is_last.astype(np.float64))


def centred_windows(n_frames: int, window: int) -> Windows:
    """Lay a window round each frame, whose answer alone is kept; the clip's ends are repeated.

    Source: VideoPose3D's and P-STMO's evaluation.
    """
    place = np.arange(n_frames)[:, None] + np.arange(window) - (window - 1) // 2
    is_centre = np.zeros(place.shape, bool)
    is_centre[:, (window - 1) // 2] = True
    index = np.clip(place, 0, n_frames - 1)
    return Windows(n_frames, index, is_centre, is_centre.astype(np.float64))


Layout = Callable[[int, int], Windows]
"""How windows of so many frames are laid over a clip of so many: (frames, window) to windows."""


def _fades(n_windows: int, window: int) -> Float64[np.ndarray, "windows window"]:
    """Return triangles; towards the clip's own ends, where nothing takes over, they stay level."""
    rise = np.arange(window) + 1.0
    weight = np.tile(np.minimum(rise, rise[::-1]), (n_windows, 1))
    half = window // 2
    weight[0, :half] = weight[-1, window - half :] = weight[0, half]
    return weight


def _reflected(place: Int[np.ndarray, " window"], n_frames: int) -> Int[np.ndarray, " window"]:
    """Map places before 0 and after the end to those as far inside; one frame repeats itself."""
    if n_frames == 1:
        return np.zeros_like(place)
    turn = np.mod(place, 2 * (n_frames - 1))
    return np.minimum(turn, 2 * (n_frames - 1) - turn)


def cut(
    values: Shaped[np.ndarray, " frames *rest"], windows: Windows
) -> Shaped[np.ndarray, " windows window *rest"]:
    """Return what `values` holds in each place of each window."""
    if len(values) != windows.n_frames:
        raise ValueError(f"windows of {windows.n_frames} frames cannot cut {len(values)}")
    return values[windows.index]


def stitch(
    answers: Float[np.ndarray, " windows window *rest"], windows: Windows
) -> Float[np.ndarray, " frames *rest"]:
    """Return the weighted mean of all answers for each frame, NaN where none is; undoes `cut`."""
    if answers.shape[:2] != windows.index.shape:
        raise ValueError(f"answers {answers.shape} do not fit windows {windows.index.shape}")
    total = np.zeros((windows.n_frames, *answers.shape[2:]))
    share = np.zeros((windows.n_frames, *[1] * (answers.ndim - 2)))
    for answer, index, real, weight in zip(
        answers, windows.index, windows.is_real, windows.weight, strict=True
    ):
        frames = slice(index[real][0], index[real][-1] + 1)  # real places follow each other
        weights = weight[real].reshape(-1, *share.shape[1:])
        total[frames] += weights * answer[real]
        share[frames] += weights
    mean = np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)
    return mean.astype(answers.dtype)
