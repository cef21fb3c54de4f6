"""Whether motion jumps where windows meet: velocity errors there and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.takes import TAKE_HZ, lift_takes
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift.strands import strands_at
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import lay_windows


@dataclass(frozen=True, kw_only=True)
class Seams:
    """Velocity errors of whole clips.

    Attributes:
        border_mm: Mean error of the steps into or out of a window's first or last frame, mm a
            frame.
        inside_mm: Mean error of all other steps.
        ratio: The first over the second; 1 where windows leave no trace.
    """

    border_mm: float
    inside_mm: float
    ratio: float


def measure_seams(
    lifter: WindowedLifter,
    clips: Sequence[MocapClip],
    *,
    takes: int = 48,
    windows_a_take: int = 4,
    seed: int = 4321,
) -> Seams:
    """Lift generated takes of several windows' length and compare steps at borders with others.

    Args:
        lifter: As it is used on videos.
        clips: Held-out motion.
        takes: How many takes are drawn.
        windows_a_take: Length of a take in windows.
        seed: Of the generator.
    """
    strands = strands_at(TAKE_HZ, lifter.about.rate_hz)
    frames = lifter.window * strands * windows_a_take
    batch = fixed_batch(clips, frames, TAKE_HZ, takes, seed)
    lifted, truth = lift_takes(lifter, batch)
    wrong = np.diff(lifted, axis=1) - np.diff(truth, axis=1)
    error = np.linalg.norm(wrong, axis=-1).mean((0, 2)) * 1000
    border = border_steps(frames, lifter.window, strands)
    at_border, inside = float(error[border].mean()), float(error[~border].mean())
    return Seams(border_mm=at_border, inside_mm=inside, ratio=at_border / inside)


def border_steps(frames: int, window: int, strands: int = 1) -> Bool[np.ndarray, " steps"]:
    """Return which steps from frame to frame enter or leave a window somewhere in the clip.

    Where frames are lifted as several strands, these are all steps between the two frames of a
    strand of which only one is in the window.
    """
    border = np.zeros(frames - 1, bool)
    for first in range(strands):
        place = np.arange(first, frames, strands)
        for index in lay_windows(len(place), window).index:
            for last in (index.min() - 1, index.max()):
                if 0 <= last < len(place) - 1:
                    border[place[last] : place[last + 1]] = True
    return border
