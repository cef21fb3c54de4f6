"""VideoPose3D's files of Human3.6M: which they are, what they hold, and how trials are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pose3d_cli.config import nearest
from pose3d_cli.errors import InputError, UnknownNameError
from pose3d_cli.learn.file_words import VIDEOPOSE3D_2D, VIDEOPOSE3D_3D
from pose3d_cli.learn.recognise import Findings, what_is
from pose3d_cli.learn.videopose3d_npz import Nested, keypoints_alone, read_nested
from pose3d_cli.pose.dataset_joints import coco_to_h36m, to_h36m
from pose3d_cli.pose.skeleton import COCO17

FILE_3D = "data_3d_h36m.npz"
KEYPOINTS = {
    "cpn": "cpn_ft_h36m_dbb",
    "gt": "gt",
    "sh": "sh_ft_h36m",
    "detectron": "detectron_ft_h36m",
}
"""Short names of 2D keypoints, the usual ones first, and how their files' names end."""

_SHORT = {end: name for name, end in KEYPOINTS.items()}

ACTIONS = (
    "Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases",
    "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether",
)  # fmt: skip
"""The actions that figures are averaged by."""

N_JOINTS = 32
"""Joints of a 3D file."""
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Which of them are h36m17's, in its order."""

_BEGINNING_2D = "data_2d_h36m_"
_SPELLED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
_CORRUPT = ("S11", "Directions")


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialFile:
    """A file of trials.

    Attributes:
        path: The file.
        trials: Subject to trial to what the file holds of it, unchecked.
        metadata: Of a 2D file, as it stands there.
        findings: What was wrong with the names.
    """

    path: Path
    trials: Mapping[str, Mapping[str, Any]]
    metadata: Any = None
    findings: Findings = field(repr=False)


def action_of(trial: str) -> str:
    """Return `Photo` for the trial `Photo 1`."""
    return trial.partition(" ")[0]


def trial_name(name: str) -> str | None:
    """Return a trial's name as it is spelt here, such as `Photo 1`; None of an unknown action.

    The first of an action's trials has no number in most files.
    """
    match = re.fullmatch(r"([A-Za-z]+)[ _]?(\d*)", name.strip())
    action = _SPELLED.get(match[1], match[1]) if match else ""
    if not match or action not in ACTIONS:
        return None
    number = int(match[2] or 0)
    return f"{action} {number}" if number else action


def in_order(trials: Mapping[str, Any]) -> list[str]:
    """Return the names of trials by action, then number."""
    return sorted(trials, key=lambda name: (ACTIONS.index(action_of(name)), len(name), name))


def keypoints_as_h36m(
    xy: Float[np.ndarray, "frames joints 2"], joints: Sequence[str]
) -> Float[np.ndarray, "frames 17 2"]:
    """Return keypoints of one of the files' joint orders as h36m17; NaN where it has none."""
    order = tuple(joints)
    return coco_to_h36m(xy) if order == COCO17.joints else to_h36m(xy, order)


def lacking(joints: Sequence[str]) -> Bool[np.ndarray, " 17"]:
    """Return which joints of h36m17 cannot be had of a joint order."""
    return np.isnan(keypoints_as_h36m(np.zeros((1, len(joints), 2)), joints)).any((0, 2))


def find_files(path: Path, keypoints: str) -> tuple[Path, Path]:
    """Return the 3D and the 2D file.

    Args:
        path: The folder of both, or the 3D file, beside which the other lies.
        keypoints: Short name of the 2D or the end of its file's name; "" for the usual ones.

    Raises:
        InputError: No such path, the 2D file alone, or a folder without one of the files.
        UnknownNameError: Keypoints of a name that is neither known nor there.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_file() and what_is(path) == VIDEOPOSE3D_2D:
        end = path.stem.removeprefix(_BEGINNING_2D)
        raise InputError(keypoints_alone(path, _SHORT.get(end, end), FILE_3D))
    file_3d = path / FILE_3D if path.is_dir() else path
    if not file_3d.exists():
        raise InputError(
            f"{path}: no {FILE_3D} here ({_held(path)}); `pose3d data convert` makes it of "
            "the raw Human3.6M"
        )
    return file_3d, _file_2d(file_3d.parent, keypoints)


def _held(folder: Path) -> str:
    names = sorted(item.name for item in folder.iterdir())
    shown = names[:5] + ["..."] * (len(names) > 5)
    return f"there are {', '.join(shown)}" if names else "the folder is empty"


def _file_2d(folder: Path, keypoints: str) -> Path:
    wanted = keypoints.removesuffix(".npz").removeprefix(_BEGINNING_2D) or next(iter(KEYPOINTS))
    end = KEYPOINTS.get(wanted, wanted)
    here = {
        file.stem.removeprefix(_BEGINNING_2D): file
        for file in sorted(folder.glob(f"{_BEGINNING_2D}*.npz"))
    }
    if end in here:
        return here[end]
    there = ", ".join(_SHORT.get(end, end) for end in here) or "none"
    if wanted not in KEYPOINTS and wanted not in KEYPOINTS.values():
        known = [*KEYPOINTS, *(end for end in here if end not in _SHORT)]
        raise UnknownNameError(
            f"no 2D keypoints {wanted!r}{nearest(wanted, known)} (in {folder} are: {there})"
        )
    raise InputError(
        f"{folder}: no {_BEGINNING_2D}{end}.npz, the 2D keypoints {wanted!r}; there are: {there}"
    )


def read_3d(path: Path) -> TrialFile:
    """Read a 3D file whole; see `read_2d`."""
    trials, _ = read_nested(path, "positions_3d", VIDEOPOSE3D_3D)
    return _trial_file(path, trials, None)


def read_2d(path: Path) -> TrialFile:
    """Read a 2D file whole.

    Raises:
        InputError: A file of another kind, a damaged one, or one without subjects in it.
    """
    return _trial_file(path, *read_nested(path, "positions_2d", VIDEOPOSE3D_2D))


def _trial_file(path: Path, subjects: Nested, metadata: Any) -> TrialFile:
    findings = Findings(path)
    trials: dict[str, dict[str, Any]] = {}
    for subject, held in subjects.items():
        own = trials.setdefault(subject, {})
        for name, values in held.items():
            trial = trial_name(str(name))
            if trial is None:
                findings.add(f"{name!r} is none of the 15 actions with a number", subject)
            elif trial in own:
                findings.add("two trials of this name", f"{subject}/{trial}")
            else:
                own[trial] = values
    _leave_out_corrupt(trials, findings)
    return TrialFile(path=path, trials=trials, metadata=metadata, findings=findings)


def _leave_out_corrupt(trials: Mapping[str, dict[str, Any]], findings: Findings) -> None:
    """Take away S11's corrupt trial: of its two of this action, the one without a number."""
    subject, action = _CORRUPT
    own = trials.get(subject, {})
    own.pop(action, None)
    left = [name for name in own if action_of(name) == action]
    if len(left) > 1:
        findings.add(
            f"trials {' and '.join(left)}, of which one is corrupt; VideoPose3D's files have it "
            f"without a number, or not at all. Take it out, or name it {action!r}",
            subject,
        )
