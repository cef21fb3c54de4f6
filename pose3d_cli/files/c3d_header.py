"""Whether a C3D is whole, by its header and the sizes that its parameters say.

The library that reads the points trusts both: of damaged ones it crashes, or reads for ever.

Source: the C3D file format's user guide (Motion Lab Systems), for where what stands.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

from pose3d_cli.errors import InputError

_BLOCK = 512
_KEY = 0x50
_PROCESSORS = {84: ("<", 15), 85: ("<", 13), 86: (">", 12)}
"""Of Intel, DEC and MIPS: order of bytes, and where the sign of the header's scale stands."""

_SIZES = {-1: 1, 1: 1, 2: 2, 4: 4}
"""Bytes of a parameter's values, by its type."""

_MOST_DIMENSIONS = 7
_MOST_FRAMES = 2**16 - 1


def check_whole(path: Path) -> None:
    """Refuse a C3D that is damaged or cut off.

    Raises:
        InputError: A header, or sizes of parameters, that cannot be; fewer frames than are told.
    """
    data = path.read_bytes()
    try:
        fault = _fault(data)
    except ValueError as error:
        fault = str(error)
    except (struct.error, IndexError):
        fault = "it ends within its header or parameters"
    if fault:
        raise InputError(f"{path}: not a readable C3D: {fault}; get it anew")


def _fault(data: bytes) -> str:
    block, key = struct.unpack_from("BB", data)
    start = (block - 1) * _BLOCK
    if key != _KEY or start < _BLOCK:
        return "its first bytes are those of another kind of file"
    (processor,) = struct.unpack_from("B", data, start + 3)
    if processor not in _PROCESSORS:
        return f"its processor is number {processor}, which there is not"
    order, sign_at = _PROCESSORS[processor]
    size = 4 if data[sign_at] & 0x80 else 2  # floats, where the scale is below 0
    return _fault_of_parameters(data, start + 4, order) or _fault_of_frames(data, order, size)


def _fault_of_parameters(data: bytes, at: int, order: str) -> str:
    """Return whether a parameter, or a group of them, is larger than its place."""
    while True:
        length, group = struct.unpack_from("bb", data, at)
        if length == 0 or group == 0:
            return ""
        at += 2 + abs(length)
        (offset,) = struct.unpack_from(f"{order}H", data, at)
        if offset == 0:
            return ""
        values = _size_of_values(data, at + 2) if group > 0 else 0
        described = data[at + 2 + values]  # bytes of the description, which comes last
        if 3 + values + described > offset or at + offset > len(data):
            return "a parameter is of a size that cannot be"
        at += offset


def _size_of_values(data: bytes, at: int) -> int:
    """Return the bytes of a parameter's type, dimensions and values."""
    kind, n_dimensions = struct.unpack_from("bB", data, at)
    if kind not in _SIZES or n_dimensions > _MOST_DIMENSIONS:
        raise ValueError("a parameter is of a type that cannot be")
    dimensions = struct.unpack_from(f"{n_dimensions}B", data, at + 2)
    return 2 + n_dimensions + _SIZES[kind] * math.prod(dimensions)


def _fault_of_frames(data: bytes, order: str, size: int) -> str:
    """Return whether the header tells of more frames than there are bytes for, `size` a number."""
    points, analog, first, last = struct.unpack_from(f"{order}4H", data, 2)
    (start,) = struct.unpack_from(f"{order}H", data, 16)
    begins = (start - 1) * _BLOCK
    if not _BLOCK <= begins <= len(data):
        return "its points begin outside of the file"
    frame = (4 * points + analog) * size
    there, told = (len(data) - begins) // frame if frame else 0, last - first + 1
    # More frames than 16 bits count are told elsewhere.
    if last < _MOST_FRAMES and there < told:
        return f"cut off: it holds {there} of the {told} frames that its header tells of"
    return ""
