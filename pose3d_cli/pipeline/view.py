"""A result as a page to look at, written beside it: `pose3d view`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pose3d_cli.errors import InputError
from pose3d_cli.files.results import read_result
from pose3d_cli.pipeline.provenance import RUN_FILE, is_part_folder, part_folders
from pose3d_cli.render.viewer.page import MAX_BYTES, Written, write_viewer

_KEYPOINTS = "_keypoints"
_RUN = "pose3d-run/"


@dataclass(frozen=True, kw_only=True)
class Viewed:
    """A page that was written.

    Attributes:
        page: The HTML file.
        video: The clip it refers to; None if nobody knows which.
        has_video: Whether the clip is where the page looks for it.
        people: How many there are.
        frames: How many there are.
        written: Size of the page, and how many moments of a second it keeps.
    """

    page: Path
    video: Path | None
    has_video: bool
    people: int
    frames: int
    written: Written

    def warnings(self) -> list[str]:
        """Return what the user should know, in sentences."""
        found = []
        if self.video is None:
            found.append("no run.json beside the result tells the video; give it with --video")
        elif not self.has_video:
            found.append(f"{self.video}: the video is no longer there; give it with --video")
        if self.written.step > 1:
            found.append(
                f"to keep {self.page.name} small, people are kept {self.written.hz:.3g} times a "
                "second in it; between are straight lines"
            )
        if self.written.n_bytes > MAX_BYTES:
            size_mb = self.written.n_bytes / 1e6
            found.append(
                f"{self.page.name} has {size_mb:.1f} MB: the clip is long or has many people"
            )
        return found


def view(source: Path, *, output: Path | None = None, video: Path | None = None) -> Viewed:
    """Write the page of a result.

    Args:
        source: A result (.npz) or the folder it is in.
        output: The HTML file; by itself it lies beside the result.
        video: The clip; by itself what the result's `run.json` says.

    Raises:
        InputError: No result there, a damaged one, or no such video.
        OutputError: The page cannot be written.
    """
    path = find_result(source)
    result = read_result(path)
    if video is not None and not video.is_file():
        raise InputError(f"{video}: no such video; --video names the clip that was lifted")
    clip = video or find_clip(path.parent)
    page = output or path.with_suffix(".html")
    title = path.stem if clip is None else clip.name
    written = write_viewer(page, result, video=clip, title=title)
    return Viewed(
        page=page,
        video=clip,
        has_video=clip is not None and clip.is_file(),
        people=len(result.people),
        frames=len(result.frame),
        written=written,
    )


def find_result(source: Path) -> Path:
    """Return the result itself, or the one in a folder.

    Raises:
        InputError: No such file or folder, or none or several results in it.
    """
    if not source.exists():
        raise InputError(f"{source}: no such file or folder")
    if not source.is_dir():
        return source
    found = [path for path in sorted(source.glob("*.npz")) if not path.stem.endswith(_KEYPOINTS)]
    if not found and (parts := part_folders(source)):
        raise InputError(
            f"{source}: a long clip in {len(parts)} parts; view one of them: {parts[0]}"
        )
    if not found:
        raise InputError(f"{source}: no result (.npz) in this folder; `pose3d lift` makes one")
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:3])
        raise InputError(f"{source}: several results in this folder ({names}); give one of them")
    return found[0]


def find_clip(folder: Path) -> Path | None:
    """Return the clip that the results in a folder were made of, from their `run.json`.

    That of a part is with the whole. Its path may be relative to where the program ran, so it is
    looked for from here, and beside and above the results. One that is nowhere is given as it is
    written.
    """
    if is_part_folder(folder):
        folder = folder.parent
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        if not str(record["format"]).startswith(_RUN):
            return None
        told = Path(record["input"]["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    places = [told, folder.parent / told.name, folder / told.name, folder.parent / told]
    return next((place for place in places if place.is_file()), told)
