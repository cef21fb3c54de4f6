"""What the conversion of a raw data set tells, while it goes on and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(kw_only=True)
class ConversionReport:
    """What became of a raw data set.

    Attributes:
        dataset: Name of the data set, as `pose3d eval --dataset` takes it.
        files: What was written.
        done: What was taken, such as `S1/Photo 1`, to its frames.
        skipped: What was not, to the reason.
        notes: What else the user should know.
        splits: Clips and frames that the data set's own reader finds in the files.
    """

    dataset: str
    files: list[Path] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    splits: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {**vars(self), "files": [str(path) for path in self.files]}

    def lines(self) -> list[str]:
        """Return it as lines for people."""
        found = [
            f"{split}: {about['clips']} clips, {about['frames']:,} frames"
            for split, about in self.splits.items()
        ]
        return [*(str(path) for path in self.files), *found]

    def warnings(self) -> list[str]:
        """Return what was left out, and what else the user should know, a line each."""
        left_out = [f"{what}: left out: {why}" for what, why in self.skipped.items()]
        return [*left_out, *self.notes]
