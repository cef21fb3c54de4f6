"""What the parts of a clip gave, together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pose3d_cli.detect.pick import not_there
from pose3d_cli.errors import NobodyFoundError
from pose3d_cli.files.results import ClipResult
from pose3d_cli.pipeline.mend import Mended
from pose3d_cli.pipeline.observe import Observation, nobody_found
from pose3d_cli.pipeline.provenance import part_folder
from pose3d_cli.pipeline.settings import LiftSettings


class Tally:
    """Counts over the parts of a clip, and errors that only its end can tell.

    Attributes:
        people: Numbers of all that were lifted so far.
        n_frames: Frames read so far.
    """

    def __init__(self, clip: Path, settings: LiftSettings) -> None:
        self.people: set[int] = set()
        self.n_frames = 0
        self._clip, self._settings = clip, settings
        self._seen: set[int] = set()
        self._flips: Counter[str] = Counter()
        self._meta: dict[str, Any] = {}
        self._parts: list[dict[str, Any]] = []

    def see(self, seen: Observation) -> None:
        """Count who was seen in the next part.

        Raises:
            NobodyFoundError: Nobody, up to the end of the clip.
        """
        self.n_frames += len(seen.frames)
        self._seen |= {person.person for person in seen.people}
        if seen.span.is_last and not self._seen:
            raise nobody_found(self._clip, self.n_frames, seen.detector)

    def refuse_nobody(self, seen: Observation, people: Sequence[Mended]) -> None:
        """Refuse a clip that is over without anybody to lift.

        Raises:
            NobodyFoundError: Nobody of those asked for, or nobody whose hips are known.
        """
        if not seen.span.is_last or self.people or any(person.stretches for person in people):
            return
        which = self._settings.person
        if which.isdecimal() and int(which) not in self._seen:
            raise not_there(which, sorted(self._seen))
        raise NobodyFoundError(
            f"{self._clip}: {seen.detector} shows nobody whose hips are known, so nobody can be "
            "lifted; keypoints with both hips are needed"
        )

    def add(self, seen: Observation, result: ClipResult) -> None:
        """Count what was lifted of a part."""
        numbers = [person.person for person in result.people]
        self.people |= set(numbers)
        self._meta = self._meta or {k: v for k, v in result.meta.items() if k != "part"}
        self._flips.update(result.meta["flips_mended"])
        if not seen.span.is_whole:
            self._parts.append(
                {
                    "folder": part_folder(Path(), seen.span.number).name,
                    "frames": len(seen.frames),
                    "start_s": round(float(seen.time_s[0]), 6),
                    "end_s": round(float(seen.time_s[-1]), 6),
                    "people": numbers,
                }
            )

    def as_json(self) -> dict[str, Any]:
        """Return plain values, for the record of the run."""
        meta = {**self._meta, "flips_mended": dict(self._flips)}
        return {"meta": meta, "parts": self._parts} if self._parts else {"meta": meta}
