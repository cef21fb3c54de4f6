"""Windows cut from clips at their own rate, every one of them once in each pass over the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64

from pose3d_cli.learn.chance import seed_of
from pose3d_cli.learn.clip_tracks import Track
from pose3d_cli.learn.pairs import ScreenPairs
from pose3d_cli.lift.windows import tile_windows

_ORDER = 2**31  # in the place of a part's number, which no part of a batch has


@dataclass(frozen=True, eq=False)
class ClipWindows:
    """Where windows lie in clips, and the clips.

    Attributes:
        tracks: The clips; a window never goes from one to another.
        frames: Of a window.
        place: The number of the clip and the first frame of each window.
    """

    tracks: Sequence[Track]
    frames: int
    place: Int64[np.ndarray, "windows 2"]

    @classmethod
    def lay(
        cls, tracks: Sequence[Track], frames: int, stride: int, *, need_truth: bool = True
    ) -> ClipWindows:
        """Lay windows over clips, from the first frame on, `stride` frames apart.

        What is left at a clip's end and fills no window is left out, as papers do. A clip that is
        shorter than a window gives one, stretched by repeating frames as `tile_windows` does.
        Windows in which nobody is seen are left out.

        Args:
            tracks: The clips.
            frames: Of a window.
            stride: From the first frame of a window to that of the next, at least 1.
            need_truth: Leave out windows of which no truth is known, too.
        """
        places = [np.zeros((0, 2), np.int64)]
        for number, track in enumerate(tracks):
            first = np.arange(0, max(len(track) - frames, 0) + 1, stride)
            is_kept = _in_window(track.x[..., 2].max(-1) > 0, first, frames)
            if need_truth:
                is_kept &= _in_window(~np.isnan(track.target).all((1, 2)), first, frames)
            kept = first[is_kept]
            places.append(np.stack([np.full_like(kept, number), kept], -1))
        return cls(tracks, frames, np.concatenate(places))

    def __len__(self) -> int:
        return len(self.place)

    def cut(self, windows: Int64[np.ndarray, " b"]) -> ScreenPairs:
        """Return the windows of these numbers."""
        parts = [self._part(int(track), int(first)) for track, first in self.place[windows]]
        x, target = (np.stack(arrays) for arrays in zip(*parts, strict=True))
        return ScreenPairs(torch.from_numpy(x), torch.from_numpy(target))

    def metres_per_unit(self, windows: Int64[np.ndarray, " b"]) -> Float32[np.ndarray, "b t"]:
        """Return metres of a unit of the target in each frame of windows; NaN where unknown."""
        rows = []
        for number, first in self.place[windows]:
            metres = self.tracks[number].metres_per_unit
            frames = self._frames(int(number), int(first))
            rows.append(np.full(self.frames, np.nan) if metres is None else metres[frames])
        return np.stack(rows).astype(np.float32)

    def _part(
        self, number: int, first: int
    ) -> tuple[Float32[np.ndarray, "t 17 3"], Float32[np.ndarray, "t 17 3"]]:
        track, frames = self.tracks[number], self._frames(number, first)
        return track.x[frames], track.target[frames]

    def _frames(self, number: int, first: int) -> slice | Int64[np.ndarray, " t"]:
        length = len(self.tracks[number])
        if length < self.frames:
            return tile_windows(length, self.frames).index[0]
        return slice(first, first + self.frames)


def _in_window(
    holds: Bool[np.ndarray, " frames"], first: Int64[np.ndarray, " windows"], frames: int
) -> Bool[np.ndarray, " windows"]:
    """Return which windows have a frame that holds."""
    so_far = np.concatenate([[0], np.cumsum(holds)])
    return so_far[np.minimum(first + frames, len(holds))] > so_far[first]


class PassedWindows:
    """Draws windows in passes: each sees every window once, in an order of its own, half mirrored.

    The order of a pass depends on the seed and the number of the pass alone, and what is drawn on
    the seed, the step and the part of its batch, so a run that is resumed, or shared out among
    processes, draws what it would have drawn anyhow.

    Args:
        windows: At least one.
        seed: Start of the random numbers.
        batch: Windows in a part of a step's batch.
        parts: Parts of a step's batch, those of all processes together.
        spread: Of each window's frames only so many, as far apart as can be; None for all.
    """

    def __init__(
        self,
        windows: ClipWindows,
        *,
        seed: int,
        batch: int,
        parts: int = 1,
        spread: int | None = None,
    ) -> None:
        self.windows, self.seed, self.batch, self.parts = windows, seed, batch, parts
        self.random = torch.Generator().manual_seed(seed)
        self._next = 0
        self._order = lru_cache(maxsize=2)(self._order_of)
        last = windows.frames - 1
        self._kept = None if spread is None else np.rint(np.linspace(0, last, spread)).astype(int)

    def begin(self, step: int, part: int) -> None:
        """Go to a part of a step's batch, whatever was drawn before; steps count from 0."""
        self.random.manual_seed(seed_of(self.seed, step, part))
        self._next = (step * self.parts + part) * self.batch

    def draw(self, windows: int) -> ScreenPairs:
        """Return the next `windows` windows."""
        places = np.arange(self._next, self._next + windows)
        self._next += windows
        passes, within = np.divmod(places, len(self.windows))
        chosen = [self._order(int(p))[w] for p, w in zip(passes, within, strict=True)]
        pairs = self.windows.cut(np.array(chosen, np.int64))
        if self._kept is not None:
            pairs = ScreenPairs(pairs.x[:, self._kept], pairs.target[:, self._kept])
        return pairs.mirrored(torch.rand(windows, generator=self.random) < 0.5)

    def _order_of(self, number: int) -> Int64[np.ndarray, " windows"]:
        random = np.random.default_rng(seed_of(self.seed, number, _ORDER))
        return random.permutation(len(self.windows))
