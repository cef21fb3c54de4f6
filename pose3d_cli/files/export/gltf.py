"""The container of GLB: arrays in one block of bytes, and JSON that says what they are."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.files.atomic import replacing

_KINDS = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_COMPONENTS = {"float32": 5126, "uint16": 5123, "uint8": 5121}
VERTICES, INDICES = 34962, 34963
_MAGIC, _VERSION, _JSON, _BINARY = 0x46546C67, 2, 0x4E4F534A, 0x004E4942


class Gltf:
    """A file that is being put together.

    Attributes:
        parts: The lists of the JSON: nodes, meshes, skins...
    """

    def __init__(self) -> None:
        self.parts: dict[str, list[Any]] = {}
        self._bytes = bytearray()

    def add(self, kind: str, entry: Any) -> int:
        """Add an entry to one of the lists and return its number there."""
        entries = self.parts.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def array(self, values: np.ndarray, *, bounds: bool = False, target: int = 0) -> int:
        """Add an array and return the number of its accessor.

        Args:
            values: (count, ...); matrices are stored column by column.
            bounds: Whether its least and greatest values are told, as for positions and times.
            target: `VERTICES` or `INDICES` of a mesh; 0 for all else.
        """
        kept = np.ascontiguousarray(values.swapaxes(1, 2) if values.ndim == 3 else values)
        view = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": kept.nbytes}
        if target:
            view["target"] = target
        self._bytes += kept.tobytes() + bytes(-kept.nbytes % 4)
        accessor: dict[str, Any] = {
            "bufferView": self.add("bufferViews", view),
            "componentType": _COMPONENTS[kept.dtype.name],
            "count": len(kept),
            "type": _KINDS[kept.shape[1:]],
        }
        if bounds:
            flat = kept.reshape(len(kept), -1)
            accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
        return self.add("accessors", accessor)

    def write(self, path: Path, asset: dict[str, Any]) -> None:
        """Write the file.

        Args:
            path: It.
            asset: What made it.

        Raises:
            OutputError: A folder or disk that cannot be written.
        """
        told = {
            "asset": {"version": "2.0", **asset},
            "scene": 0,
            **self.parts,
            "buffers": [{"byteLength": len(self._bytes)}],
        }
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        size = 12 + 8 + len(text) + 8 + len(self._bytes)
        with replacing(path) as new, new.open("wb") as file:
            file.write(struct.pack("<III", _MAGIC, _VERSION, size))
            file.write(struct.pack("<II", len(text), _JSON) + text)
            file.write(struct.pack("<II", len(self._bytes), _BINARY))
            file.write(self._bytes)
