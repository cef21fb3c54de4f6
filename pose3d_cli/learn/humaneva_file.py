"""VideoPose3D's npz files of HumanEva-I, read and looked through for what could be wrong.

Source: VideoPose3D's published scripts that write and read these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from pose3d_cli.learn.file_words import HUMANEVA_2D, HUMANEVA_3D
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    Findings,
    as_numbers,
    in_words,
    length_unit,
    looks_normalised,
    looks_root_relative,
    sampled,
)
from pose3d_cli.learn.videopose3d_npz import Nested, read_nested, symmetry_in, symmetry_of
from pose3d_cli.pose.dataset_joints import HUMANEVA15, to_h36m

SUBJECTS = tuple(f"{part}/{who}" for part in ("Train", "Validate") for who in ("S1", "S2", "S3"))
CAMERAS = ("C1", "C2", "C3")
SIZE_PX = (640, 480)

Truth = dict[str, dict[str, Float32[np.ndarray, "frames 15 3"]]]
"""By subject (`Train/S1`) and chunk (`Walking 1 chunk0`): metres, axes of the room."""

Seen = dict[str, dict[str, list[Float32[np.ndarray, "frames joints 2"]]]]
"""By subject and chunk, an array a camera: pixels, as many frames as the truth has."""

_CHUNK = re.compile(r"(\w+) (\d+)(?: chunk(\d+))?")
_LOOKED_AT = 50
_OTHER_FORMS = {
    17: " (another skeleton's)",
    20: " (`humaneva20`; make the files with 15 joints)",
    32: " (Human3.6M's)",
}


def chunk_order(chunk: str) -> tuple[str, int, int]:
    """Return action, trial and number of a chunk, by which chunks are sorted."""
    found = _CHUNK.fullmatch(chunk)
    return (found[1], int(found[2]), int(found[3] or 0)) if found else (chunk, 0, 0)


def read_truth(path: Path) -> tuple[Truth, list[str]]:
    """Return where joints are in the room, and what is wrong with the file, a line each.

    Raises:
        InputError: A file that is missing, damaged or of another kind.
    """
    findings = Findings(path)
    truth: Truth = {}
    content, _ = read_nested(path, "positions_3d", HUMANEVA_3D)
    for subject, chunk, value in _chunks(content):
        fault = _form_fault(value, len(HUMANEVA15), 3)
        if fault:
            findings.add(fault, f"{subject}/{chunk}")
        elif not np.isfinite(value).all():
            findings.add("has gaps (NaN), at which VideoPose3D parts it", f"{subject}/{chunk}")
        else:
            truth.setdefault(subject, {})[chunk] = value.astype(np.float32)
    for subject, chunks in truth.items():
        # Of all chunks together: some are of a single frame, which proves nothing.
        fault = _truth_fault(np.concatenate([_some(xyz) for xyz in chunks.values()]))
        if fault:
            findings.add(fault, subject)
    return truth, findings.lines()


def read_seen(path: Path, joints: tuple[str, ...], truth: Truth) -> tuple[Seen, list[str]]:
    """Return the 2D keypoints of what there is truth of, and what is wrong with the file.

    Raises:
        InputError: A file that is missing, damaged or of another kind.
    """
    findings = Findings(path)
    content, metadata = read_nested(path, "positions_2d", HUMANEVA_2D)
    found = {(who, chunk): value for who, chunk, value in _chunks(content)}
    fault = _metadata_fault(metadata, joints)
    if fault:
        findings.add(fault)
    seen: Seen = {}
    for subject, chunks in truth.items():
        own = seen.setdefault(subject, {})
        for chunk, xyz in chunks.items():
            value: Any = found.get((subject, chunk))
            fault = _views_fault(value, len(joints), len(xyz))
            if fault:
                findings.add(fault, f"{subject}/{chunk}")
            else:
                own[chunk] = [view[: len(xyz)].astype(np.float32) for view in value]
        for place, camera in enumerate(CAMERAS):
            views = [_some(views[place]) for views in own.values()]
            fault = _seen_fault(np.concatenate(views)) if views else ""
            if fault:
                findings.add(fault, f"{subject}/{camera}")
    return seen, findings.lines()


def _chunks(content: Nested) -> Iterator[tuple[str, str, Any]]:
    """Yield subject, chunk and value of each recording of the subjects that have a truth."""
    for subject in SUBJECTS:
        chunks = content.get(subject, {})
        for chunk in sorted(chunks, key=chunk_order):
            yield subject, chunk, chunks[chunk]


def _some(frames: np.ndarray) -> np.ndarray:
    return frames[sampled(len(frames), _LOOKED_AT)].astype(np.float64)


def _form_fault(value: Any, n_joints: int, channels: int) -> str:
    array = as_numbers(value)
    form = f"(frames, {n_joints}, {channels})"
    if array is None or array.ndim != 3:
        return f"is {in_words(value)}; expected an array of {form}"
    if array.shape[1:] != (n_joints, channels):
        other = "" if array.shape[1] == n_joints else _OTHER_FORMS.get(array.shape[1], "")
        return f"is an array of {array.shape}{other}; expected {form}"
    return "" if len(array) else "has no frames"


def _views_fault(value: Any, n_joints: int, n_frames: int) -> str:
    if not isinstance(value, (list, tuple)) or len(value) != len(CAMERAS):
        found = "not there" if value is None else in_words(value)
        return f"is {found}; expected a list of {len(CAMERAS)} cameras"
    for camera, view in zip(CAMERAS, value, strict=True):
        fault = _form_fault(view, n_joints, 2)
        if not fault and len(view) < n_frames:
            fault = f"{len(view)} frames, but the truth has {n_frames}"
        if fault:
            return f"{camera} {fault}"
    return ""


def _metadata_fault(metadata: Any, joints: tuple[str, ...]) -> str:
    """Return whether a file says of itself that its joints are others."""
    sides = symmetry_in(metadata)
    if sides is None:
        return "has no metadata with keypoints_symmetry, which tell the joints' order"
    if sides == symmetry_of(joints):
        return ""
    layout = metadata.get("layout_name", "of no name")
    return (
        f"its metadata say layout {layout}, left and right {list(sides)}; expected "
        f"{len(joints)} joints with {list(symmetry_of(joints))}"
    )


def _truth_fault(xyz: np.ndarray) -> str:
    unit = length_unit(xyz)
    if unit != "metres":
        return f"positions are of a person in {unit or 'no unit known here'}; expected metres"
    if looks_root_relative(xyz):
        return "the pelvis is at the origin in every frame; expected places in the room"
    fault = joint_order_fault(to_h36m(xyz, HUMANEVA15, derive=False), is_pelvis_own=True)
    return f"{fault}; expected HumanEva's order of 15 joints" if fault else ""


def _seen_fault(xy: np.ndarray) -> str:
    if looks_normalised(xy):
        return "keypoints are screen coordinates; expected pixels"
    if ((xy >= 0) & (xy <= np.array(SIZE_PX))).all(-1).mean() < 0.5:
        return f"most keypoints lie outside of the picture of {SIZE_PX[0]}x{SIZE_PX[1]}"
    return ""
