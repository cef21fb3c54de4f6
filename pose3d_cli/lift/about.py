"""What a weights file says of itself, read from its header alone. Imports no torch."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pose3d_cli.errors import WeightsError

FORMAT = "pose3d-weights/1"

UPRIGHT = "upright"
"""Stands in headers for the network that says which way is up, where others have a lifter."""

_FOREIGN = (".pth", ".tr", ".pt", ".bin")
_LARGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors format
_JSON = ("config", "measured")
_NUMBERS = ("rate_hz", "stature_m")


@dataclass(frozen=True, kw_only=True)
class WeightsAbout:
    """The header of a weights file; in the file all values are text.

    Attributes:
        lifter: Name of the network.
        config: Its settings as plain values.
        input: Whether it reads rays turned to the person, or screen coordinates.
        rate_hz: Frames a second of the windows it was trained on.
        stature_m: Height in metres of the person its output is scaled to.
        skeleton: Joints it reads and writes.
        units: Of its output, relative to the pelvis: `m,root`, or `screen,root` of a network that
            answers in units of the screen (`lift.screen` makes them metres), or `direction`.
        licence: Under which the weights may be used.
        data: What it learnt from.
        protocol: How `measured` was measured.
        measured: Figures by name.
        made_by: Program version, and commit where known.
        source: Paper or file the weights come from.
        more: Anything else, such as training steps.
    """

    lifter: str
    config: Mapping[str, Any]
    input: Literal["rays", "screen"]
    rate_hz: float
    licence: str
    stature_m: float = 1.70
    skeleton: str = "h36m17"
    units: str = "m,root"
    data: str = ""
    protocol: str = ""
    measured: Mapping[str, float | str] = field(default_factory=dict)
    made_by: str = ""
    source: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        clash = sorted(_HEADER_KEYS & set(self.more))
        if clash:
            raise ValueError(f"more: {', '.join(clash)} has a place of its own in the header")

    def to_header(self) -> dict[str, str]:
        """Return the header's words."""
        header = {"format": FORMAT, **self.more}
        for name in _FIELDS:
            value = getattr(self, name)
            if name in _JSON:
                header[name] = json.dumps(dict(value), ensure_ascii=False, allow_nan=False)
            else:
                header[name] = repr(float(value)) if name in _NUMBERS else value
        return header


_FIELDS = tuple(f.name for f in fields(WeightsAbout) if f.name != "more")
_HEADER_KEYS = {"format", "more", *_FIELDS}


def describe(path: Path) -> WeightsAbout:
    """Read what a weights file says of itself; its tensors are not read.

    Raises:
        WeightsError: A file that is missing, no safetensors, cut off, of another program, or
            whose header lacks something.
    """
    words = _read_metadata(path)
    found = words.pop("format", None)
    if found != FORMAT:
        raise WeightsError(
            f"{path}: found format {found!r}, expected {FORMAT!r}; "
            "these weights are of another program or version"
        )
    missing = [name for name in _FIELDS if name not in words]
    if missing:
        raise WeightsError(f"{path}: the header lacks {', '.join(missing)}; save the weights anew")
    values: dict[str, Any] = {name: words.pop(name) for name in _FIELDS}
    try:
        for name in _JSON:
            values[name] = _json_object(values[name], name)
        for name in _NUMBERS:
            values[name] = float(values[name])
        if values["input"] not in ("rays", "screen"):
            raise ValueError(f"input is {values['input']!r}; known are 'rays' and 'screen'")
        return WeightsAbout(**values, more=words)
    except ValueError as error:
        raise WeightsError(f"{path}: damaged header: {error}") from error


def _json_object(text: str, name: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {text!r}, no JSON object")
    return value


def _read_metadata(path: Path) -> dict[str, str]:
    """Return the words of a safetensors header, having checked that the file holds all it lists."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
                hint = "; see `pose3d weights convert`" if path.suffix in _FOREIGN else ""
                raise WeightsError(
                    f"{path}: not a safetensors file, or cut off ({size} bytes){hint}"
                )
            header = json.loads(file.read(length))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise WeightsError(f"{path}: not a safetensors file: {error}") from error
    if not isinstance(header, dict):
        raise WeightsError(f"{path}: not a safetensors file")
    words = header.pop("__metadata__", {})
    if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        raise WeightsError(f"{path}: damaged safetensors header: __metadata__ is no table of words")
    try:
        listed = max((int(tensor["data_offsets"][1]) for tensor in header.values()), default=0)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise WeightsError(f"{path}: damaged safetensors header") from error
    if 8 + length + listed != size:
        raise WeightsError(
            f"{path}: has {size} bytes where its header says {8 + length + listed}; "
            "cut off or damaged: copy it again"
        )
    return words


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file.

    Raises:
        WeightsError: A file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
