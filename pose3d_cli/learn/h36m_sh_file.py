"""MotionBERT's pickle of Human3.6M: arrays over all frames of all videos, one after another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.object_arrays import read_pickle
from pose3d_cli.learn.file_words import MOTIONBERT_SH
from pose3d_cli.learn.recognise import Findings, in_words, what_is

FILE = "h36m_sh_conf_cam_source_final.pkl"
SPLITS = ("train", "test")

ACTION_IDS: Mapping[int, str] = {
    2: "Directions", 3: "Discussion", 4: "Eating", 5: "Greeting", 6: "Phoning", 7: "Posing",
    8: "Purchases", 9: "Sitting", 10: "SittingDown", 11: "Smoking", 12: "Photo", 13: "Waiting",
    14: "Walking", 15: "WalkDog", 16: "WalkTogether",
}  # fmt: skip
"""What the `act_02` to `act_16` of a video's name are."""

_SOURCE = re.compile(r"(s_(\d+)_act_(\d+)_subact_\d+)(?:_(?:ca|cam)_\w+)?")

# Keys of arrays of numbers and the shapes of what they hold of a frame; then those of words.
_NUMBERS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "joint_2d": ((17, 2), (17, 3)),
    "confidence": ((17,), (17, 1)),
    "joint3d_image": ((17, 3),),
    "joints_2.5d_image": ((17, 3),),
    "2.5d_factor": ((), (1,)),
}
_WORDS = ("camera_name", "source", "action")
_NEEDED = {
    "train": ("joint_2d", "joint3d_image", "camera_name", "source"),
    "test": tuple(key for key in (*_NUMBERS, *_WORDS) if key != "confidence"),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the name of a video says.

    Attributes:
        sequence: The name without its camera, `s_09_act_05_subact_02`.
        subject: As all files call subjects, `S9`; "" if the name does not say.
        action_id: Of `ACTION_IDS`; 0 if the name does not say.
    """

    sequence: str
    subject: str
    action_id: int


def source_of(name: str) -> Source:
    """Return what a video's name says, whether it ends in `_ca_01` or `_cam_01`."""
    match = _SOURCE.fullmatch(name)
    if not match:
        return Source(sequence=name, subject="", action_id=0)
    return Source(sequence=match[1], subject=f"S{int(match[2])}", action_id=int(match[3]))


def action_name(key: object, source: Source) -> str:
    """Return an action's key as a word, the name if it is the number in its source's name.

    Keys are opaque: other numbers are left as they are. Without a key the source alone tells.
    """
    word = "" if key is None else str(key)
    number = int(word) if word.isdecimal() else 0 if word else source.action_id
    if number in ACTION_IDS and source.action_id in (0, number):
        return ACTION_IDS[number]
    return word


@dataclass(frozen=True, kw_only=True, eq=False)
class Frames:
    """A split: arrays over all its frames, as the file has them; None of what it has not.

    Attributes:
        name: Of the split.
        arrays: By key, what is there of numbers and words.
        findings: What is wrong.
    """

    name: str
    arrays: Mapping[str, np.ndarray]
    findings: Findings

    def __len__(self) -> int:
        return len(self.arrays["joint_2d"])

    @property
    def is_metric(self) -> bool:
        """Whether the file tells millimetres of this split."""
        return "joints_2.5d_image" in self.arrays and "2.5d_factor" in self.arrays

    def runs(self) -> list[slice]:
        """Return the frames of each video: where `source` stays the same."""
        source = self.arrays["source"]
        borders = np.flatnonzero(source[1:] != source[:-1]) + 1
        edges = [0, *borders.tolist(), len(source)]
        return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]


def find_pickle(path: Path) -> Path:
    """Return the pickle: `path` itself, or that in a folder.

    Raises:
        InputError: No such path, or a folder without such a file or with several.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir():
        return path
    for name in (FILE, f"{FILE}.zip"):
        if (path / name).exists():
            return path / name
    found = sorted(path.glob("*.pkl"))
    if len(found) != 1:
        told = f"{len(found)} pickles" if found else "no pickle"
        raise InputError(f"{path}: {told} here; expected {FILE}, or the path of one")
    return found[0]


def read_frames(path: Path) -> list[Frames]:
    """Read the file whole, and return its splits, their shapes checked.

    Raises:
        InputError: A file of another kind, or a damaged one.
    """
    kind = what_is(path)
    if "pickle" not in kind:
        raise InputError(f"{path}: this is {kind}; expected {MOTIONBERT_SH}")
    values = read_pickle(path)
    if not isinstance(values, Mapping) or not {"train", "test"} & set(values):
        raise InputError(f"{path}: this is {kind}; expected {MOTIONBERT_SH}")
    return [_frames(path, split, values.get(split)) for split in SPLITS]


def _frames(path: Path, split: str, held: Any) -> Frames:
    findings = Findings(path)
    if not isinstance(held, Mapping):
        findings.add(f"no split {split!r}; expected a dictionary of arrays")
        return Frames(name=split, arrays={}, findings=findings)
    for key in _NEEDED[split]:
        if held.get(key) is None:
            findings.add(f"no {key}", split)
    arrays: dict[str, np.ndarray] = {}
    for key in (*_NUMBERS, *_WORDS):
        if held.get(key) is not None:
            array, fault = _numbers(key, held[key]) if key in _NUMBERS else _words(held[key])
            if fault:
                findings.add(fault, f"{split}/{key}")
            else:
                arrays[key] = array
    fault = _length_fault({key: len(array) for key, array in arrays.items()})
    if fault:
        findings.add(fault, split)
    return Frames(name=split, arrays=arrays, findings=findings)


def _length_fault(lengths: Mapping[str, int]) -> str:
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} {n}" for key, n in lengths.items())
        return f"arrays of different lengths: {told}"
    return "no frames" if 0 in lengths.values() else ""


def _numbers(key: str, value: Any) -> tuple[np.ndarray, str]:
    """Return an array of a row a frame in the first of its key's shapes, or what is wrong."""
    numbers = _array(value)
    shapes = _NUMBERS[key]
    if numbers.dtype.kind not in "fiu" or numbers.ndim < 1 or numbers.shape[1:] not in shapes:
        wanted = " or ".join(f"({', '.join(['frames', *map(str, shape)])})" for shape in shapes)
        return numbers, f"{in_words(value)}; expected numbers of {wanted}"
    if not np.isfinite(numbers).all():
        return numbers, "values that are no numbers"
    shape = shapes[0]
    if numbers.ndim - 1 > len(shape):
        return numbers.reshape(len(numbers), *shape), ""
    return (numbers[..., : shape[-1]] if shape else numbers), ""


def _words(value: Any) -> tuple[np.ndarray, str]:
    """Return words or whole numbers as text, or what is wrong."""
    words = _array(value)
    if words.dtype.kind == "S":
        words = np.char.decode(words, "latin1")
    if words.dtype.kind not in "Uiu" or words.ndim != 1:
        return words, f"{in_words(value)}; expected a word or a whole number a frame"
    return words.astype(str), ""


def _array(value: Any) -> np.ndarray:
    """Return an array of a list or of an array of objects; of objects where they are unlike."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    try:
        return np.asarray(value.tolist() if isinstance(value, np.ndarray) else value)
    except ValueError:
        return np.array(None, dtype=object)
