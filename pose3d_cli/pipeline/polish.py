"""Placed people cleaned up: what `pose3d lift` does between placing and writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from pose3d_cli.pipeline.place import Placed
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.clean.chain import Cleaned, Known, Steps, clean
from pose3d_cli.pose.clean.fill import can_fill, fill_gap
from pose3d_cli.pose.clean.motion import Motion
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.world import World


@dataclass(frozen=True, kw_only=True, eq=False)
class Polished:
    """Everybody after clean-up.

    Attributes:
        placed: Stretches, those joined whose gap was filled.
        record: What was done, for `meta["clean_up"]`.
        known: Of each person, for the next part of the same clip.
    """

    placed: list[Placed]
    record: dict[str, Any]
    known: dict[int, Known]


def polish(
    placed: Sequence[Placed],
    world: World,
    settings: LiftSettings,
    frames: Int64[np.ndarray, " frames"],
    time_s: Float64[np.ndarray, " frames"],
    known: Mapping[int, Known] | None = None,
) -> Polished:
    """Clean up everybody, as the settings say.

    Args:
        placed: Stretches of everybody, in any order.
        world: Where up is.
        settings: Which steps, and how much.
        frames: Number of every frame of the clip, or of a part of it with margins.
        time_s: Their times.
        known: What the part before gave: bones and feet then go on where that left them.
    """
    steps = steps_of(settings)
    polished, people, kept = list[Placed](), dict[str, Any](), dict(known or {})
    for person in sorted({piece.person for piece in placed}):
        pieces = sorted(
            (piece for piece in placed if piece.person == person),
            key=lambda piece: int(piece.keypoints.frames[0]),
        )
        motions = [_motion(piece) for piece in pieces]
        keypoints, motions, filled = _filled(
            [piece.keypoints for piece in pieces], motions, settings.fill, frames, time_s
        )
        cleaned = clean(motions, world, steps, kept.get(person))
        kept[person] = cleaned.known
        people[str(person)] = {**cleaned.record, "filled_frames": filled}
        polished += _placed(person, keypoints, cleaned)
    return Polished(placed=polished, record=_record(settings, people), known=kept)


def steps_of(settings: LiftSettings) -> Steps:
    """Return which steps the settings ask for."""
    return Steps(
        outliers=settings.outliers == "mend",
        smooth=settings.smooth,
        bones=settings.bones == "constant",
        feet=settings.feet,
    )


def _record(settings: LiftSettings, people: dict[str, Any]) -> dict[str, Any]:
    names = ("outliers", "smooth", "bones", "feet", "fill")
    return {"settings": {name: getattr(settings, name) for name in names}, "people": people}


def _motion(piece: Placed) -> Motion:
    root = piece.xyz_camera[:, 0].astype(np.float64)
    return Motion(
        time_s=piece.keypoints.time_s,
        root=root,
        pose=piece.xyz_root.astype(np.float64),
        score=piece.keypoints.score,
    )


def _filled(
    keypoints: Sequence[Keypoints2D],
    motions: Sequence[Motion],
    longest_s: float,
    frames: Int64[np.ndarray, " frames"],
    time_s: Float64[np.ndarray, " frames"],
) -> tuple[list[Keypoints2D], list[Motion], list[list[int]]]:
    """Join stretches over gaps to be filled; say which frames those are, first and last."""
    joined, better, filled = [keypoints[0]], [motions[0]], list[list[int]]()
    for seen, motion in zip(keypoints[1:], motions[1:], strict=True):
        between = (frames > joined[-1].frames[-1]) & (frames < seen.frames[0])
        if longest_s and between.any() and can_fill(better[-1], motion, longest_s):
            filled.append([int(frame) for frame in frames[between][[0, -1]]])
            better[-1] = fill_gap(better[-1], motion, time_s[between])
            joined[-1] = _joined(joined[-1], frames[between], time_s[between], seen)
        else:
            joined.append(seen)
            better.append(motion)
    return joined, better, filled


def _joined(
    before: Keypoints2D,
    frames: Int64[np.ndarray, " gap"],
    time_s: Float64[np.ndarray, " gap"],
    after: Keypoints2D,
) -> Keypoints2D:
    """Return keypoints with rows of nothing between them."""
    nothing = np.full((len(frames), *before.xy.shape[1:]), np.nan, np.float32)
    unsure = np.zeros(nothing.shape[:2], np.float32)
    return replace(
        before,
        xy=np.concatenate([before.xy, nothing, after.xy]),
        score=np.concatenate([before.score, unsure, after.score]),
        frames=np.concatenate([before.frames, frames, after.frames]),
        time_s=np.concatenate([before.time_s, time_s, after.time_s]),
    )


def _placed(person: int, keypoints: Sequence[Keypoints2D], cleaned: Cleaned) -> list[Placed]:
    return [
        Placed(person, seen, motion.pose.astype(np.float32), motion.xyz.astype(np.float32))
        for seen, motion in zip(keypoints, cleaned.motions, strict=True)
    ]
