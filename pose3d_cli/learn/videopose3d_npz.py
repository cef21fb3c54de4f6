"""The form of VideoPose3D's npz files, of Human3.6M and of HumanEva: subjects, trials, metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pose3d_cli.errors import InputError
from pose3d_cli.files.object_arrays import read_object_npz
from pose3d_cli.learn.recognise import what_is

Nested = Mapping[str, Mapping[str, Any]]
"""By subject and trial, what the file holds of it, unchecked."""


def read_nested(path: Path, key: str, kind: str) -> tuple[Nested, Any]:
    """Read a file whole.

    Args:
        path: The file.
        key: Under which its trials are.
        kind: Of file, in the words of `what_is`.

    Returns:
        Its trials, and its metadata if it has any.

    Raises:
        InputError: A file of another kind, a damaged one, or one without subjects in it.
    """
    found = what_is(path)
    if found != kind:
        raise InputError(f"{path}: this is {found}; expected {kind}")
    values = read_object_npz(path)
    subjects = values[key]
    is_nested = isinstance(subjects, Mapping) and all(
        isinstance(trials, Mapping) for trials in subjects.values()
    )
    if not is_nested:
        raise InputError(f"{path}: {key} holds no dictionaries of subjects and their trials")
    nested = {str(subject): dict(trials) for subject, trials in subjects.items()}
    return nested, values.get("metadata")


def keypoints_alone(path: Path, keypoints: str, motion: str) -> str:
    """Return what to say to somebody who gave a file of 2D keypoints alone.

    Args:
        path: The file.
        keypoints: Name of its 2D, as `--keypoints` takes it.
        motion: Name of the file of 3D that belongs to it.
    """
    folder = path.parent
    but = "and is" if (folder / motion).is_file() else "but is not"
    return (
        f"{path}: 2D keypoints alone. Their truth is {motion}, which belongs beside them {but} "
        f"there; give the folder, {folder}, and --keypoints {keypoints}"
    )


def symmetry_of(joints: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the places of left and right joints, as metadata list them."""
    left, right = (
        [place for place, joint in enumerate(joints) if joint.startswith(side)]
        for side in ("left_", "right_")
    )
    return left, right


def symmetry_in(metadata: Any) -> tuple[list[int], list[int]] | None:
    """Return the places of left and right joints that metadata list, rising; None of no list."""
    if not isinstance(metadata, Mapping) or "keypoints_symmetry" not in metadata:
        return None
    try:
        left, right = (sorted(int(n) for n in side) for side in metadata["keypoints_symmetry"])
    except (TypeError, ValueError):
        return [], []
    return left, right
