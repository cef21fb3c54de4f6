"""BVH: a skeleton and its angles frame by frame, for Blender and most animation programs.

Y up, the character faces +Z in its T-pose, degrees, one file a person, one even rate. The format
has no place for units, times or gaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.animation import animations, at_even_rate
from pose3d_cli.files.export.base import Exported, ExportOptions, person_file
from pose3d_cli.files.export.euler import ORDER, euler_angles
from pose3d_cli.files.export.names import PRESETS, Preset
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.export.track import rate_of
from pose3d_cli.files.results import ClipResult
from pose3d_cli.pose.rig.motion import RigMotion
from pose3d_cli.pose.rig.skeleton import JOINTS, PARENTS, TIPS

_ROTATIONS = " ".join(f"{axis}rotation" for axis in ORDER)
_POSITIONS = "Xposition Yposition Zposition"


@register_exporter("bvh")
class Bvh:
    """Writes BVH."""

    suffix = ".bvh"
    module = ""
    extra = ""
    is_personal = True

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write a file for each person."""
        files: list[Path] = []
        notes: list[str] = []
        fps = options.fps or rate_of(result)
        for one in animations(result, options):
            notes += one.notes
            if one.motion is None:
                continue
            motion, is_moved = at_even_rate(one.motion, fps, options)
            path = person_file(stem, one.person, self.suffix)
            write_bvh(path, motion, fps, PRESETS[options.preset])
            files.append(path)
            who = f"person {one.person}"
            if is_moved:
                notes.append(f"{who}: resampled to an even {fps:g} frames a second for BVH")
            if motion.time_s[0] > 0:
                notes.append(
                    f"{who} appears {motion.time_s[0]:.3f} s into the clip, where their BVH begins"
                )
        return Exported(files=tuple(files), notes=tuple(notes))


def write_bvh(path: Path, motion: RigMotion, fps: float, preset: Preset) -> None:
    """Write a motion whose frames come at an even rate.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    unit = preset.metres_per_unit
    angles = [
        np.rad2deg(euler_angles(motion.turn[:, i]))
        for i, joint in enumerate(JOINTS)
        if joint not in TIPS
    ]
    rows = np.concatenate([motion.root / unit, *angles], axis=1)
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        file.write("HIERARCHY\n")
        file.writelines(_hierarchy("pelvis", motion.rig.offset / unit, preset, 0))
        file.write(f"MOTION\nFrames: {len(rows)}\nFrame Time: {1 / fps:.10g}\n")
        np.savetxt(file, _written(rows), fmt="%.6f")


def _hierarchy(
    joint: str, offset: Float64[np.ndarray, "bones 3"], preset: Preset, depth: int
) -> Iterator[str]:
    """Yield the lines of a joint and of all that hangs on it."""
    indent, name = "\t" * depth, preset.names[joint]
    is_tip, is_root = joint in TIPS, not PARENTS[joint]
    yield f"{indent}End Site\n" if is_tip else f"{indent}{'ROOT' if is_root else 'JOINT'} {name}\n"
    yield f"{indent}{{\n"
    step = " ".join(f"{value:.6f}" for value in _written(offset[JOINTS.index(joint)]))
    yield f"{indent}\tOFFSET {step}\n"
    if not is_tip:
        kinds = f"6 {_POSITIONS} {_ROTATIONS}" if is_root else f"3 {_ROTATIONS}"
        yield f"{indent}\tCHANNELS {kinds}\n"
    for child, parent in PARENTS.items():
        if parent == joint:
            yield from _hierarchy(child, offset, preset, depth + 1)
    yield f"{indent}}}\n"


def _written(values: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """Return values as they are written, without `-0.000000`."""
    return np.asarray(np.round(values, 6) + 0.0, dtype=np.float64)
