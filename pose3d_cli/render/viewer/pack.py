"""Motion as short text: whole numbers, foretold, deflated, in base64; `data.js` undoes it."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int16, Int64

GAP = -32768
"""The number that stands where nothing is known."""

_LARGEST = 32767


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Numbers of a person over time.

    Attributes:
        data: Of whole numbers, foretold from the joint above and the rows before.
        base: What a row of coordinates starts from; the same unit as the values.
        unit: Value of a step of one.
        order: How many times differences over time were taken.
    """

    data: str
    base: tuple[float, ...]
    unit: float
    order: int


def pack_points(
    values: Float[np.ndarray, "rows joints channels"],
    parents: Int64[np.ndarray, " joints"],
    *,
    unit: float,
    order: int,
) -> Packed:
    """Return points in steps of `unit`, or of a larger one where 16 bits would not hold them.

    Args:
        values: In any unit; a joint with a channel that is not finite is a gap.
        parents: Place of each joint's parent. Neighbours move alike: their difference is small.
        unit: Size of a step.
        order: Differences over time to take; 2 suits smooth motion, 1 noisy motion.
    """
    known = np.isfinite(values).all(-1)
    flat = values[known].astype(np.float64)
    base = np.round((flat.min(0) + flat.max(0)) / 2, 3) if len(flat) else np.zeros(values.shape[2])
    reach = float(np.abs(flat - base).max(initial=0.0))
    unit *= max(1, int(np.ceil(reach / unit / _LARGEST)))
    whole = np.full(values.shape, GAP, np.int16)
    whole[known] = np.rint((flat - base) / unit).astype(np.int16)
    joints, channels = values.shape[1:]
    differences = _from_parent(whole, parents).reshape(-1, joints * channels)
    return Packed(
        data=pack_whole(differences, order=order),
        base=tuple(base.tolist()),
        unit=unit,
        order=order,
    )


def _from_parent(
    whole: Int16[np.ndarray, "rows joints channels"], parents: Int64[np.ndarray, " joints"]
) -> Int16[np.ndarray, "rows joints channels"]:
    """Return joints from their parent, modulo 2^16; those whose parent comes later as they are."""
    known = np.array([joint for joint, parent in enumerate(parents) if 0 <= parent < joint], int)
    differences = whole.copy()
    differences[:, known] -= whole[:, parents[known]]
    return differences


def pack_whole(values: Int16[np.ndarray, "rows channels"], *, order: int) -> str:
    """Return whole numbers that change slowly from row to row, modulo 2^16, as text."""
    series = values.T  # a channel's rows lie together
    for _ in range(order):
        series = np.diff(series, axis=1, prepend=np.int16(0))
    zigzag = ((series << 1) ^ (series >> 15)).astype(np.uint16)  # small either way: small
    return _text(_planes(zigzag.astype("<u2")))


def pack_times(time_s: Float64[np.ndarray, " frames"]) -> str:
    """Return times without loss: how far each is, in last places, from where it is foretold."""
    foretold = np.zeros_like(time_s)
    foretold[2:] = 2 * time_s[1:-1] - time_s[:-2]
    missed = time_s.view(np.int64) - foretold.view(np.int64)
    return _text(_planes(((missed << 1) ^ (missed >> 63)).astype("<u8")))


def pack_rising(values: Int64[np.ndarray, " rows"]) -> str:
    """Return rising whole numbers below 2^31 as text."""
    return _text(_planes(np.diff(values, prepend=np.int64(0)).astype("<u4")))


def _planes(values: np.ndarray) -> bytes:
    """Return all lowest bytes, then all next ones: what is alike lies together."""
    return values.reshape(-1, 1).view(np.uint8).T.tobytes()


def _text(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")
