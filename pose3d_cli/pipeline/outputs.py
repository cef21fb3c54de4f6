"""The files of a lifted clip: where they go, and writing them so that a half is never a whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import explain, remove_all_leftovers
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.results import ClipResult, write_result
from pose3d_cli.files.tables import write_csv
from pose3d_cli.pipeline.draw import Drawing
from pose3d_cli.pipeline.exports import write_exports
from pose3d_cli.pipeline.observe import Observation
from pose3d_cli.pipeline.provenance import (
    RUN_FILE,
    files_of_run,
    holds_results,
    part_folder,
    part_folders,
)
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
        for place in (folder, *part_folders(folder)):
            for start in (clip.stem, Path(RUN_FILE).stem):
                remove_all_leftovers(place, start)


def _paths(clip: Path, folder: Path) -> dict[str, Path]:
    return {
        "npz": folder / f"{clip.stem}.npz",
        "csv": folder / f"{clip.stem}.csv",
        "keypoints": folder / f"{clip.stem}_keypoints.npz",
        "video": folder / f"{clip.stem}.mp4",
        "sheet": folder / f"{clip.stem}.png",
    }


class Writer:
    """Writes everything of a clip but `run.json`: as a whole, or part by part.

    An earlier run's `run.json` goes first: until this run's own is there, nothing in the folder
    claims to be complete. To be closed (`contextlib.closing`).

    Attributes:
        outputs: The files written so far, by kind; of a part the kind begins with its folder.
    """

    def __init__(self, clip: Path, folder: Path, settings: LiftSettings, watch: Watch) -> None:
        self.outputs: dict[str, Path] = {}
        self._clip, self._folder = clip, folder
        self._settings, self._watch = settings, watch
        self._drawing = Drawing(clip, settings)

    def write(self, seen: Observation, result: ClipResult) -> None:
        """Write the files of a part; each is there whole or not at all.

        Raises:
            OutputError: A folder or disk that cannot be written.
        """
        place, prefix = self._folder, ""
        if seen.span.number == 1:
            self.remove(keep_whole=seen.span.is_whole)
        if not seen.span.is_whole:
            place = part_folder(self._folder, seen.span.number)
            prefix = f"{place.name}/"
            _make(place)
        outputs = _paths(self._clip, place)
        video, sheet, people = outputs.pop("video"), outputs.pop("sheet"), seen.own_people
        if not people:
            del outputs["keypoints"]
        with self._watch.timed("write"):
            if people:
                write_keypoints(outputs["keypoints"], people, {"detector": seen.detector})
            write_result(outputs["npz"], result)
            write_csv(outputs["csv"], result)
            stem = place / self._clip.stem
            names = self._settings.export
            outputs |= write_exports(names, result, stem, self._watch, self._clip)
        if self._settings.render != "off":
            outputs |= {"video": video, "sheet": sheet}
            self._draw(result, video, sheet)
        self.outputs |= {f"{prefix}{kind}": path for kind, path in outputs.items()}

    def remove(self, *, keep_whole: bool = False) -> None:
        """Remove the results that there are, if they are ours.

        Args:
            keep_whole: Leave the files of a whole clip, which are about to be replaced.
        """
        if not holds_results(self._folder):
            return
        listed = files_of_run(self._folder)
        (self._folder / RUN_FILE).unlink(missing_ok=True)
        whole = _paths(self._clip, self._folder)
        for path in set(listed) - set(whole.values()):  # exports, which may not come again
            path.unlink(missing_ok=True)
        for kind in ("video", "sheet"):  # they show what that run found
            whole[kind].unlink(missing_ok=True)
        parts = part_folders(self._folder)
        for path in [p for place in parts for p in _paths(self._clip, place).values()]:
            path.unlink(missing_ok=True)
        for place in parts:
            with suppress(OSError):  # somebody's own files stay, and so does the folder
                place.rmdir()
        for path in () if keep_whole else whole.values():
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the clip that is drawn."""
        self._drawing.close()

    def _draw(self, result: ClipResult, video: Path, sheet: Path) -> None:
        with self._watch.timed("draw"):
            codec = self._drawing.draw(result, video, sheet, self._watch)
        if codec != "h264":
            self._watch.warn(
                f"{video} is MPEG-4 part 2, which browsers do not play; "
                "`pip install 'pose3d[video]'` gives H.264"
            )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(explain(error, folder)) from error
