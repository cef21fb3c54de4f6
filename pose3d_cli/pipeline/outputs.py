"""The files of a lifted clip: where they go, and writing them so that a half is never a whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import remove_leftovers
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.results import ClipResult, write_result
from pose3d_cli.files.tables import write_csv
from pose3d_cli.pipeline.draw import draw_video
from pose3d_cli.pipeline.observe import Observation
from pose3d_cli.pipeline.provenance import RUN_FILE, holds_results
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.watch import Watch


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make `folder` before any work, and take it away again if nothing came to lie in it.

    Raises:
        OutputError: It cannot be made or written to.
    """
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from error
        yield
    finally:
        with suppress(OSError):  # one that is not empty stays, and so do those above it
            for place in new:
                place.rmdir()


def clean(clip: Path, folder: Path) -> None:
    """Remove unfinished files that a killed run left among the results of a clip."""
    with suppress(OSError):  # what cannot be removed now cannot be written either, which is told
        for path in (*_paths(clip, folder).values(), folder / RUN_FILE):
            remove_leftovers(path)


def _paths(clip: Path, folder: Path) -> dict[str, Path]:
    return {
        "npz": folder / f"{clip.stem}.npz",
        "csv": folder / f"{clip.stem}.csv",
        "keypoints": folder / f"{clip.stem}_keypoints.npz",
        "video": folder / f"{clip.stem}.mp4",
    }


def write_outputs(
    clip: Path,
    folder: Path,
    seen: Observation,
    result: ClipResult,
    settings: LiftSettings,
    watch: Watch,
) -> dict[str, Path]:
    """Write everything but `run.json`, and return the files by kind.

    An earlier run's `run.json` goes first: until this run's own is there, nothing in the folder
    claims to be complete.
    """
    outputs = _paths(clip, folder)
    video = outputs.pop("video")
    if holds_results(folder):
        (folder / RUN_FILE).unlink(missing_ok=True)
        video.unlink(missing_ok=True)  # it shows what that run found
    with watch.timed("write"):
        write_keypoints(outputs["keypoints"], seen.people, {"detector": seen.detector})
        write_result(outputs["npz"], result)
        write_csv(outputs["csv"], result)
    if settings.render != "off":
        outputs["video"] = video
        with watch.timed("draw"):
            codec = draw_video(clip, result, video, settings, watch)
        if codec != "h264":
            watch.warn(
                f"{video} is MPEG-4 part 2, which browsers do not play; "
                "`pip install 'pose3d[video]'` gives H.264"
            )
    return outputs
