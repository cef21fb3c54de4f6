"""What became of all clips, in files: a row a clip, and a tile a clip to look at."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from pose3d_cli.errors import ExitCode, Pose3DError
from pose3d_cli.files.atomic import remove_leftovers, replacing
from pose3d_cli.files.plain_name import one_line
from pose3d_cli.pipeline.report import BatchReport, ClipReport, exit_code_of

FORMAT = "pose3d-summary/1"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of a clip.

    Attributes:
        input: The video.
        status: `kept` if an earlier run had done it.
        error: Name of the exit code that the error has alone; empty unless it failed.
        message: Why it failed.
        people: How many were lifted; None if it failed.
        frames: Frames read; likewise.
        seconds: That the work took, by whichever run did it.
        output: Folder of the results; empty if it failed.
    """

    input: str
    status: Literal["done", "kept", "failed"]
    error: str = ""
    message: str = ""
    people: int | None = None
    frames: int | None = None
    seconds: float | None = None
    output: str = ""


COLUMNS = tuple(Row.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class SummaryFiles:
    """Where a summary goes.

    Attributes:
        folder: Made if need be.
        part: Which part of how many the clips are; each has files of its own.
    """

    folder: Path
    part: tuple[int, int] = (1, 1)

    def path(self, stem: str, suffix: str, sheet: int = 0) -> Path:
        """Return the name of a file, such as `summary-2-of-8.json` of the second part of 8."""
        part = "" if self.part == (1, 1) else f"-{self.part[0]}-of-{self.part[1]}"
        return self.folder / f"{stem}{part}{f'-{sheet + 1}' if sheet else ''}{suffix}"


def rows_of(clips: Iterable[Path], report: BatchReport[ClipReport]) -> list[Row]:
    """Return what became of clips, in their order; those not come to have no row."""
    ended = report.done | report.failed
    return [_row(clip, ended[clip]) for clip in clips if clip in ended]


def write_summary(files: SummaryFiles, rows: Sequence[Row], totals: Mapping[str, int]) -> None:
    """Write the rows as JSON and CSV.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    record = {
        "format": FORMAT,
        "totals": dict(totals),
        "clips": [asdict(row) for row in rows],
    }
    with _anew(files.path("summary", ".json")) as new:
        new.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    with (
        _anew(files.path("summary", ".csv")) as new,
        new.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for row in rows:  # a line each, whatever the name; the JSON has it as it is
            plain = {k: one_line(v) if isinstance(v, str) else v for k, v in asdict(row).items()}
            table.writerow(plain)


def write_contact_sheets(
    files: SummaryFiles, rows: Sequence[Row], done: Iterable[ClipReport]
) -> None:
    """Write a tile a clip, as one JPEG or as several if there are very many.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    from pose3d_cli.pipeline.still import as_jpeg, from_jpeg
    from pose3d_cli.render.contact_sheet import Tile, draw_sheets

    stills = {str(one.clip): one.still for one in done}
    tiles = [
        Tile(
            name=Path(row.input).name,
            status=row.status,
            words=row.message.removeprefix(f"{row.input}: ") or _people(row),
            picture=from_jpeg(stills[row.input]) if stills.get(row.input) else None,
        )
        for row in rows
    ]
    sheets = draw_sheets(tiles)
    for number, sheet in enumerate(sheets):
        with _anew(files.path("contact_sheet", ".jpg", number)) as new:
            new.write_bytes(as_jpeg(sheet))
    number = len(sheets)  # those of an earlier, longer run
    while (old := files.path("contact_sheet", ".jpg", number)).exists() and number:
        old.unlink()
        number += 1


def with_still(report: ClipReport) -> ClipReport:
    """Return a report with a picture of its clip; without one if that cannot be made."""
    from pose3d_cli.pipeline.still import still_of

    if report.keypoints is None:
        return report
    try:
        return replace(report, still=still_of(report.clip, report.keypoints))
    except Pose3DError:  # only a picture to look at: the clip is no worse for it
        return report


@contextmanager
def _anew(path: Path) -> Iterator[Path]:
    """Give a file that takes the place of `path`, and clean up what a killed run left of one."""
    with suppress(OSError):  # that the folder cannot be written is told by what comes next
        remove_leftovers(path)
    with replacing(path) as new:
        yield new


def _row(clip: Path, outcome: ClipReport | Exception) -> Row:
    if isinstance(outcome, Exception):
        code: ExitCode = exit_code_of(outcome)
        told = str(outcome) or type(outcome).__name__
        return Row(input=str(clip), status="failed", error=code.name, message=told)
    return Row(
        input=str(clip),
        status="kept" if outcome.is_kept else "done",
        people=outcome.people,
        frames=outcome.frames,
        seconds=round(sum(outcome.seconds.values()), 3),
        output=str(outcome.folder),
    )


def _people(row: Row) -> str:
    return "1 person" if row.people == 1 else f"{row.people} people"
