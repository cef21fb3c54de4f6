"""The room behind the people: floor, walls, grid, scale and legend. Drawn once a clip."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from pose3d_cli.render.palette import FLOOR, GRID, INK, SIDES, WALL, Side, unit
from pose3d_cli.render.view import View, ViewLimits, grid_step, ticks

FONT = "DejaVu Sans"  # comes with Matplotlib: the same picture on every machine


def draw_room(axes: Axes, box: ViewLimits, view: View) -> None:
    """Draw floor, far walls, grid and the scale along the floor's near edges.

    Args:
        axes: Axes whose data units are pixels, y up.
        box: The room.
        view: How world axes become pixels.
    """
    step_m = grid_step(box)
    walls, floor = _faces(box)
    for face, colour in ((walls[0], WALL), (walls[1], WALL), (floor, FLOOR)):
        outline = view.project(face)[:, :2]
        filled = PolyCollection(
            [outline], facecolors=[unit(colour)], edgecolors=[unit(GRID)], linewidths=0.8
        )
        axes.add_collection(filled, autolim=False)
    lines = view.project(_grid(box, step_m))[..., :2]
    axes.add_collection(
        LineCollection(list(lines), colors=[unit(GRID)], linewidths=0.8), autolim=False
    )
    _draw_scale(axes, box, step_m, view)


def draw_legend(axes: Axes, size_px: tuple[int, int]) -> None:
    """Say which colour is which side, and what the axes are, along the bottom."""
    width, _ = size_px
    axes.text(16, 14, "world axes, metres", fontsize=11, family=FONT, color=unit(INK))
    sides: tuple[tuple[int, Side], ...] = ((-118, "left"), (-58, "right"))
    for place, name in sides:
        x = width + place
        axes.plot([x, x + 12], [18, 18], color=unit(SIDES[name]), lw=5, solid_capstyle="round")
        axes.text(x + 20, 14, name, fontsize=11, family=FONT, color=unit(INK))


def _faces(
    box: ViewLimits,
) -> tuple[list[Float64[np.ndarray, "4 3"]], Float64[np.ndarray, "4 3"]]:
    """Return the far wall and the left wall, and the floor."""
    (x0, y0, z0), (x1, y1, z1) = box.low, box.high
    far = np.array([[x0, y1, z1], [x1, y1, z1], [x1, y1, z0], [x0, y1, z0]])
    left = np.array([[x0, y0, z1], [x0, y1, z1], [x0, y1, z0], [x0, y0, z0]])
    floor = np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]])
    return [far, left], floor


def _grid(box: ViewLimits, step_m: float) -> Float64[np.ndarray, "lines 2 3"]:
    """Return the grid lines of floor, far wall and left wall, world axes, metres."""
    (x0, y0, z0), (x1, y1, z1) = box.low, box.high
    lines = []
    for x in ticks(x0, x1, step_m):
        lines += [[(x, y0, z0), (x, y1, z0)], [(x, y1, z0), (x, y1, z1)]]
    for y in ticks(y0, y1, step_m):
        lines += [[(x0, y, z0), (x1, y, z0)], [(x0, y, z0), (x0, y, z1)]]
    for height in ticks(0.0, z1 - z0, step_m):  # from the floor up
        z = z0 + height
        lines += [[(x0, y1, z), (x1, y1, z)], [(x0, y0, z), (x0, y1, z)]]
    return np.array(lines)


def _draw_scale(axes: Axes, box: ViewLimits, step_m: float, view: View) -> None:
    """Write the metres of x along the near edge of the floor, of y along its right edge."""
    (x0, y0, z0), (x1, y1, _) = box.low, box.high
    for axis, name, ends in (
        (0, "x right", [(x0, y0, z0), (x1, y0, z0)]),
        (1, "y ahead", [(x1, y0, z0), (x1, y1, z0)]),
    ):
        values = ticks(box.low[axis], box.high[axis], step_m)
        start, end = view.project(np.array(ends))[:, :2]
        way_px = (end - start) / (box.high[axis] - box.low[axis])  # of a metre
        every = int(np.ceil(26 / max(np.hypot(*way_px) * step_m, 1e-6)))
        for value in values[::every]:
            place = start + (value - box.low[axis]) * way_px
            _note(axes, place + np.array([5, -4]), f"{value:g}")
        _note(axes, (start + end) / 2 + np.array([14, -20]), name)


def _note(axes: Axes, place_px: Float[np.ndarray, " 2"], words: str) -> None:
    axes.text(
        place_px[0], place_px[1], words,
        fontsize=10, family=FONT, color=unit(INK), alpha=0.75, va="top",
    )  # fmt: skip
