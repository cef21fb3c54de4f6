"""Skeletons of a report: how far each joint is off, and answers beside their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float64
from matplotlib import colormaps
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap

from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.evaluation_canvas import TRUTH, Sheet, shortened
from pose3d_cli.render.evaluation_content import NOT_KNOWN, Column, Example, in_mm
from pose3d_cli.render.palette import INK, PAPER, SIDES, bone_colours, side, unit

_WIDTH_PX = 372

# Somebody who stands and looks at us: places of the left half, mirrored for the right one.
_JOINTS_SIZE_PX = (_WIDTH_PX, 500)
_PELVIS_PX = (186.0, 250.0)
_HALF_PX: Mapping[str, tuple[float, float]] = {
    "hip": (36, -4), "knee": (44, -72), "ankle": (50, -142),
    "shoulder": (54, 106), "elbow": (94, 52), "wrist": (118, -6),
}  # fmt: skip
_MIDDLE_PX: Mapping[str, float] = {
    "pelvis": 0,
    "spine": 54,
    "thorax": 112,
    "nose": 154,
    "head": 192,
}
# Where numbers go that have no room beside their joints: pixels right and up from them.
_NUMBER_PX: Mapping[str, tuple[float, float]] = {"pelvis": (0, -21), "thorax": (25, 17)}
_LARGEST_PX, _LEAST_PX = 14.0, 3.5
_BAR_PX = (76.0, 44.0, 220.0, 12.0)
_BAR_STEPS = 44

# From pale to dark, so that print without colour and every eye can order them.
_COLOURS = ListedColormap(colormaps["magma_r"](np.linspace(0.06, 0.82, 256)))


def front_view(joint: str) -> tuple[float, float]:
    """Return where a joint stands in the figure of joints: pixels right and up.

    The person looks at the viewer: what is on the person's left is at the viewer's right.
    """
    way = {"left": 1, "right": -1, "middle": 0}[side(joint)]
    across, up = _HALF_PX[joint.partition("_")[2]] if way else (0.0, _MIDDLE_PX[joint])
    return _PELVIS_PX[0] + way * across, _PELVIS_PX[1] + up


def scale_top(columns: Sequence[Column]) -> float:
    """Return a round end, in mm, for the scale of the joints' errors of all lifters."""
    known = [mm for column in columns for mm in column.joint_mm.values() if np.isfinite(mm)]
    largest = max(known, default=0.0)
    step = next((step for step in (10.0, 20.0, 50.0, 100.0) if largest <= 10 * step), 500.0)
    return max(float(np.ceil(largest / step)), 1.0) * step


def draw_joints(column: Column, top_mm: float) -> Sheet:
    """Return a standing skeleton, each joint a disc that is larger and darker the more it is off.

    Args:
        column: The lifter.
        top_mm: End of the scale, the same for all lifters.
    """
    sheet = Sheet(_JOINTS_SIZE_PX, f"Mean error of each joint of {column.label}, on a skeleton")
    middle = _PELVIS_PX[0]
    sheet.write(middle, 480, shortened(column.label, 42), ha="center", fontsize=13, weight="bold")
    ends = [(front_view(parent), front_view(joint)) for parent, joint in H36M17.bones]
    colours = [unit(colour) for colour in bone_colours(H36M17)]
    sheet.ground.add_collection(LineCollection(ends, colors=colours, linewidths=3, zorder=1))
    for joint in H36M17.joints:
        _draw_joint(sheet, joint, column.joint_mm.get(joint, float("nan")), top_mm)
    _name_sides(sheet)
    _draw_scale(sheet, top_mm)
    if not np.isfinite([column.joint_mm.get(joint, np.nan) for joint in H36M17.joints]).all():
        sheet.write(_BAR_PX[0], 8, f"hollow, {NOT_KNOWN}: not measured", fontsize=10)
    return sheet


def _draw_joint(sheet: Sheet, joint: str, error_mm: float, top_mm: float) -> None:
    """Draw a disc whose area is the error, or a hollow one, and write the number beside it."""
    x, y = front_view(joint)
    is_known = bool(np.isfinite(error_mm))
    radius = 7.0
    if is_known:
        radius = float(np.hypot(_LEAST_PX, _LARGEST_PX * np.sqrt(error_mm / top_mm)))
    sheet.ground.plot(
        [x], [y],
        marker="o", markersize=2 * radius, zorder=2,
        color=_COLOURS(error_mm / top_mm) if is_known else unit(PAPER),
        markeredgecolor=unit(INK), markeredgewidth=1.0 if is_known else 1.6,
    )  # fmt: skip
    words = in_mm(error_mm, 0)
    if joint in _NUMBER_PX:
        across, up = _NUMBER_PX[joint]
        sheet.write(x + across, y + up, words, ha="center", va="center_baseline", zorder=3)
        return
    way = -1 if side(joint) == "right" else 1
    align = "right" if way < 0 else "left"
    sheet.write(x + way * (radius + 4), y, words, ha=align, va="center_baseline", zorder=3)


def _name_sides(sheet: Sheet) -> None:
    """Write which side is whose, each with the colour of its bones."""
    for name, x, align in (("right", 14, "left"), ("left", _WIDTH_PX - 14, "right")):
        to_middle = 1 if name == "right" else -1
        sheet.write(x, 440, f"person's {name}", ha=align, va="baseline")
        sheet.ground.plot(
            [x, x + to_middle * 24], [430, 430], color=unit(SIDES[side(f"{name}_hip")]), lw=3
        )


def _draw_scale(sheet: Sheet, top_mm: float) -> None:
    left, bottom, width, height = _BAR_PX
    edges = left + width * np.linspace(0, 1, _BAR_STEPS + 1)
    cells = [
        [(a, bottom), (b, bottom), (b, bottom + height), (a, bottom + height)]
        for a, b in pairwise(edges)
    ]
    colours = _COLOURS(np.linspace(0, 1, _BAR_STEPS))
    sheet.ground.add_collection(
        PolyCollection(cells, facecolors=colours, edgecolors=colours, linewidths=0.7)
    )
    for share in (0.0, 0.5, 1.0):
        place = left + share * width
        sheet.ground.plot([place, place], [bottom - 4, bottom], color=unit(INK), lw=1)
        sheet.write(place, bottom - 7, f"{share * top_mm:g}", ha="center", va="top")
    sheet.write(left + width + 12, bottom + height / 2, "mm", va="center_baseline")


_EXAMPLE_SIZE_PX = (_WIDTH_PX, 300)
# Left, bottom, width and height of the two views.
_VIEW_PX: Mapping[str, tuple[float, float, float, float]] = {
    "front": (14.0, 48.0, 166.0, 200.0),
    "side": (192.0, 48.0, 166.0, 200.0),
}
# Rows: picture right, picture up, towards the viewer; in camera axes. None is a mirror image.
_LOOKS: Mapping[str, Float64[np.ndarray, "3 3"]] = {
    "front": np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]),
    "side": np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]]),
}
_VIEW_NAMES = {"front": "as the camera sees it", "side": "from the camera's right"}
_MARKERS = {"left": "o", "right": "s", "middle": "."}
_SCALE_BAR_M = 0.5


def draw_example(example: Example) -> Sheet:
    """Return an answer on top of its truth from the front and from the side, at one scale."""
    heading = f"{in_mm(example.error_mm)} mm off"
    sheet = Sheet(_EXAMPLE_SIZE_PX, f"{example.title}, {heading}: answer and truth")
    sheet.write(14, 280, shortened(example.title, 54), weight="bold")
    sheet.write(14, 262, heading)
    both = np.concatenate([example.truth, example.pose]).astype(np.float64)
    known = both[np.isfinite(both).all(-1)]
    if not len(known):
        sheet.write(_WIDTH_PX / 2, 148, "no joint is known", ha="center")
        return sheet
    low, high = known.min(0), known.max(0)
    _, _, width, height = _VIEW_PX["front"]
    span = np.maximum(high - low, 0.2)
    px_per_m = min(width / max(span[0], span[2]), height / span[1]) * 0.94
    for view, (left, bottom, _, _) in _VIEW_PX.items():
        look = _LOOKS[view]
        centre = look @ ((low + high) / 2)
        middle = np.array([left + width / 2, bottom + height / 2])
        offset = middle - px_per_m * centre[:2]
        for xyz, is_truth in ((example.truth, True), (example.pose, False)):
            _draw_person(sheet, xyz @ look.T * px_per_m, offset, is_truth=is_truth)
        sheet.write(middle[0], 30, _VIEW_NAMES[view], ha="center", fontsize=10)
    _draw_scale_bar(sheet, px_per_m)
    return sheet


def _draw_person(
    sheet: Sheet,
    turned_px: Float[np.ndarray, "joints 3"],
    offset_px: Float[np.ndarray, " 2"],
    *,
    is_truth: bool,
) -> None:
    """Draw bones, the farthest first, and a mark on each joint that tells its side.

    Args:
        sheet: Where to draw.
        turned_px: Right, up and towards the viewer.
        offset_px: What is added to right and up.
        is_truth: Draw broad and grey.
    """
    places = turned_px[:, :2] + offset_px
    index = np.array([[H36M17.index(joint) for joint in bone] for bone in H36M17.bones])
    order = np.argsort(turned_px[index, 2].mean(1))
    order = order[np.isfinite(places[index[order]]).all((1, 2))]
    colours = np.array([unit(colour) for colour in bone_colours(H36M17)])[order]
    sheet.ground.add_collection(
        LineCollection(
            list(places[index[order]]),
            colors=[unit(TRUTH)] if is_truth else colours,
            linewidths=6.0 if is_truth else 2.2,
            capstyle="round",
            zorder=1 if is_truth else 2,
        )
    )
    if is_truth:
        return
    for joint, (x, y) in zip(H36M17.joints, places, strict=True):
        own = side(joint)
        if np.isfinite([x, y]).all():
            sheet.ground.plot(
                [x], [y], marker=_MARKERS[own], markersize=5, color=unit(SIDES[own]), zorder=3
            )


def _draw_scale_bar(sheet: Sheet, px_per_m: float) -> None:
    length = _SCALE_BAR_M * px_per_m
    sheet.ground.plot([14, 14 + length], [14, 14], color=unit(INK), lw=1.5)
    sheet.write(14 + length + 6, 10, f"{_SCALE_BAR_M:g} m", fontsize=10, va="baseline")
