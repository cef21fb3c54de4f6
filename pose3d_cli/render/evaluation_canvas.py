"""Figures of a report: laid out in pixels, given out as SVG that follows the page, or as pixels."""

from __future__ import annotations

import html
import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from matplotlib import font_manager, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pose3d_cli.render.evaluation_content import tidy
from pose3d_cli.render.palette import GRID, INK, PAPER, RGB, SIDES, person_colour, unit
from pose3d_cli.render.room import FONT

_DPI = 72  # a point is a pixel
Px = float | int
TRUTH: RGB = (152, 160, 172)
"""Grey of what a lifter's answer is compared with."""

N_COLOURS = 6
"""Lifters that have a colour of their own; further ones begin again, with other dashes."""

THEMED: Mapping[str, RGB] = {
    "ink": INK,
    "paper": PAPER,
    "grid": GRID,
    "truth": TRUTH,
    "left": SIDES["left"],
    "right": SIDES["right"],
    **{f"series-{place}": person_colour(place) for place in range(N_COLOURS)},
}
"""Colours that a page may change, in the dark say, by the name of its CSS variable."""


def as_hex(colour: RGB) -> str:
    """Return the colour as CSS and SVG write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


# Letters that Matplotlib's own font lacks; which of these fonts are there depends on the machine.
_MORE_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "Hiragino Sans", "PingFang SC",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "WenQuanYi Micro Hei", "Noto Sans Devanagari",
    "Nirmala UI", "Arial Unicode MS",
)  # fmt: skip


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the report's own style, whatever the user's Matplotlib settings are.

    Labels are taken as they are: a dollar sign begins no formula. Letters of no font at hand make
    boxes in a PNG, and no warnings; in SVG it is the browser's fonts that count.
    """
    there = {font.name for font in font_manager.fontManager.ttflist}
    settings: dict[str, Any] = {
        "font.family": [FONT, *(name for name in _MORE_FONTS if name in there)],
        "font.size": 11,
        "text.color": unit(INK),
        "axes.labelcolor": unit(INK),
        "axes.edgecolor": unit(GRID),
        "axes.facecolor": unit(PAPER),
        "xtick.color": unit(GRID),
        "ytick.color": unit(GRID),
        "xtick.labelcolor": unit(INK),
        "ytick.labelcolor": unit(INK),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.parse_math": False,
        "svg.fonttype": "none",
    }
    with style.context(["default", settings]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        yield


class Sheet:
    """A figure whose places are pixels right and up from the bottom-left corner.

    Args:
        size_px: Width and height.
        words: What it shows, for those who cannot see it.
    """

    def __init__(self, size_px: tuple[int, int], words: str) -> None:
        width, height = size_px
        self.size_px = size_px
        self.words = words
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=unit(PAPER))
        self.ground = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.ground.set(xlim=(0, width), ylim=(0, height))
        self.ground.set_axis_off()

    def plot(self, left: Px, bottom: Px, width: Px, height: Px) -> Axes:
        """Return new axes that fill a rectangle."""
        across, up = self.size_px
        return self.figure.add_axes((left / across, bottom / up, width / across, height / up))

    def write(self, x_px: Px, y_px: Px, words: str, **settings: Any) -> None:
        """Write a line; `settings` are those of Matplotlib's text."""
        self.ground.text(x_px, y_px, tidy(words), **settings)

    def to_rgb(self, scale: float) -> UInt8[np.ndarray, "height width 3"]:
        """Return the figure in pixels, so many times its own size."""
        self.figure.set_dpi(_DPI * scale)
        canvas: Any = FigureCanvasAgg(self.figure)  # Matplotlib leaves its methods untyped
        canvas.draw()
        return np.asarray(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2RGB))

    def to_svg(self, salt: str) -> str:
        """Return the figure as SVG to stand inside HTML, its colours the page's variables.

        Args:
            salt: Tells the names of its parts from those of the page's other figures.
        """
        buffer = io.StringIO()
        with style.context({"svg.hashsalt": salt}, after_reset=False):
            self.figure.savefig(buffer, format="svg")
        inner = buffer.getvalue().partition("<svg")[2].partition(">")[2]
        # All that is between < and > is Matplotlib's: it escapes what users write.
        inner = re.sub(
            r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", inner, flags=re.S
        )
        inner = re.sub(r'<g id="[^"]*"', "<g", inner)
        inner = re.sub(r"<[^>]*>", _themed, inner)
        width, height = self.size_px
        words = html.escape(tidy(self.words))
        return (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{words}">'
            f"{inner}"
        )


_VARIABLES = {as_hex(rgb): f"var(--{name})" for name, rgb in THEMED.items()}


def _themed(tag: re.Match[str]) -> str:
    """Return an SVG tag whose colours are variables of the page, where the page has them."""
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: _VARIABLES.get(found[0], found[0]), tag[0])


def shortened(text: str, letters: int) -> str:
    """Return text of at most so many letters' width, its middle left out if it is longer."""
    text = tidy(text)
    if letters_wide(text) <= letters:
        return text
    head, tail = text, text
    while letters_wide(head) > (letters - 1) // 2:
        head = head[:-1]
    while letters_wide(tail) > letters // 2:
        tail = tail[1:]
    return f"{head}…{tail}"


def letters_wide(text: str) -> int:
    """Return the width in letters; those of Chinese, Japanese and Korean are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
