"""People of a result as animations: what BVH and GLB have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.export.base import ExportOptions, chosen
from pose3d_cli.files.export.track import rate_of, track_of
from pose3d_cli.files.results import ClipResult, PersonResult
from pose3d_cli.pose.rig.motion import Animated, RigMotion, animate
from pose3d_cli.pose.rig.rotations import animation_axes

EVEN = 0.1
"""Of a period: how far a frame may be from an even rate without being moved there."""


NO_POSE = "there is no frame in which all joints have a place"


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonAnimation:
    """One person's animation.

    Attributes:
        person: Identity.
        motion: In seconds from the first frame of the clip; None of who has no pose at all.
        notes: What the user should know of it.
    """

    person: int
    motion: RigMotion | None
    notes: tuple[str, ...]


def animations(result: ClipResult, options: ExportOptions) -> Iterator[PersonAnimation]:
    """Yield the animation of each who is chosen, worked out when their turn comes.

    A crowd's all at once would fill the memory.
    """
    for person in chosen(result, options).people:
        yield animation_of(result, person, options)


def animation_of(
    result: ClipResult, person: PersonResult, options: ExportOptions
) -> PersonAnimation:
    """Return one person's animation, at the times of the clip's frames."""
    who = f"person {person.person}"
    done = animated(result, person, options)
    if done is None:
        return PersonAnimation(
            person=person.person,
            motion=None,
            notes=(f"{who} is left out: {NO_POSE}",),
        )
    return PersonAnimation(
        person=person.person, motion=done.motion, notes=tuple(_notes(who, done, options))
    )


def animated(result: ClipResult, person: PersonResult, options: ExportOptions) -> Animated | None:
    """Return somebody's motion, in seconds from the clip's first frame; None without any pose."""
    if not np.isfinite(person.xyz_camera).all((1, 2)).any():
        return None
    track = track_of(result, person)
    time_s = track.time_s - result.time_s[0]
    return animate(animation_axes(track.xyz), time_s, fps=rate_of(result), fill=options.fill)


def _notes(who: str, done: Animated, options: ExportOptions) -> Iterator[str]:
    n_filled = int(done.is_filled.sum())
    if n_filled:
        how = "the last pose is held" if options.fill == "hold" else "poses are interpolated"
        yield f"{who} is out of sight in {n_filled} of {len(done.is_filled)} frames; {how} there"
    mean_mm, most_mm = (1000 * value for value in done.moved_m)
    yield (
        f"{who}: bones are given constant lengths, which moves joints by {mean_mm:.0f} mm on "
        f"average, {most_mm:.0f} mm at most"
    )


def at_even_rate(motion: RigMotion, fps: float, options: ExportOptions) -> tuple[RigMotion, bool]:
    """Return a motion at an even rate, from its first frame on, and whether frames were moved."""
    first = motion.time_s[0]
    if np.abs(motion.time_s - _even(first, len(motion.time_s), fps)).max() * fps < EVEN:
        return motion, False
    n_frames = int(np.floor((motion.time_s[-1] - first) * fps + EVEN)) + 1
    return motion.at(_even(first, n_frames, fps), options.fill), True


def _even(first: float, n_frames: int, fps: float) -> Float64[np.ndarray, " frames"]:
    return np.asarray(first + np.arange(n_frames) / fps, dtype=np.float64)
