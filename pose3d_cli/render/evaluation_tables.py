"""The numbers of a report as HTML tables: all that the figures show, and what they leave out."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.evaluation_content import (
    NOT_KNOWN,
    Column,
    Page,
    group_names,
    in_mm,
    mean_in_words,
    share_within,
    tidy,
    within_mm,
)

_SHARES_MM = (25.0, 50.0, 75.0, 100.0, 150.0)


def escaped(text: str) -> str:
    """Return text that means itself in HTML."""
    return html.escape(tidy(text))


def headline(page: Page) -> str:
    """Return the table of measures, lifters side by side, the best of each row marked."""
    measures = list(dict.fromkeys(name for column in page.columns for name in column.figures))
    body = []
    for measure in measures:
        figures = [column.figures.get(measure, NOT_KNOWN) for column in page.columns]
        best = best_of(figures, page.better.get(measure))
        cells = [
            f'<strong>{escaped(figure)}</strong> <span class="best">best</span>'
            if place in best
            else escaped(figure)
            for place, figure in enumerate(figures)
        ]
        body.append((escaped(measure), *cells))
    return table(["", *(escaped(column.label) for column in page.columns)], body)


def best_of(figures: Sequence[str], better: str | None) -> set[int]:
    """Return the places of the best figures by the number that each begins with.

    What looks equal is equal: a lead in digits that are not shown is no lead. Nothing is best of
    one, and nothing where all are alike.

    Args:
        figures: Words such as `45.1 (44.0 to 46.2) mm`.
        better: `lower` or `higher`; None for what is not a matter of better.
    """
    found = {place: _leading(figure) for place, figure in enumerate(figures)}
    numbers = {place: number for place, number in found.items() if number is not None}
    if better is None or len(set(numbers.values())) < 2:
        return set()
    best = min(numbers.values()) if better == "lower" else max(numbers.values())
    return {place for place, number in numbers.items() if number == best}


def _leading(figure: str) -> float | None:
    number = re.match(r"\s*[-+]?\d+(?:\.\d+)?", figure)
    return float(number[0]) if number else None


def comparisons(page: Page) -> str:
    """Return the table of differences."""
    header, *rows = page.comparisons
    return table([escaped(cell) for cell in header], [[escaped(c) for c in row] for row in rows])


def joints(columns: Sequence[Column]) -> str:
    """Return the mean error of each joint."""
    rows = [
        (joint.replace("_", " "), *(in_mm(c.joint_mm.get(joint, np.nan)) for c in columns))
        for joint in H36M17.joints
    ]
    return table(_header("mean error, mm", columns), rows)


def groups(columns: Sequence[Column]) -> str:
    """Return the mean error of each group, the worst first, and the mean of them."""
    rows = [
        (escaped(name) or "(no name)", *(in_mm(c.group_mm.get(name, np.nan)) for c in columns))
        for name in group_names(columns)
    ]
    means = [mean_in_words(c, group_names(columns)) for c in columns]
    return table(_header("mean error, mm", columns), [*rows, ("plain mean of these", *means)])


def frames(columns: Sequence[Column]) -> str:
    """Return how errors are spread over frames."""
    lines: dict[str, Callable[[Column], str]] = {
        "frames": lambda c: str(len(c.frame_mm)),
        "of these without an answer": lambda c: str(int((~np.isfinite(c.frame_mm)).sum())),
        "half are within, mm": lambda c: in_mm(within_mm(c.frame_mm, 0.5)),
        "90 % are within, mm": lambda c: in_mm(within_mm(c.frame_mm, 0.9)),
        "99 % are within, mm": lambda c: in_mm(within_mm(c.frame_mm, 0.99)),
        "all are within, mm": lambda c: in_mm(within_mm(c.frame_mm, 1.0)),
    }
    rows = [(name, *(words(column) for column in columns)) for name, words in lines.items()]
    for limit in _SHARES_MM:
        shares = [100 * share_within(c.frame_mm, np.array([limit]))[0] for c in columns]
        rows.append((f"within {limit:g} mm", *(f"{share:.1f} %" for share in shares)))
    return table(_header("", columns), rows)


def examples(columns: Sequence[Column]) -> str:
    """Return the full name and the error of each example."""
    rows = [
        (escaped(column.label), escaped(example.title), in_mm(example.error_mm))
        for column in columns
        for example in column.examples
    ]
    return table(["", "frame", "error, mm"], rows)


def facts(of: Mapping[str, str]) -> str:
    """Return names and values."""
    rows = [(escaped(name), f"<code>{escaped(value)}</code>") for name, value in of.items()]
    return table([], rows, is_facts=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, is_facts: bool = False) -> str:
    """Return a table that scrolls by itself where the screen is narrow.

    Args:
        header: Cells that are HTML already; none for a table without a header.
        rows: The same of each row, whose first cell names it.
        is_facts: Whether cells are long words rather than numbers.
    """
    head = "".join(f'<th scope="col"><bdi>{cell}</bdi></th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row"><bdi>{first}</bdi></th>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>\n"
        for first, *rest in rows
    )
    kind = "facts" if is_facts else "numbers"
    head = f"<thead><tr>{head}</tr></thead>\n" if head else ""
    return (
        f'<div class="scroll" tabindex="0"><table class="{kind}">{head}'
        f"<tbody>\n{body}</tbody></table></div>"
    )


def _header(corner: str, columns: Sequence[Column]) -> list[str]:
    return [corner, *(escaped(column.label) for column in columns)]
