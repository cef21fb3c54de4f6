"""C3D: joints as points, for Vicon Nexus, Mokka, Visual3D and other biomechanics programs.

World axes (Z up), millimetres, floats, one even rate. A file a person, as those programs have one
subject a trial; a gap is a point with residual -1.

A frame number is 16 bits: readers stop after 65,535 frames. A longer clip goes on in `_part2`. All
people share the parts of the clip's time, and frame numbers count from where a part begins.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from pose3d_cli import __version__
from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.base import Exported, ExportOptions, person_file
from pose3d_cli.files.export.even import EvenTrack, even_track
from pose3d_cli.files.export.names import MARKERS
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.export.track import rate_of, tracks
from pose3d_cli.files.results import ClipResult

MOST_FRAMES = 2**16 - 1
_MM_PER_M = 1000.0
_SCREEN = {"X_SCREEN": "+X", "Y_SCREEN": "+Z"}


@register_exporter("c3d")
class C3d:
    """Writes C3D."""

    suffix = ".c3d"
    module = "ezc3d"
    extra = "c3d"
    is_personal = True

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write a file for each person, or several of who is there for long."""
        files: list[Path] = []
        notes: list[str] = []
        fps = options.fps or rate_of(result)
        names = [MARKERS.get(joint, joint) for joint in result.joint_names]
        for track in tracks(result, options, notes):
            who = f"person {track.person}"
            even = even_track(track, result.time_s[0], fps)
            if even.is_resampled:
                notes.append(f"{who}: resampled to an even {fps:g} frames a second for C3D")
            for number, part in parts(even):
                end = f"_part{number}{self.suffix}" if number > 1 else self.suffix
                path = person_file(stem, track.person, end)
                write_c3d(path, part, names, fps)
                files.append(path)
                if number > 1:
                    begin_s = (number - 1) * MOST_FRAMES / fps
                    notes.append(
                        f"{who}: a C3D holds {MOST_FRAMES} frames; those from {begin_s:.3f} s of "
                        f"the clip on are in {path.name}"
                    )
        return Exported(files=tuple(files), notes=tuple(notes))


def parts(track: EvenTrack) -> Iterator[tuple[int, EvenTrack]]:
    """Yield the pieces of a track within each part of the clip, with the part's number from 1."""
    stop = track.first + len(track.xyz)
    for begin in range(track.first // MOST_FRAMES * MOST_FRAMES, stop, MOST_FRAMES):
        first, last = max(begin, track.first), min(begin + MOST_FRAMES, stop)
        xyz = track.xyz[first - track.first : last - track.first]
        piece = EvenTrack(first=first - begin, xyz=xyz, is_resampled=track.is_resampled)
        yield begin // MOST_FRAMES + 1, piece


def write_c3d(path: Path, track: EvenTrack, names: Sequence[str], fps: float) -> None:
    """Write a person's joints.

    Args:
        path: The file.
        track: The person, at an even rate; no frame number may pass `MOST_FRAMES`.
        names: Of the points.
        fps: The rate.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    import ezc3d

    file = ezc3d.c3d()
    about = file["parameters"]["POINT"]
    about["RATE"]["value"], about["UNITS"]["value"] = [fps], ["mm"]
    about["LABELS"]["value"], about["DESCRIPTIONS"]["value"] = list(names), [""] * len(names)
    for key, axis in _SCREEN.items():
        file.add_parameter("POINT", key, [axis])
    file.add_parameter("MANUFACTURER", "SOFTWARE", ["pose3d"])
    file.add_parameter("MANUFACTURER", "VERSION_LABEL", [__version__])
    file["header"]["points"]["first_frame"] = track.first
    points = _points(track.xyz)
    file["data"]["points"] = points
    lost = np.where(np.isnan(points[:1]), -1.0, 0.0)
    file["data"]["meta_points"]["residuals"] = lost
    with replacing(path) as new:
        _write(file, new, least_bytes=16 * track.xyz[..., 0].size)


def _points(xyz: Float64[np.ndarray, "frames joints 3"]) -> Float64[np.ndarray, "4 joints frames"]:
    """Return points in millimetres; NaN, all of it, where there is none."""
    points = np.ones((4, xyz.shape[1], len(xyz)))
    points[:3] = xyz.transpose(2, 1, 0) * _MM_PER_M
    points[:3, ~np.isfinite(points[:3]).all(0)] = np.nan
    return points


def _write(file: Any, path: Path, least_bytes: int) -> None:
    """Write a file; the library does not notice when a disk is full."""
    try:
        file.write(str(path))
    except (RuntimeError, ValueError) as error:
        raise OSError(errno.EIO, str(error), str(path)) from error
    if path.stat().st_size < least_bytes:
        raise OSError(errno.ENOSPC, "the disk is full", str(path))
