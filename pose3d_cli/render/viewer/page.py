"""The viewer: one HTML file that needs nothing but the video beside it."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.plain_name import one_line, readable_name
from pose3d_cli.files.results import ClipResult
from pose3d_cli.render.palette import PAPER, RGB, SIDES, person_colour
from pose3d_cli.render.viewer.content import content, n_colours

MAX_BYTES = 400_000
"""A page that would be larger keeps fewer moments of a second, down to `LEAST_HZ`."""
LEAST_HZ = 10.0

_LABEL_SHARE = 0.8
_SCRIPTS = ("data", "looks", "view3d", "scene", "overlay", "plots", "player", "parts", "main")
"""In the order in which they are put together."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a page.

    Attributes:
        n_bytes: Its size.
        step: Every so many frames of the people were kept; the page draws straight lines between.
        hz: How many frames a second those are.
    """

    n_bytes: int
    step: int
    hz: float


def write_viewer(
    path: Path, result: ClipResult, *, video: Path | None = None, title: str = ""
) -> Written:
    """Write the page.

    Args:
        path: The HTML file.
        result: What to show; nobody in it is fine.
        video: The clip, which the page refers to from where it lies; it need not be there.
        title: What the page is headed with; the name of the video, or of the page, by itself.

    Raises:
        OutputError: The file cannot be written.
    """
    title = one_line(readable_name(Path(title or (video or path).name)))
    link = None if video is None else {"url": relative_url(video, path), "name": _name(video)}
    rate = frame_rate(result)
    step, most = 1, max(1, int(rate / LEAST_HZ))
    while True:
        about = {"title": title, "video": link, "hz": rate / step}
        page = _html(about | content(result, step=step))
        if len(page) <= MAX_BYTES or step == most:
            break
        step = min(most, max(step + 1, step * len(page) // MAX_BYTES))
    with replacing(path) as temporary:
        temporary.write_bytes(page)
    return Written(n_bytes=len(page), step=step, hz=rate / step)


def frame_rate(result: ClipResult) -> float:
    """Return how many frames of the result there are in a second of it; 0 for less than two."""
    gaps = np.diff(result.time_s)
    return round(float(1 / np.median(gaps)), 3) if len(gaps) else 0.0


def relative_url(target: Path, page: Path) -> str:
    """Return how a page refers to a file: relative, so that both can move together."""
    target, folder = Path(os.path.abspath(target)), Path(os.path.abspath(page)).parent  # noqa: PTH100
    try:
        way = os.path.relpath(target, folder)
    except ValueError:  # another drive of Windows
        return target.as_uri()
    return quote(os.fsencode(way.replace(os.sep, "/")), safe="/")


def _name(path: Path) -> str:
    return one_line(readable_name(Path(path.name)))


def _html(data: dict[str, Any]) -> bytes:
    """Return the page; the data is text that no tag of HTML can end."""
    template = Template(_part("viewer.html"))
    page = template.substitute(
        title=html.escape(data["title"]),
        colours=_colours(),
        style=_part("viewer.css"),
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        script="\n".join(_part(f"{name}.js") for name in _SCRIPTS),
    )
    return page.encode("utf-8")


def _part(name: str) -> str:
    return resources.files("pose3d_cli.render.viewer").joinpath(name).read_text("utf-8")


def _colours() -> str:
    """Return the colours that this page has in common with the pictures, as CSS variables.

    Those of labels carry white letters, and those on the video stay in the dark as they are.
    """
    named: dict[str, RGB] = {"paper": PAPER}
    named |= {str(side): colour for side, colour in SIDES.items()}
    named |= {f"on-video-{side}": colour for side, colour in SIDES.items()}
    for place in range(n_colours()):
        red, green, blue = person_colour(place)
        named[f"person-{place}"] = (red, green, blue)
        named[f"label-{place}"] = (_darker(red), _darker(green), _darker(blue))
    return " ".join("--{}: #{:02x}{:02x}{:02x};".format(name, *rgb) for name, rgb in named.items())


def _darker(channel: int) -> int:
    return round(_LABEL_SHARE * channel)
