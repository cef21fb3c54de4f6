"""Settings of working through many clips; flags and `--config run.toml` have the same names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class BatchSettings:
    """Which clips are worked on, by how many processes, and what is done again."""

    recursive: bool = True
    """Look for videos in the folders below a folder, too."""
    list: str = ""
    """File with an input a line, relative to its folder; - reads stdin; # begins a comment."""
    jobs: int | Literal["auto"] = 1
    """Clips worked on at once, each by a process of its own; auto: as many as pay."""
    engine: Literal["local", "ray"] = "local"
    """What runs them: this machine, or the Ray cluster that RAY_ADDRESS names, else one begun."""
    gpus_per_job: float = 0.25
    """What each takes of a GPU under `--engine ray`, where there are any; 0: not counted."""
    redo: bool = False
    """Do again what is done already."""
    fail_fast: bool = False
    """Stop at the first clip that fails."""
    shard: str = ""
    """`I/N`: every N-th clip from the I-th on, for one of N machines."""
    dry_run: bool = False
    """Say what would be done with each clip, and do no more."""

    def __post_init__(self) -> None:
        if self.jobs != "auto" and int(self.jobs) < 1:
            raise ValueError(f"jobs ({self.jobs}) must be at least 1, or auto")
        if self.gpus_per_job < 0 or (self.gpus_per_job > 1 and self.gpus_per_job % 1):
            raise ValueError(
                f"gpus_per_job ({self.gpus_per_job:g}) must be a part of a GPU or a whole number"
            )
        if self.shard:
            _ = self.part

    @property
    def part(self) -> tuple[int, int]:
        """Which part of how many `shard` means, from 1.

        Raises:
            ValueError: It is not two whole numbers, the first within the second.
        """
        told = re.fullmatch(r"(\d+)/(\d+)", self.shard or "1/1")
        number, count = (int(told[1]), int(told[2])) if told else (0, 0)
        if not 1 <= number <= count:
            raise ValueError(f"shard ({self.shard}) must be I/N with I from 1 to N, such as 2/8")
        return number, count
