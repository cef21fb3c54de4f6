"""Charts of a report: the error of each action, and the share of frames within each distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from pose3d_cli.render.evaluation_canvas import N_COLOURS, Sheet, letters_wide, shortened
from pose3d_cli.render.evaluation_content import (
    Column,
    finite_mean,
    group_names,
    in_mm,
    mean_in_words,
    share_within,
    within_mm,
)
from pose3d_cli.render.palette import GRID, PAPER, person_colour, unit

MOST_GROUPS = 30
"""Bars of more groups would fill pages; a table has them all."""

_WIDTH_PX = 470
_RIGHT_PX = 24
_BAR_PX = 13
_BETWEEN_GROUPS_PX = 11
_LEGEND_PX = 18
_DASHES: Sequence[str | tuple[int, tuple[int, ...]]] = (
    "-", (0, (6, 2)), (0, (2, 2)), (0, (8, 2, 2, 2)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)),
    (0, (10, 3)),
)  # fmt: skip
_HATCHES = ("", "////", "....", "\\\\\\\\", "----", "xxxx", "||||")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_LEAST_REACH_MM = 200.0


def draw_groups(columns: Sequence[Column]) -> Sheet:
    """Return bars of each group's mean error, the worst group at the top, and lifters' means."""
    names = group_names(columns)
    shown = names[:MOST_GROUPS]
    row_px = len(columns) * _BAR_PX + _BETWEEN_GROUPS_PX
    bars_px = len(shown) * row_px
    key_px = len(columns) * _LEGEND_PX
    left_px = 24 + 6.8 * max(letters_wide(shortened(_said(name), 22)) for name in shown)
    is_cut = len(names) > len(shown)
    head_px = 42 + _LEGEND_PX * is_cut
    height_px = 40 + bars_px + 10 + key_px + head_px
    sheet = Sheet((_WIDTH_PX, height_px), "Mean error of each action or sequence, as bars")
    sheet.write(14, height_px - 20, "Mean error of each action, mm", weight="bold", fontsize=12)
    if is_cut:
        words = f"The worst {len(shown)} of {len(names)}, as a mean of lifters; means are of all."
        sheet.write(14, height_px - 40, words)
    axes = sheet.plot(left_px, 40, _WIDTH_PX - left_px - _RIGHT_PX, bars_px)
    largest = _largest([c.group_mm.get(name, np.nan) for c in columns for name in shown])
    axes.set(xlim=(0, largest * 1.12), ylim=(bars_px, 0))
    axes.set_yticks([(row + 0.5) * row_px for row in range(len(shown))])
    axes.set_yticklabels([shortened(_said(name), 22) for name in shown])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=unit(GRID), lw=0.7)
    axes.set_axisbelow(True)
    for place, column in enumerate(columns):
        _draw_bars(axes, place, column, shown, row_px)
        y_px = height_px - head_px - (place + 0.5) * _LEGEND_PX
        mean = finite_mean(list(column.group_mm.values()))
        if np.isfinite(mean):
            axes.axvline(mean, color=_colour(place), lw=1.8, zorder=1)
        _draw_sample(sheet, place, y_px)
        words = f"{shortened(column.label, 32)}: mean {mean_in_words(column, names)}"
        sheet.write(60, y_px, words, va="center_baseline")
    return sheet


def _draw_bars(axes: Axes, place: int, column: Column, names: Sequence[str], row_px: int) -> None:
    """Draw a lifter's bars, each with its number at the end; a dash where there is none."""
    for row, name in enumerate(names):
        value = column.group_mm.get(name, float("nan"))
        middle = row * row_px + _BETWEEN_GROUPS_PX / 2 + (place + 0.5) * _BAR_PX
        length = value if np.isfinite(value) else 0.0
        axes.barh(
            middle, length, _BAR_PX - 2, color=_colour(place), zorder=2,
            hatch=_HATCHES[place % len(_HATCHES)], edgecolor=unit(PAPER), linewidth=0,
        )  # fmt: skip
        axes.annotate(
            in_mm(value), (length, middle), (3, 0),
            textcoords="offset points", va="center_baseline", fontsize=9.5, zorder=5,
            bbox={"facecolor": unit(PAPER), "linewidth": 0, "pad": 0.3},
        )  # fmt: skip


def draw_shares(columns: Sequence[Column]) -> Sheet:
    """Return a curve a lifter: the share of frames within each distance."""
    key_px = 2 * len(columns) * _LEGEND_PX
    height_px = 380 + key_px
    sheet = Sheet((_WIDTH_PX, height_px), "Share of frames within each distance, as curves")
    sheet.write(14, height_px - 20, "Share of frames whose error is within …", weight="bold",
                fontsize=12)  # fmt: skip
    axes = sheet.plot(56, key_px + 58, _WIDTH_PX - 56 - _RIGHT_PX, 280)
    reach_mm = max([_LEAST_REACH_MM, *(_percentile_99(column) for column in columns)])
    axes.set(xlim=(0, reach_mm), ylim=(0, 1.02), xlabel="mean error of a frame, mm")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 0.9, 1.0])
    axes.set_yticklabels(["0 %", "25 %", "50 %", "75 %", "90 %", "100 %"])
    axes.grid(color=unit(GRID), lw=0.7)
    for place, column in enumerate(columns):
        _draw_curve(axes, place, column, reach_mm)
        y_px = key_px - (2 * place + 0.5) * _LEGEND_PX + 8
        _draw_sample(sheet, place, y_px, is_curve=True)
        half, most = (in_mm(within_mm(column.frame_mm, share)) for share in (0.5, 0.9))
        sheet.write(60, y_px, shortened(column.label, 52), va="center_baseline")
        words = f"{_frames(column)}: half within {half} mm, 90 % within {most} mm"
        sheet.write(60, y_px - 15, words, va="center_baseline", fontsize=10)
    return sheet


def _draw_curve(axes: Axes, place: int, column: Column, reach_mm: float) -> None:
    limits = np.linspace(0, reach_mm, 401)
    colour = _colour(place)
    axes.plot(
        limits, share_within(column.frame_mm, limits), color=colour, lw=1.8, ls=_dashes(place)
    )
    for share in (0.5, 0.9):
        reached = within_mm(column.frame_mm, share)
        if np.isfinite(reached):
            axes.plot([reached, reached], [0, share], color=colour, lw=0.9, ls=_dashes(place))
            axes.plot(
                [reached], [share],
                marker=_MARKS[place % len(_MARKS)], markersize=7, color=colour,
                markeredgecolor=unit(PAPER), zorder=5,
            )  # fmt: skip


def _draw_sample(sheet: Sheet, place: int, y_px: float, *, is_curve: bool = False) -> None:
    """Draw what stands for a lifter before its name: a piece of bar, or of line with its mark."""
    if is_curve:
        mark = _MARKS[place % len(_MARKS)]
        sheet.ground.plot([16, 50], [y_px, y_px], color=_colour(place), lw=1.8, ls=_dashes(place))
        sheet.ground.plot([33], [y_px], marker=mark, markersize=7, color=_colour(place))
        return
    sheet.ground.barh(
        y_px, 34, 11, left=16, color=_colour(place),
        hatch=_HATCHES[place % len(_HATCHES)], edgecolor=unit(PAPER), linewidth=0,
    )  # fmt: skip
    sheet.ground.set(xlim=(0, sheet.size_px[0]), ylim=(0, sheet.size_px[1]))


def _largest(values: Sequence[float]) -> float:
    """Return the largest finite value, and at least a millimetre so that an axis has a length."""
    return max([1.0, *(value for value in values if np.isfinite(value))])


def _percentile_99(column: Column) -> float:
    known = column.frame_mm[np.isfinite(column.frame_mm)]
    return float(np.percentile(known, 99)) if len(known) else 0.0


def _frames(column: Column) -> str:
    return "1 frame" if len(column.frame_mm) == 1 else f"{len(column.frame_mm)} frames"


def _said(group: str) -> str:
    return group or "(no name)"


def _colour(place: int) -> tuple[float, float, float]:
    return unit(person_colour(place % N_COLOURS))


def _dashes(place: int) -> str | tuple[int, tuple[int, ...]]:
    return _DASHES[place % len(_DASHES)]
