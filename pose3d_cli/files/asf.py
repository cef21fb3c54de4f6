"""Read ASF/AMC, Acclaim's pair of files: a skeleton, and the angles of a motion of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.motion import Motion, at_rest, euler_rotation, forward_kinematics

INCH_M = 0.0254

ROOT = "root"


@dataclass
class Bone:
    """One bone of an ASF; the root is a bone of length 0.

    Attributes:
        name: As the file spells it.
        parent: Name of the bone it grows from; "" for the root.
        step: From its start to its end at rest, file units, world axes.
        frame: Rotation C of the axes in which its angles are told.
        dofs: Names of its values in an AMC line, such as `rx`.
    """

    name: str
    parent: str = ""
    step: Float64[np.ndarray, " 3"] = field(default_factory=lambda: np.zeros(3))
    frame: Float64[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))
    dofs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class AcclaimSkeleton:
    """What an ASF holds: its bones, parents first, and what one unit and one angle mean."""

    path: Path
    bones: Mapping[str, Bone]
    metres_per_unit: float
    in_degrees: bool


def read_asf(path: Path) -> AcclaimSkeleton:
    """Read a skeleton.

    One unit is an inch divided by the file's `length`: 0.0254 / 0.45 m at CMU.

    Raises:
        InputError: No such file, or not an ASF.
    """
    sections = _sections(path)
    try:
        units = dict(line[:2] for line in sections["units"])
        in_degrees = units.get("angle", "deg").lower().startswith("deg")
        bones = {ROOT: _root(sections["root"], in_degrees=in_degrees)}
        for lines in _blocks(sections["bonedata"]):
            bone = _bone(lines, in_degrees=in_degrees)
            bones[bone.name] = bone
        ordered = _in_order(bones, next(_blocks(sections["hierarchy"])))
        unit_m = INCH_M / float(units.get("length", "1"))
    except (KeyError, ValueError, IndexError, StopIteration, ZeroDivisionError) as error:
        raise InputError(f"{path}: not a readable ASF: {error!r}") from error
    return AcclaimSkeleton(path=path, bones=ordered, metres_per_unit=unit_m, in_degrees=in_degrees)


def read_amc(path: Path, skeleton: AcclaimSkeleton, *, fps: float) -> Motion:
    """Read a motion of `skeleton`: a joint where each bone begins, named after the bone.

    Args:
        path: The AMC.
        skeleton: From the ASF of the same subject.
        fps: An AMC does not say it; CMU's are 120, a few 60.

    Raises:
        InputError: No such file, or not an AMC of that skeleton.
    """
    values, notes = _read_values(path, skeleton)
    bones = list(skeleton.bones.values())
    place = {bone.name: i for i, bone in enumerate(bones)}
    tips = [bone for bone in bones if not any(other.parent == bone.name for other in bones)]
    parents = [place[bone.parent] if bone.parent else -1 for bone in bones]
    parents += [place[bone.name] for bone in tips]
    offset = np.array([bones[parent].step if parent >= 0 else np.zeros(3) for parent in parents])
    n_frames = len(values[ROOT])
    step = np.tile(offset, (n_frames, 1, 1))
    local = np.tile(np.eye(3), (n_frames, len(parents), 1, 1))
    for i, bone in enumerate(bones):
        moves, local[:, i] = _apply(bone, values[bone.name], in_degrees=skeleton.in_degrees)
        step[:, i] += moves if bone.name == ROOT else 0
    xyz, turn = forward_kinematics(parents, step, local)
    return Motion(
        path=path,
        joints=(*place, *(f"{bone.name}_end" for bone in tips)),
        parents=tuple(parents),
        rest=at_rest(parents, offset),
        xyz=xyz,
        turn=turn,
        fps=fps,
        metres_per_unit=skeleton.metres_per_unit,
        notes=notes,
    )


def _apply(
    bone: Bone, values: Float64[np.ndarray, "frames dofs"], *, in_degrees: bool
) -> tuple[Float64[np.ndarray, "frames 3"], Float64[np.ndarray, "frames 3 3"]]:
    """Return how far the bone is moved and its turn C M C^-1, M = Rz Ry Rx of its dofs."""
    moves = np.zeros((len(values), 3))
    for column, dof in enumerate(bone.dofs):
        if dof[0] == "t":
            moves[:, "xyz".index(dof[1])] = values[:, column]
    turning = [column for column, dof in enumerate(bone.dofs) if dof[0] == "r"][::-1]
    axes = "".join(bone.dofs[column][1].upper() for column in turning)
    angles = values[:, turning]
    turn = euler_rotation(axes, np.deg2rad(angles) if in_degrees else angles)
    return moves, bone.frame @ turn @ bone.frame.T


def _text(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return [line.split("#")[0].strip() for line in lines]


def _sections(path: Path) -> dict[str, list[list[str]]]:
    """Return the words of each line, by the `:section` they stand in."""
    sections: dict[str, list[list[str]]] = {}
    here: list[list[str]] = []
    for line in _text(path):
        if line.startswith(":"):
            here = sections.setdefault(line[1:].split()[0].lower() if line[1:] else "", [])
        elif line:
            here.append(line.split())
    missing = [name for name in ("units", "root", "bonedata", "hierarchy") if name not in sections]
    if missing:
        raise InputError(f"{path}: not an ASF: no section {', '.join(missing)}")
    return sections


def _blocks(lines: list[list[str]]) -> Iterator[list[list[str]]]:
    """Yield what stands between each `begin` and `end`."""
    block: list[list[str]] = []
    for line in lines:
        if line[0] == "begin":
            block = []
        elif line[0] == "end":
            yield block
        else:
            block.append(line)


def _frame(order: str, angles: list[str], *, in_degrees: bool) -> Float64[np.ndarray, "3 3"]:
    """Return C of a bone's `axis` line: order XYZ turns about x first."""
    numbers = np.array(angles[:3], dtype=np.float64)[::-1]
    return euler_rotation(order.upper()[::-1], np.deg2rad(numbers) if in_degrees else numbers)


def _root(lines: list[list[str]], *, in_degrees: bool) -> Bone:
    words = {line[0].lower(): line[1:] for line in lines}
    order = words.get("axis", ["XYZ"])[0]
    angles = words.get("orientation", ["0", "0", "0"])
    return Bone(
        name=ROOT,
        frame=_frame(order, angles, in_degrees=in_degrees),
        dofs=tuple(dof.lower() for dof in words["order"]),
    )


def _bone(lines: list[list[str]], *, in_degrees: bool) -> Bone:
    words = {line[0].lower(): line[1:] for line in lines}
    direction = np.array(words["direction"][:3], dtype=np.float64)
    *angles, order = words["axis"]
    return Bone(
        name=words["name"][0],
        step=direction / np.linalg.norm(direction) * float(words["length"][0]),
        frame=_frame(order, angles, in_degrees=in_degrees),
        dofs=tuple(dof.lower() for dof in words.get("dof", [])),
    )


def _in_order(bones: Mapping[str, Bone], lines: list[list[str]]) -> dict[str, Bone]:
    ordered = {ROOT: bones[ROOT]}
    for parent, *children in lines:
        for child in children:
            if parent not in ordered or child in ordered:
                raise ValueError(f"bone {child} hangs on {parent}: parents come first, each once")
            bones[child].parent = parent
            ordered[child] = bones[child]
    return ordered


def _read_values(
    path: Path, skeleton: AcclaimSkeleton
) -> tuple[dict[str, Float64[np.ndarray, "frames dofs"]], tuple[str, ...]]:
    """Return every bone's values over time; a last frame cut short is left out."""
    found: dict[str, list[list[str]]] = {name: [] for name in skeleton.bones}
    for line in _text(path):
        name, *words = line.split() or [""]
        if name in found:
            found[name].append(words)
    needed = [name for name, bone in skeleton.bones.items() if bone.dofs]
    counts = {name: len(found[name]) for name in needed}
    n_frames = min(counts.values(), default=0)
    if not n_frames or max(counts.values()) > n_frames + 1:
        raise InputError(f"{path}: not an AMC of {skeleton.path.name}: lines a bone: {counts}")
    widths = {name: len(bone.dofs) for name, bone in skeleton.bones.items()}
    is_whole = all(len(found[name][n_frames - 1]) == widths[name] for name in needed)
    n_frames -= 0 if is_whole or n_frames == 1 else 1
    notes = ["the last frame is cut short"] if max(counts.values()) > n_frames else []
    try:
        arrays = {
            name: np.array(found[name][:n_frames], dtype=np.float64).reshape(n_frames, width)
            if width
            else np.zeros((n_frames, 0))
            for name, width in widths.items()
        }
    except ValueError as error:
        raise InputError(f"{path}: not an AMC of {skeleton.path.name}: {error}") from error
    return arrays, tuple(notes)
