"""TRC: joints as markers, for OpenSim and what works with it.

OpenSim's ground axes: X forward, Y up, Z right; metres. Forward is the world's y, away from the
camera. A file a person, in the video's own times; a gap is the text `NaN`, never an empty cell: one
at the end of a row makes OpenSim refuse the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.base import Exported, ExportOptions, person_file
from pose3d_cli.files.export.ground import ground_axes
from pose3d_cli.files.export.names import MARKERS
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.export.track import Track, rate_of, tracks
from pose3d_cli.files.results import ClipResult

_KEYS = (
    "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units",
    "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames",
)  # fmt: skip


@register_exporter("trc")
class Trc:
    """Writes TRC."""

    suffix = ".trc"
    module = ""
    extra = ""
    is_personal = True

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write a file for each person."""
        files: list[Path] = []
        notes: list[str] = []
        names = [MARKERS.get(joint, joint) for joint in result.joint_names]
        for track in tracks(result, options, notes):
            path = person_file(stem, track.person, self.suffix)
            # Frames count from 1, as those of cameras do.
            write_trc(path, track, names, rate_of(result), result.frame[track.row] + 1)
            files.append(path)
        return Exported(files=tuple(files), notes=tuple(notes))


def write_trc(
    path: Path, track: Track, names: Sequence[str], fps: float, frame: np.ndarray
) -> None:
    """Write a person's joints.

    Args:
        path: The file.
        track: The person.
        names: Of the markers; no two may be the same, nor may one have a tab.
        fps: Nominal rate.
        frame: Number of each frame, rising.

    Raises:
        OutputError: A folder or disk that cannot be written.
        ValueError: Names that a reader would take for others.
    """
    if len(set(names)) < len(names) or any("\t" in name or not name.strip() for name in names):
        raise ValueError(f"names of markers must differ and have no tabs: {', '.join(names)}")
    rate, count = f"{fps:.10g}", str(len(track.row))
    values = (rate, rate, count, str(len(names)), "m", rate, str(frame[0]), count)
    axes = [f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"]
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"PathFileType\t4\t(X/Y/Z)\t{_plain(path.name)}\n")
        file.write("\t".join(_KEYS) + "\n" + "\t".join(values) + "\n")
        file.write("Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t\n")
        file.write("\t\t" + "\t".join(axes) + "\n\n")
        rows = ground_axes(track.xyz).reshape(len(track.row), -1)
        for number, time_s, row in zip(frame, track.time_s, rows.tolist(), strict=True):
            cells = "\t".join(map(_number, row))
            file.write(f"{number}\t{time_s:.6f}\t{cells}\n")


def _number(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else "NaN"


def _plain(name: str) -> str:
    """Return a name that stays within its cell."""
    return " ".join(name.split())
