"""The report of an evaluation: one HTML file that needs nothing else, and its figures as a PNG."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

import cv2
import numpy as np
from jaxtyping import UInt8

from pose3d_cli.files.atomic import replacing
from pose3d_cli.render import evaluation_tables as tables
from pose3d_cli.render.evaluation_canvas import THEMED, Sheet, as_hex, drawing, shortened
from pose3d_cli.render.evaluation_charts import draw_groups, draw_shares
from pose3d_cli.render.evaluation_content import Column, Example, Page
from pose3d_cli.render.evaluation_skeletons import draw_example, draw_joints, scale_top
from pose3d_cli.render.evaluation_tables import escaped
from pose3d_cli.render.palette import PAPER

__all__ = ["Column", "Example", "Page", "write_page", "write_picture"]

PICTURE_WIDTH_PX = 1600
"""Width of the PNG."""

_SHEET_WIDTH_PX = 1160
_GAP_PX = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class _Section:
    """Figures under one heading.

    Attributes:
        heading: What they are about.
        words: How to read them.
        rows: Figures that stand side by side where there is room; each row with its label.
        table: The same in numbers, as HTML.
    """

    heading: str
    words: str
    rows: Sequence[tuple[str, Sequence[Sheet]]]
    table: str


def write_page(path: Path, page: Page) -> None:
    """Write a report as one HTML file: figures are inside, nothing is fetched, no script runs.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(_html(page), "utf-8", newline="\n")


def write_picture(path: Path, page: Page) -> None:
    """Write the figures of a report as one PNG, `PICTURE_WIDTH_PX` wide.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as temporary:
        with drawing():
            strips = [_strip(sheets) for sheets in _strips(page)]
        picture = np.concatenate(strips)
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        temporary.write_bytes(png.tobytes())


def _sections(page: Page) -> list[_Section]:
    """Return the figures of which there is something to show."""
    columns = page.columns
    top_mm = scale_top(columns)
    found = [
        _Section(
            heading="Error of each joint",
            words="Mean over all frames, in mm. The person looks at you: their left is at your "
            "right. A disc's area and its shade grow with the error; the scale is the same for "
            "all. The root is where answer and truth are laid on each other.",
            rows=[("", [draw_joints(column, top_mm) for column in columns])],
            table=tables.joints(columns),
        )
    ]
    charts, numbers = [], []
    if any(column.group_mm for column in columns):
        charts.append(draw_groups(columns))
        numbers.append(tables.groups(columns))
    if any(len(column.frame_mm) for column in columns):
        charts.append(draw_shares(columns))
        numbers.append(tables.frames(columns))
    if charts:
        words = (
            "Bars: the worst action is at the top; lines are means of actions. Curves: the higher "
            "and the further left, the better; a frame without an answer is within no distance."
        )
        found.append(
            _Section(
                heading="Actions and frames",
                words=words,
                rows=[("", charts)],
                table="\n".join(numbers),
            )
        )
    shown = [column for column in columns if column.examples]
    if shown:
        words = (
            "Broad and grey: the truth. Narrow and coloured: the answer; its left is blue with "
            "round joints, its right orange with square ones. Both have their root in one place. "
            "Both views have one scale; in the view from the camera's right, the camera is at the "
            "left."
        )
        found.append(
            _Section(
                heading="Answers and truth",
                words=words,
                rows=[(c.label, [draw_example(example) for example in c.examples]) for c in shown],
                table=tables.examples(columns),
            )
        )
    return found


def _html(page: Page) -> str:
    template = resources.files("pose3d_cli.render").joinpath("evaluation_page.html")
    parts = [tables.headline(page)] if any(column.figures for column in page.columns) else []
    if page.notes:
        parts.append(f"<aside><h2>Warnings</h2>{_list(page.notes)}</aside>")
    if len(page.comparisons) > 1:
        parts.append(f"<h2>Differences between lifters</h2>\n{tables.comparisons(page)}")
    with drawing():
        parts += [_section(place, section) for place, section in enumerate(_sections(page))]
    for heading, words in (("How it was measured", page.words), ("Beware", page.pitfalls)):
        if words:
            parts.append(f"<h2>{heading}</h2>{_list(words)}")
    if page.facts:
        parts.append(f"<h2>How to get this again</h2>\n{tables.facts(page.facts)}")
    return Template(template.read_text("utf-8")).substitute(
        title=escaped(page.title),
        colours=" ".join(f"--{name}: {as_hex(rgb)};" for name, rgb in THEMED.items()),
        body="\n".join(parts),
    )


def _section(place: int, section: _Section) -> str:
    rows = []
    for row, (label, sheets) in enumerate(section.rows):
        rows.append(f"<h3><bdi>{escaped(label)}</bdi></h3>" if label else "")
        pictures = [sheet.to_svg(f"{place}-{row}-{number}") for number, sheet in enumerate(sheets)]
        rows.append(f'<div class="figures">{"".join(pictures)}</div>')
    return (
        f"<h2>{section.heading}</h2><p>{section.words}</p>\n{''.join(rows)}\n"
        f"<details><summary>The same in numbers</summary>{section.table}</details>"
    )


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escaped(item)}</li>" for item in items) + "</ul>"


def _strips(page: Page) -> Iterator[list[Sheet]]:
    """Yield the picture's strips from top to bottom: headings, and figures as many as fit."""
    yield [_heading(page.title, 18, "")]
    for section in _sections(page):
        yield [_heading(section.heading, 15, section.words)]
        for label, sheets in section.rows:
            if label:
                yield [_heading(label, 12, "")]
            yield from _fitting(sheets)


def _fitting(sheets: Sequence[Sheet]) -> Iterator[list[Sheet]]:
    """Yield sheets in rows that are no wider than the picture."""
    row: list[Sheet] = []
    for sheet in sheets:
        width = sum(other.size_px[0] + _GAP_PX for other in [*row, sheet])
        if row and width > _SHEET_WIDTH_PX:
            yield row
            row = []
        row.append(sheet)
    yield row


def _heading(title: str, size: int, words: str) -> Sheet:
    lines = textwrap.wrap(words, 160)
    height = 2 * size + 10 + 16 * len(lines)
    sheet = Sheet((_SHEET_WIDTH_PX - _GAP_PX, height), title)
    room = int(_SHEET_WIDTH_PX / (0.7 * size))
    sheet.write(14, height - 1.6 * size, shortened(title, room), fontsize=size, weight="bold")
    for row, line in enumerate(lines):
        sheet.write(14, height - 2 * size - 10 - 16 * row, line)
    return sheet


def _strip(sheets: Sequence[Sheet]) -> UInt8[np.ndarray, "height width 3"]:
    """Return figures side by side, at the top of a strip as wide as the picture."""
    scale = PICTURE_WIDTH_PX / _SHEET_WIDTH_PX
    images = [sheet.to_rgb(scale) for sheet in sheets]
    gap = round(_GAP_PX * scale)
    height = max(len(image) for image in images)
    strip = np.full((height, PICTURE_WIDTH_PX, 3), PAPER, np.uint8)
    left = 0
    for image in images:
        strip[: len(image), left : left + image.shape[1]] = image
        left += image.shape[1] + gap
    return strip
