"""`pose3d view`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen

EXAMPLES = {
    "view": [
        "pose3d view clip_pose3d/clip.npz",
        "pose3d view clip_pose3d/ --no-open",
        "pose3d view clip.npz --video clip.mp4 -o clip.html",
    ]
}


def view(
    source: Annotated[
        Path, typer.Argument(metavar="RESULT", help="A result (.npz), or the folder it is in.")
    ],
    screen: Screen,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page; else beside the result."),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option("--video", metavar="FILE", help="The clip; else what run.json says."),
    ] = None,
    is_open: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Look at a result: the video beside the 3D scene, in step, as one HTML file.

    The page works offline and refers to the video where it lies.
    """
    from pose3d_cli.pipeline.view import view as write_view

    viewed = write_view(source, output=output, video=video)
    for warning in viewed.warnings():
        screen.warn(warning)
    screen.show(asdict(viewed), [f"{viewed.page}: {viewed.written.n_bytes / 1000:.0f} kB"])
    if is_open and not screen.settings.json and _has_display():
        _open(viewed.page)


def _has_display() -> bool:
    """Whether a browser would be seen: no text browser is to fill the terminal."""
    is_desktop = sys.platform in ("darwin", "win32")
    return is_desktop or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(page: Path) -> None:
    import webbrowser

    webbrowser.open(page.absolute().as_uri())
