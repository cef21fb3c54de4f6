"""What a data file of the field is, and what its numbers must be: units and frames.

None of it runs what a pickle asks for: pickles are read as lists of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from pose3d_cli.errors import InputError
from pose3d_cli.learn.file_words import kind_of

Unit = Literal["metres", "centimetres", "millimetres", ""]

_SHOWN = 3

# How far a person reaches along the longest axis, from a crouching child to arms held high. The
# bounds are a factor of ten apart, so that no length is a person's in two units.
_EXTENT_M = (0.35, 3.5)
_SCALE: Mapping[Unit, float] = {"metres": 1, "centimetres": 100, "millimetres": 1000}

_MOST_NORMALISED = 3.0


def what_is(path: Path) -> str:
    """Say in words what a file is, such as `VideoPose3D's 2D npz (positions_2d)`."""
    return kind_of(path)


class Findings:
    """What is wrong with a file: each problem once, with the first place it was found in.

    Args:
        path: The file, which each line begins with.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, list[str]] = {}

    def add(self, problem: str, place: str = "") -> None:
        """Record a problem; `place` says where in the file, such as the name of a clip."""
        self._places.setdefault(problem, []).append(place)

    def lines(self) -> list[str]:
        """Return a line a problem, in the order of their finding."""
        return [
            f"{self.path}: {f'{places[0]}: ' if places[0] else ''}{problem}"
            f"{f' (and {len(places) - 1} more such)' if len(places) > 1 else ''}"
            for problem, places in self._places.items()
        ]


def refuse(findings: Sequence[str]) -> None:
    """Raise what was found wrong with a data set, if anything was.

    Raises:
        InputError: With the first findings, and how many more there are.
    """
    if not findings:
        return
    more = len(findings) - _SHOWN
    told = "; ".join(findings[:_SHOWN])
    raise InputError(
        f"{told}; and {more} more: `pose3d data check` lists all" if more > 0 else told
    )


def in_words(value: object) -> str:
    """Say in a few words what a value of a data file is, for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.shape} {value.dtype}"
    if isinstance(value, Mapping):
        keys = ", ".join(repr(key) for key in list(value)[:4])
        return f"a dictionary of {len(value)} ({keys}{', ...' if len(value) > 4 else ''})"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{type(value).__name__} {str(value)[:40]!r}"


def as_numbers(value: Any) -> np.ndarray | None:
    """Return an array of real numbers, or None of whatever is no such array."""
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" else None


def sampled(n: int, most: int) -> np.ndarray:
    """Return at most `most` of the numbers 0 to n - 1, spread evenly; the same each time."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.int64))[:n]


def extent(xyz: Float[np.ndarray, "*batch joints 3"]) -> float:
    """Return how far a person's joints usually reach along the longest axis; NaN of nothing."""
    poses = xyz.reshape(-1, *xyz.shape[-2:]).astype(np.float64)
    poses = poses[np.isfinite(poses).all((1, 2))]
    return float(np.median(np.ptp(poses, axis=1).max(-1))) if len(poses) else float("nan")


def length_unit(xyz: Float[np.ndarray, "*batch joints 3"]) -> Unit:
    """Return the unit in which these joints are a person; "" where they are none in any unit."""
    reach = extent(xyz)
    low, high = _EXTENT_M
    fitting = [unit for unit, per_m in _SCALE.items() if low * per_m <= reach <= high * per_m]
    return fitting[0] if fitting else ""


def looks_like_metres(xyz: Float[np.ndarray, "*batch joints 3"]) -> bool:
    """Return whether these joints are a person in metres."""
    return length_unit(xyz) == "metres"


def looks_like_millimetres(xyz: Float[np.ndarray, "*batch joints 3"]) -> bool:
    """Return whether these joints are a person in millimetres."""
    return length_unit(xyz) == "millimetres"


def looks_normalised(xy: Float[np.ndarray, "*batch joints 2"]) -> bool:
    """Return whether 2D keypoints are screen coordinates such as [-1, 1] and not pixels."""
    values = np.abs(xy[np.isfinite(xy) & (xy != 0)])
    return bool(len(values)) and float(np.percentile(values, 99)) <= _MOST_NORMALISED


def looks_root_relative(xyz: Float[np.ndarray, "*batch joints 3"], root: int = 0) -> bool:
    """Return whether joint number `root` lies at the origin in every frame."""
    at_root = np.abs(xyz[..., root, :])
    known = at_root[np.isfinite(at_root)]
    return known.size > 0 and bool(known.max() <= 1e-4 * extent(xyz))
