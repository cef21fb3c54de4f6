"""`pose3d data check`: what a user's file is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import DataMissingError, ExitCode, InputError, SettingsError
from pose3d_cli.learn.benchmark.job import find_dataset, missing
from pose3d_cli.learn.clip import Dataset, DatasetOptions, Split
from pose3d_cli.learn.recognise import what_is
from pose3d_cli.learn.rendered.truth import TRUTH, drawn_with

# Words of what a file is, to the data set that it belongs to; the first that occurs counts.
_BELONGS: Mapping[str, str] = {
    "HumanEva": "humaneva",
    "VideoPose3D's": "h36m",
    "MotionBERT's SH": "h36m-sh",
    "3DHP": "3dhp",
    "3DPW": "3dpw",
}
_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_LOOKED_AT = 64
"""Files of a folder that are looked at to guess what it is."""


@dataclass(kw_only=True)
class CheckReport:
    """What was found.

    Attributes:
        path: What was looked at.
        kind: What it is, in words.
        dataset: The data set it was checked as; "" if nothing is known that it could be.
        keypoints: The 2D that was checked.
        findings: What is wrong, a line each.
        splits: Clips, frames and subjects of each split, if nothing is wrong.
        notes: What a reader of figures should know of it.
    """

    path: Path
    kind: str
    dataset: str
    keypoints: str = ""
    findings: list[str] = field(default_factory=list)
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """OK if nothing is wrong."""
        return ExitCode.OK if self.dataset and not self.findings else ExitCode.BAD_INPUT

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "path": str(self.path)}

    def lines(self) -> list[str]:
        """Return it as lines for people."""
        head = [f"{self.path}: {self.kind}"]
        if not self.dataset:
            return [*head, "no data set that pose3d knows; say which it should be with --dataset"]
        seen = f", 2D: {self.keypoints}" if self.keypoints else ""
        head.append(f"checked as: {self.dataset}{seen}")
        if self.findings:
            return [*head, *(f"wrong: {finding}" for finding in self.findings)]
        found = [
            f"{split}: {about['clips']} clips, {about['frames']:,} frames, "
            f"{about['fps']} frames a second, subjects {', '.join(about['subjects']) or 'unnamed'}"
            for split, about in self.splits.items()
        ]
        notes = [f"note: {note}" for note in self.notes]
        return [*head, *found, *notes, f"in order; measure on it: {self.command()}"]

    def command(self) -> str:
        """Return the command that measures on it."""
        return f"pose3d eval dualstream-xs-27 --dataset {self.dataset} --data {self.path}"


def check_data(path: Path, dataset: str | None, keypoints: str = "") -> CheckReport:
    """Look at a file or folder.

    Args:
        path: What to look at.
        dataset: What it should be; None guesses by what is in it.
        keypoints: Which 2D of it; "" for the usual one.

    Raises:
        DataMissingError: Nothing there.
        UnknownNameError: No data set, or no keypoints, of that name.
    """
    if not path.exists():
        if dataset:
            raise DataMissingError(missing(dataset, find_dataset(dataset), path))
        raise DataMissingError(f"{path}: no such file or folder")
    name = dataset or guess(path)
    report = CheckReport(path=path, kind=what_is(path), dataset=name)
    if not name:
        return report
    entry = find_dataset(name)
    report.keypoints = keypoints or (entry.keypoints[0] if entry.keypoints else "")
    options = DatasetOptions(keypoints=report.keypoints)
    report.findings = entry.check(path, options)
    if not report.findings and entry.is_quick(path):
        try:
            report.splits = dict(_splits(entry.open(path, options), report.notes))
        except InputError as error:
            report.findings = [str(error)]
    return report


def guess(path: Path) -> str:
    """Return the data set that a file or folder belongs to; "" if nobody can say."""
    if (path / "index.json").is_file():
        return "mocap"
    if _is_rendered(path):
        return "rendered"
    files = [path] if path.is_file() else _files(path)
    for file in files:
        kind = what_is(file)
        for words, name in _BELONGS.items():
            if words in kind:
                return name
    return "folder" if path.is_dir() and files else ""


def _is_rendered(folder: Path) -> bool:
    truth = next(folder.glob(f"*{TRUTH}"), None)
    try:
        return truth is not None and bool(drawn_with(truth))
    except InputError:
        return False  # a truth of the user's own


def _files(folder: Path) -> list[Path]:
    inside = sorted(p for p in folder.rglob("*") if p.suffix in (".npz", ".pkl", ".zip"))
    others = sorted(p for p in folder.iterdir() if p.is_file())
    return [*inside, *others][:_LOOKED_AT]


def _splits(data: Dataset, notes: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each split holds, for those that there are, and gather notes, each once."""
    for split in _SPLITS:
        clips = []
        try:
            for clip in data.clips(split):
                clips.append((clip.subject, len(clip), clip.keypoints.fps))
                notes += [note for note in clip.notes if note not in notes]
        except (SettingsError, InputError):
            continue  # a set need not have every split
        if clips:
            rates = [f"{rate:g}" for rate in np.unique([fps for _, _, fps in clips])]
            yield (
                split,
                {
                    "clips": len(clips),
                    "frames": sum(frames for _, frames, _ in clips),
                    "fps": " or ".join(rates),
                    "subjects": sorted({subject for subject, _, _ in clips if subject}),
                },
            )
