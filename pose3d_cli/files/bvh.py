"""Read BVH: a hierarchy of joints and their angles, frame by frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.motion import Motion, at_rest, euler_rotation, forward_kinematics


@dataclass
class _Hierarchy:
    """What stands above MOTION; lists run over the joints, tips included."""

    joints: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offset: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)

    def add(self, name: str, parent: int) -> int:
        self.joints.append(name)
        self.parents.append(parent)
        self.offset.append([0.0, 0.0, 0.0])
        self.channels.append([])
        return len(self.joints) - 1


def read_bvh(path: Path) -> Motion:
    """Read a motion: any joints, any order and number of channels.

    Angles are applied in the order of their channels, first one outermost. Position channels
    replace the offset of their joint. The frames that are there count, not the header's number.

    Raises:
        InputError: No such file, or not a BVH.
    """
    head, body = _parts(path)
    try:
        tree = _read_hierarchy(iter(head.split()))
        fps, n_promised, values = _read_motion(body)
    except (ValueError, StopIteration, IndexError) as error:
        raise InputError(f"{path}: not a readable BVH: {error or 'it ends too early'}") from error
    n_channels = sum(map(len, tree.channels))
    n_frames = len(values) // n_channels if n_channels else 0
    if not n_frames:
        raise InputError(f"{path}: a BVH without a single whole frame")
    rows = values[: n_frames * n_channels].reshape(n_frames, n_channels)
    step, local = _split_channels(tree, rows)
    if not np.isfinite(rows).all():
        raise InputError(f"{path}: holds values that are not numbers")
    xyz, turn = forward_kinematics(tree.parents, step, local)
    notes = [f"{n_frames} frames found, {n_promised} promised"] if n_frames != n_promised else []
    return Motion(
        path=path,
        joints=tuple(tree.joints),
        parents=tuple(tree.parents),
        rest=at_rest(tree.parents, np.array(tree.offset)),
        xyz=xyz,
        turn=turn,
        fps=fps,
        notes=tuple(notes),
    )


def _parts(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    parts = re.split(r"^\s*MOTION\b", text, maxsplit=1, flags=re.MULTILINE)
    if len(parts) != 2 or not parts[0].lstrip("\ufeff \r\n\t").startswith("HIERARCHY"):
        raise InputError(f"{path}: not a BVH: needs HIERARCHY and MOTION")
    return parts[0], parts[1]


def _read_hierarchy(words: Iterator[str]) -> _Hierarchy:
    tree = _Hierarchy()
    above: list[int] = []
    joint = -1
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            joint = _new_joint(tree, word, next(words), above)
        elif word == "{":
            above.append(joint)
        elif word == "}":
            above.pop()
        elif word.strip("\ufeff") != "HIERARCHY":
            _describe(tree, above[-1], word, words)
    if above or not tree.joints:
        raise ValueError("its braces do not match")
    return tree


def _new_joint(tree: _Hierarchy, word: str, name: str, above: list[int]) -> int:
    if bool(above) == (word == "ROOT") or (word == "ROOT" and tree.joints):
        raise ValueError(f"{word} {name} in the wrong place (one ROOT, all others inside it)")
    if word == "End":
        name = f"{tree.joints[above[-1]]}_end"
    return tree.add(name, above[-1] if above else -1)


def _describe(tree: _Hierarchy, joint: int, word: str, words: Iterator[str]) -> None:
    if word == "OFFSET":
        tree.offset[joint] = [float(next(words)) for _ in range(3)]
    elif word == "CHANNELS":
        tree.channels[joint] = [_channel(next(words)) for _ in range(int(next(words)))]
    else:
        raise ValueError(f"unexpected word {word!r}")


def _channel(word: str) -> str:
    """Return `pX` for Xposition, `rX` for Xrotation."""
    kind = {"position": "p", "rotation": "r"}.get(word[1:].lower())
    if kind is None or word[0].upper() not in "XYZ":
        raise ValueError(f"unknown channel {word!r}")
    return kind + word[0].upper()


def _read_motion(body: str) -> tuple[float, int, Float64[np.ndarray, " values"]]:
    found = re.match(r"\s*Frames:\s*(\d+)\s+Frame\s+Time:\s*(\S+)", body, flags=re.IGNORECASE)
    if found is None:
        raise ValueError("needs `Frames:` and `Frame Time:` after MOTION")
    frame_s = float(found[2])
    if not 0 < frame_s < 10:
        raise ValueError(f"a frame time of {frame_s} s makes no sense")
    return 1 / frame_s, int(found[1]), np.array(body[found.end() :].split(), dtype=np.float64)


def _split_channels(
    tree: _Hierarchy, rows: Float64[np.ndarray, "frames channels"]
) -> tuple[Float64[np.ndarray, "frames joints 3"], Float64[np.ndarray, "frames joints 3 3"]]:
    """Return each joint's step from its parent and its turn against it."""
    step = np.tile(np.array(tree.offset), (len(rows), 1, 1))
    local = np.tile(np.eye(3), (len(rows), len(tree.joints), 1, 1))
    column = 0
    for joint, channels in enumerate(tree.channels):
        values = dict(zip(channels, rows[:, column : column + len(channels)].T, strict=True))
        column += len(channels)
        for channel in (name for name in channels if name[0] == "p"):
            step[:, joint, "XYZ".index(channel[1])] = values[channel]
        axes = "".join(name[1] for name in channels if name[0] == "r")
        if axes:
            angles = np.stack([values[f"r{axis}"] for axis in axes], axis=-1)
            local[:, joint] = euler_rotation(axes, np.deg2rad(angles))
    return step, local
