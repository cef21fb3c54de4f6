"""HTML among the exports: the page of `pose3d view`.

It stands here and not with the other exporters, for files know nothing of pictures;
`pipeline.exports` puts it on their shelf.
"""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.results import ClipResult
from pose3d_cli.pipeline.walk import VIDEO_SUFFIXES


class Html:
    """Writes a page to look at."""

    suffix = ".html"
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one page with everybody; it refers to the clip where it is known."""
        from pose3d_cli.render.viewer.page import write_viewer

        path = with_end(stem, self.suffix)
        clip = options.clip or _beside(stem)
        title = stem.name if clip is None else clip.name
        written = write_viewer(path, chosen(result, options), video=clip, title=title)
        notes = []
        if clip is None:
            notes.append(
                f"{path.name} has no video beside its 3D, for nothing tells where the clip is; "
                "`pose3d view` with --video makes one that has"
            )
        if written.step > 1:
            notes.append(
                f"to keep {path.name} small, people are kept {written.hz:.3g} times a second in it"
            )
        return Exported(files=(path,), notes=tuple(notes))


def _beside(stem: Path) -> Path | None:
    """Return the clip of results in a folder beside it, or in a part of that folder."""
    for place in stem.absolute().parents[1:3]:
        there = [with_end(place / stem.name, suffix) for suffix in VIDEO_SUFFIXES]
        clips = [clip for clip in there if clip.is_file()]
        if len(clips) == 1:
            return clips[0]
    return None
