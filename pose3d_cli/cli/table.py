"""Rows as a table: drawn on a terminal, plain columns in a pipe or file."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence

_Rows = Sequence[Sequence[str]]


def table(rows: _Rows) -> list[str]:
    """Return rows, the header first, as lines in columns: those that hold numbers to the right."""
    n_columns = max((len(row) for row in rows), default=0)
    filled = [[*row, *[""] * (n_columns - len(row))] for row in rows]
    columns = list(zip(*filled, strict=True))
    aligns = [">" if any(map(_is_number, column)) else "<" for column in columns]
    if filled and sys.stdout.isatty():
        return _drawn(filled, aligns)
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            f"{cell:{align}{width}}" for cell, align, width in zip(row, aligns, widths, strict=True)
        ).rstrip()
        for row in filled
    ]


def _drawn(rows: _Rows, aligns: Sequence[str]) -> list[str]:
    """Return a table for a terminal, which folds long words where the window is narrow."""
    from rich import box  # a third of the time of a short command, so only where it is seen
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head, align in zip(rows[0], aligns, strict=True):
        justify = "right" if align == ">" else "left"
        drawn.add_column(Text(head), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows[1:]:
        drawn.add_row(*map(Text, row))
    width = shutil.get_terminal_size().columns
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    with console.capture() as told:
        console.print(drawn)
    return [line.rstrip() for line in told.get().strip("\n").splitlines()]


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).removeprefix("-").isdecimal()
