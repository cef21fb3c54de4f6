"""A folder of BVH or ASF/AMC files to a packed mocap set: what `pose3d data import` does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.asf import read_amc, read_asf
from pose3d_cli.files.bvh import read_bvh
from pose3d_cli.files.mocap_pack import MocapClip, write_pack
from pose3d_cli.files.motion import Motion
from pose3d_cli.learn.rig import to_h36m
from pose3d_cli.pose.skeleton import H36M17

_SUFFIXES = (".bvh", ".amc")

# A snap from the rest pose: the mean joint goes this far in one frame, and this many times
# further than it usually does, within the first frames of a file.
_SNAP_M, _SNAP_TIMES, _SNAP_FRAMES = 0.08, 6.0, 8

_RANGE_M = 32.7


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """How to import a folder of motions."""

    licence: str = "unknown"
    """Terms of the motions, kept with each clip."""
    fps: float = 50.0
    """Frames a second of the packed clips."""
    amc_fps: float = 120.0
    """Frames a second of AMC files, which do not say it."""
    metres_per_unit: float = 0.0
    """Length of the files' unit; 0 takes what a file says or guesses by the length of legs."""
    held_out: float = 0.1
    """Share of the subjects that go to val, and again to test."""

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000 or not 0 < self.amc_fps <= 1000:
            raise ValueError("fps and amc_fps must be above 0 and at most 1000")
        if not 0 <= self.held_out <= 0.4 or self.metres_per_unit < 0:
            raise ValueError("held_out must be 0 to 0.4, metres_per_unit not below 0")


@dataclass(kw_only=True)
class ImportReport:
    """What became of each file.

    Attributes:
        done: Clip name to what was guessed and mended.
        skipped: File to the reason.
        subjects: Subject to its split.
        seconds: Length of what was packed.
    """

    done: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**vars(self), "done": {name: list(notes) for name, notes in self.done.items()}}


def import_folder(
    folder: Path, output: Path, settings: ImportSettings | None = None
) -> ImportReport:
    """Convert every BVH and AMC file below `folder` and write them as one pack.

    The subject is the first folder below `folder`, or where files lie in it directly what stands
    before the first underscore of the name, as CMU has it (`35_01.amc` with `35.asf`).

    Args:
        folder: Where to look, through all its folders.
        output: Folder of the pack.
        settings: See `ImportSettings`.

    Returns:
        What was packed, and what was not and why.

    Raises:
        InputError: No such folder, no motions in it, or none that could be used.
        SettingsError: The output is the folder itself.
        OutputError: The output cannot be written.
    """
    settings = settings or ImportSettings()
    paths = _find(folder)
    if output.resolve() == folder.resolve():
        raise SettingsError(f"{output}: the pack needs a folder of its own; choose another -o")
    report = ImportReport()
    clips: list[MocapClip] = []
    for path in paths:
        try:
            clip, notes = _convert(path, folder, settings)
        except InputError as error:
            report.skipped[str(path)] = str(error).removeprefix(f"{path}: ")
        else:
            clips.append(clip)
            report.done[clip.name] = notes
    if not clips:
        first = next(iter(report.skipped.items()))
        raise InputError(
            f"{folder}: none of {len(paths)} motions could be used; {first[0]}: {first[1]}"
        )
    report.subjects = split_subjects({clip.subject for clip in clips}, settings.held_out)
    report.seconds = float(sum(len(clip) / clip.fps for clip in clips))
    write_pack(output, [replace(clip, split=report.subjects[clip.subject]) for clip in clips])
    return report


def split_subjects(subjects: set[str], held_out: float) -> dict[str, str]:
    """Return the split of each subject; the same subjects are always split alike.

    The order is that of a hash, so that neither names nor numbers decide. Of two subjects one goes
    to val, of three or more at least one each to val and test, unless `held_out` is 0.
    """
    order = sorted(subjects, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    n_out = max(1, round(held_out * len(order))) if held_out else 0
    n_val = n_out if len(order) > 1 else 0
    n_test = n_out if len(order) > 2 else 0
    splits = ["val"] * n_val + ["test"] * n_test
    splits += ["train"] * (len(order) - len(splits))
    return dict(sorted(zip(order, splits, strict=True)))


def _find(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: no .bvh and no .amc files here or below")
    named: dict[Path, Path] = {}
    for path in paths:
        other = named.setdefault(path.with_suffix(""), path)
        if other != path:
            raise InputError(f"{other} and {path} would be one clip; keep one of them")
    return paths


def _convert(
    path: Path, folder: Path, settings: ImportSettings
) -> tuple[MocapClip, tuple[str, ...]]:
    motion = _read(path, settings)
    rigged = to_h36m(motion, metres_per_unit=settings.metres_per_unit or None)
    xyz, n_cut = without_snap(rigged.xyz)
    xyz = _settled(resampled(xyz, motion.fps, settings.fps))
    if not np.isfinite(xyz).all() or np.abs(xyz).max() > _RANGE_M:
        raise InputError(
            f"{path}: goes further than {_RANGE_M} m from its start, or nowhere at all"
        )
    inside = path.relative_to(folder)
    subject = inside.parts[0] if len(inside.parts) > 1 else path.stem.partition("_")[0]
    clip = MocapClip(
        name=inside.with_suffix("").as_posix(),
        subject=subject,
        split="train",
        category="other",
        licence=settings.licence,
        fps=settings.fps,
        xyz=xyz,
        desc=path.stem,
        static=len(xyz) == 1,
        source=inside.as_posix(),
        rig=path.suffix.lower().lstrip("."),
        src_fps=round(motion.fps, 4),
    )
    return clip, (*rigged.notes, *([f"{n_cut} frames of a snap cut"] if n_cut else []))


def _read(path: Path, settings: ImportSettings) -> Motion:
    if path.suffix.lower() == ".bvh":
        return read_bvh(path)
    near = {p.stem: p for p in sorted(path.parent.iterdir()) if p.suffix.lower() == ".asf"}
    own = near.get(path.stem, near.get(path.stem.rpartition("_")[0]))
    if own is None and len(near) == 1:
        own = next(iter(near.values()))
    if own is None:
        raise InputError(f"{path}: its skeleton is missing: no .asf of that name beside it")
    return read_amc(path, read_asf(own), fps=settings.amc_fps)


def without_snap(
    xyz: Float32[np.ndarray, "frames 17 3"],
) -> tuple[Float32[np.ndarray, "_ 17 3"], int]:
    """Cut the first frames if the body snaps from a rest pose into its motion.

    Returns:
        The rest, and how many frames were cut.
    """
    local = xyz - xyz[:, :1]
    step = np.linalg.norm(np.diff(local, axis=0), axis=-1).mean(-1)
    if len(step) < 2 * _SNAP_FRAMES:
        return xyz, 0
    usual = float(np.median(step))
    snaps = np.flatnonzero(step[:_SNAP_FRAMES] > max(_SNAP_M, _SNAP_TIMES * usual))
    n_cut = int(snaps[-1]) + 1 if snaps.size else 0
    return xyz[n_cut:], n_cut


def resampled(
    xyz: Float32[np.ndarray, "frames 17 3"], src_fps: float, fps: float
) -> Float32[np.ndarray, "_ 17 3"]:
    """Return the joints at another rate, linearly between frames; nothing beyond the last."""
    at = np.arange(0, len(xyz) - 1 + 1e-6, src_fps / fps)
    low = np.minimum(at.astype(np.int64), max(len(xyz) - 2, 0))
    share = (at - low)[:, None, None]
    high = np.minimum(low + 1, len(xyz) - 1)
    return ((1 - share) * xyz[low] + share * xyz[high]).astype(np.float32)


def _settled(xyz: Float32[np.ndarray, "frames 17 3"]) -> Float32[np.ndarray, "frames 17 3"]:
    """Put the first pelvis above the origin, and the floor to 0 if it is nowhere near."""
    moved = xyz.copy()
    moved[..., :2] -= xyz[0, 0, :2]
    ankles = [H36M17.index("left_ankle"), H36M17.index("right_ankle")]
    lowest = float(np.percentile(xyz[:, ankles, 2].min(1), 1))
    if not -0.3 < lowest < 1.5:
        moved[..., 2] -= lowest - 0.08
    return moved
