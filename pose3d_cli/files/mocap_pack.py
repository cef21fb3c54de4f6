"""The packed mocap set: a folder with `index.json` and xz shards of joints in millimetres.

A shard holds its clips one after another, joint-major, as zig-zag coded second time differences of
the pelvis and of the other joints relative to it: first all low bytes, then all high 16-bit words.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16, Int32

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.pose.skeleton import H36M17

INDEX = "index.json"
SHARD_FRAMES = 250_000
"""A shard is closed when it holds this many frames, so that reading one needs little memory."""

_NEEDED = {"clip", "subject", "split", "category", "licence", "fps", "frames", "shard"}
_CHANNELS = 3 * len(H36M17.joints)
_JOINTS = (
    "Pelvis RHip RKnee RAnkle LHip LKnee LAnkle Spine Thorax Neck/Nose Head "
    "LShoulder LElbow LWrist RShoulder RElbow RWrist"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MocapClip:
    """One take of one subject.

    Attributes:
        name: Unique within the pack.
        subject: Whose motion it is; a subject is in one split only.
        split: `train`, `val` or `test`.
        category: What is done, for example `walk`; "other" where nobody said.
        licence: Terms of this very clip.
        fps: Frames a second of `xyz`.
        xyz: Metres, right-handed, Z up, H36M17 order; z = 0 is only roughly the floor.
        desc: What is done, in words.
        keyframed: Animated by hand, not captured.
        static: A single posed frame.
        source: Where the motion came from.
        rig: Kind of skeleton it was converted from.
        src_fps: Frames a second before resampling; 0 where unknown.
    """

    name: str
    subject: str
    split: str
    category: str
    licence: str
    fps: float
    xyz: Float32[np.ndarray, "frames 17 3"]
    desc: str = ""
    keyframed: bool = False
    static: bool = False
    source: str = ""
    rig: str = ""
    src_fps: float = 0.0

    def __post_init__(self) -> None:
        if self.xyz.ndim != 3 or self.xyz.shape[1:] != (len(H36M17.joints), 3) or not len(self.xyz):
            raise ValueError(f"clip {self.name}: xyz is {self.xyz.shape}, needs (frames, 17, 3)")

    def __len__(self) -> int:
        return len(self.xyz)


def read_pack(folder: Path, split: str | None = None) -> list[MocapClip]:
    """Read a packed set, or the clips of one split of it.

    Args:
        folder: Holds `index.json` and the shards it names.
        split: `train`, `val` or `test`; None reads all.

    Returns:
        Clips in the order of the index.

    Raises:
        InputError: No pack, a damaged one, or one without clips of `split`.
    """
    rows, names = _read_index(folder)
    clips: dict[int, MocapClip] = {}
    for shard in names:
        here = [(at, row) for at, row in enumerate(rows) if row["shard"] == shard]
        if any(split in (None, row["split"]) for _, row in here):
            lengths = [int(row["frames"]) for _, row in here]
            for (at, row), xyz_mm in zip(here, _read_shard(folder / shard, lengths), strict=True):
                if split in (None, row["split"]):
                    clips[at] = _clip(row, xyz_mm)
    if not clips:
        found = sorted({str(row["split"]) for row in rows})
        raise InputError(
            f"{folder}: no clips of split {split!r}; it holds {found}. "
            "Import motion of more subjects, or raise --held-out"
        )
    return [clips[at] for at in sorted(clips)]


def write_pack(folder: Path, clips: Sequence[MocapClip]) -> None:
    """Write clips as a packed set; positions are rounded to a millimetre.

    Raises:
        ValueError: Two clips of one name, a subject in two splits, or not a number in a clip.
        OutputError: The folder cannot be written, or a joint is over 32.7 m from the origin.
    """
    _check(clips)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    rows: list[dict[str, object]] = []
    names: list[str] = []
    for split, group in groupby(sorted(clips, key=lambda clip: clip.split), lambda c: c.split):
        for number, members in enumerate(_portions(list(group))):
            shard = f"{split}_{number:02d}.xz"
            with replacing(folder / shard) as path:
                path.write_bytes(_encode([_millimetres(clip) for clip in members]))
            rows += [_row(clip, shard) for clip in members]
            names.append(shard)
    index = {
        "joints": _JOINTS.split(),
        "parents": H36M17.parent_index.tolist(),
        "units": "int16 millimetres",
        "up": "+Z",
        "handedness": "right",
        "encoding": "xz( low bytes | high uint16 ) of zig-zag 2nd-order deltas, joint-major",
        "shards": names,
        "clips": rows,
    }
    # The index comes last: a pack whose writing was cut short never looks whole.
    with replacing(folder / INDEX) as path:
        path.write_text(json.dumps(index, indent=0), encoding="utf-8")


def _check(clips: Sequence[MocapClip]) -> None:
    split_of: dict[str, str] = {}
    names: set[str] = set()
    for clip in clips:
        if clip.name in names:
            raise ValueError(f"two clips are called {clip.name!r}")
        names.add(clip.name)
        if split_of.setdefault(clip.subject, clip.split) != clip.split:
            raise ValueError(f"subject {clip.subject!r} is in more than one split")
        if not np.isfinite(clip.xyz).all():
            raise ValueError(f"clip {clip.name!r} holds values that are not numbers")


def _read_index(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        rows, shards, joints = index["clips"], index["shards"], " ".join(index["joints"])
        known = all(row["shard"] in shards and row.keys() >= _NEEDED for row in rows)
    except OSError as error:
        raise InputError(
            f"{folder}: no packed mocap set here ({INDEX}: {error.strerror}); "
            "make one with `pose3d data import`"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not the index of a packed mocap set: {error!r}") from error
    if not known or joints != _JOINTS or any(Path(shard).name != shard for shard in shards):
        raise InputError(f"{path}: joints, shards or clips are not those of a packed mocap set")
    return rows, shards


def _read_shard(path: Path, lengths: Sequence[int]) -> list[Int16[np.ndarray, "frames 17 3"]]:
    try:
        blob = lzma.decompress(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (lzma.LZMAError, EOFError) as error:
        raise InputError(f"{path}: damaged: {error}") from error
    if len(blob) != 3 * _CHANNELS * sum(lengths) or min(lengths) < 1:
        raise InputError(f"{path}: does not hold the {sum(lengths)} frames that {INDEX} says")
    return list(_decode(blob, lengths))


def _decode(blob: bytes, lengths: Sequence[int]) -> Iterator[Int16[np.ndarray, "frames 17 3"]]:
    n = sum(lengths) * _CHANNELS
    low = np.frombuffer(blob, np.uint8, n).astype(np.int32)
    zigzag = low | np.frombuffer(blob, "<u2", n, n).astype(np.int32) << 8
    change = zigzag >> 1 ^ -(zigzag & 1)
    start = 0
    for frames in lengths:
        stop = start + frames * _CHANNELS
        step = change[start:stop].reshape(_CHANNELS, frames).T.reshape(frames, -1, 3).copy()
        start = stop
        step[1:] = step[1:].cumsum(0)
        xyz = step.cumsum(0)
        xyz[:, 1:] += xyz[:, :1]
        yield xyz.astype(np.int16)


def _encode(clips: Sequence[Int32[np.ndarray, "_ 17 3"]]) -> bytes:
    """Undo `_decode` and compress."""
    parts = []
    for xyz in clips:
        local = xyz.copy()
        local[:, 1:] -= xyz[:, :1]
        step = np.diff(local, axis=0, prepend=0)
        step[2:] = np.diff(step[1:], axis=0)
        parts.append(step.reshape(len(xyz), -1).T.ravel())
    change = np.concatenate(parts)
    zigzag = change << 1 ^ change >> 31
    low, high = (zigzag & 255).astype(np.uint8), (zigzag >> 8).astype("<u2")
    return lzma.compress(low.tobytes() + high.tobytes(), preset=6)


def _millimetres(clip: MocapClip) -> Int32[np.ndarray, "frames 17 3"]:
    xyz_mm = np.rint(clip.xyz.astype(np.float64) * 1000)
    if np.abs(xyz_mm).max() > np.iinfo(np.int16).max:
        raise OutputError(f"clip {clip.name!r} goes further than 32.7 m from the origin")
    return xyz_mm.astype(np.int32)


def _portions(clips: Sequence[MocapClip]) -> Iterator[list[MocapClip]]:
    before = np.cumsum([0, *(len(clip) for clip in clips[:-1])])
    for _, members in groupby(zip(before, clips, strict=True), lambda m: m[0] // SHARD_FRAMES):
        yield [clip for _, clip in members]


_SAME_NAME = ("subject", "split", "category", "licence", "fps", "desc", "source", "rig", "src_fps")


def _clip(row: dict[str, Any], xyz_mm: Int16[np.ndarray, "frames 17 3"]) -> MocapClip:
    return MocapClip(
        name=row["clip"],
        xyz=xyz_mm.astype(np.float32) / 1000,
        keyframed=bool(row.get("keyframed", 0)),
        static=bool(row.get("static", 0)),
        **{key: row[key] for key in _SAME_NAME if key in row},
    )


def _row(clip: MocapClip, shard: str) -> dict[str, object]:
    return {
        "clip": clip.name,
        **{key: getattr(clip, key) for key in _SAME_NAME},
        "frames": len(clip),
        "static": int(clip.static),
        "keyframed": int(clip.keyframed),
        "shard": shard,
    }
