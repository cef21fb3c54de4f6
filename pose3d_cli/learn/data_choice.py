"""What `--data` means: a folder of packed motion, or NAME:PATH of a data set of the field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.errors import DataMissingError, InputError, SettingsError, UnknownNameError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.benchmark.job import missing
from pose3d_cli.learn.clip import DATASETS, Dataset, DatasetEntry, DatasetOptions, Split
from pose3d_cli.learn.clip_tracks import Units, track_of
from pose3d_cli.learn.generated_motion import GeneratedMotion
from pose3d_cli.learn.held_out import HeldOut, sampled
from pose3d_cli.learn.material import Material
from pose3d_cli.learn.recorded_clips import RecordedClips

_PACKED = "mocap"
"""The data set that is packed motion seen through the generator: learnt from as such."""

_NAME = re.compile(r"[\w.-]{2,}")  # a letter alone is a drive of Windows
_HELD_OUT_WINDOWS = 64


@dataclass(frozen=True, kw_only=True)
class DataChoice:
    """What to learn from.

    Attributes:
        path: Where it is.
        dataset: Name of the data set; "" for packed motion.
        keypoints: Which of its 2D; "" for the usual one.
    """

    path: Path
    dataset: str = ""
    keypoints: str = ""


def chosen_data(text: str, keypoints: str = "") -> DataChoice:
    """Return what `--data` and `--data-2d` say.

    Args:
        text: NAME:PATH, NAME being a data set's; or a path, which may have a colon in it.
        keypoints: Which 2D of a data set; "" for the usual one.

    Raises:
        UnknownNameError: NAME is no data set's.
        DataMissingError: Nothing is where the data set should be.
        SettingsError: A choice of 2D where there is none.
    """
    name, colon, place = text.partition(":")
    known = DATASETS.names()
    if name in known and (colon or not Path(text).exists()) and not (name == text == _PACKED):
        return _dataset(name, place, keypoints)
    if colon and _NAME.fullmatch(name) and not Path(text).exists():
        raise UnknownNameError(f"--data {text}: no data set {name!r}{nearest(name, known)}")
    return _packed(Path(text), keypoints)


def _packed(path: Path, keypoints: str) -> DataChoice:
    if keypoints:
        raise SettingsError(
            f"--data-2d {keypoints}: chooses the 2D of a data set (--data NAME:PATH); that of "
            "packed motion is generated"
        )
    return DataChoice(path=path)


def _dataset(name: str, place: str, keypoints: str) -> DataChoice:
    if name == _PACKED and place:
        return _packed(Path(place), keypoints)
    entry = DATASETS.get(name)
    path = Path(place) if place else None
    if path is None or not path.exists():
        told = missing(name, entry, path).replace("--dataset", "--data")
        raise DataMissingError(told.replace("--data PATH", f"--data {name}:PATH"))
    if keypoints and not entry.keypoints:
        raise SettingsError(f"--data-2d {keypoints}: {name} has one kind of 2D; leave it out")
    return DataChoice(path=path, dataset=name, keypoints=keypoints)


def packed_folder(choice: DataChoice) -> Path:
    """Return where the packed motion is on which a recipe compares what its runs made.

    Raises:
        SettingsError: It is a data set.
    """
    if choice.dataset:
        raise SettingsError(
            f"--data {choice.dataset}:{choice.path}: this recipe compares its runs on packed "
            "motion; give a folder of it"
        )
    return choice.path


def open_material(choice: DataChoice, frames: int, *, test_2d: bool = False) -> Material:
    """Read what is to be learnt from.

    Args:
        choice: What and where.
        frames: Of a window.
        test_2d: Read the test subjects, too, for pre-training to see their 2D.

    Raises:
        InputError: Data that are not what they should be, or nothing to learn from.
        SettingsError: A data set without a training split.
        UnknownNameError: No 2D of that name.
    """
    if choice.dataset:
        return _recorded(choice, DATASETS.get(choice.dataset), frames, test_2d=test_2d)
    return GeneratedMotion(
        clips=read_pack(choice.path, "train"),
        held_out_clips=read_pack(choice.path, "val"),
        frames=frames,
        unlabelled=read_pack(choice.path, "test") if test_2d else (),
    )


def _recorded(
    choice: DataChoice, entry: DatasetEntry, frames: int, *, test_2d: bool
) -> RecordedClips:
    keypoints = choice.keypoints or (entry.keypoints[0] if entry.keypoints else "")
    try:
        dataset = entry.open(choice.path, DatasetOptions(keypoints=keypoints))
    except UnknownNameError as error:
        raise UnknownNameError(f"--data-2d {choice.keypoints}: {error}") from error
    tracks = [track_of(clip) for clip in dataset.clips("train")]
    held, held_from = _held_out(dataset, frames, tracks[0].units if tracks else "m,root")
    return RecordedClips(
        title=entry.title,
        terms=entry.source,
        keypoints=keypoints,
        tracks=tracks,
        frames=frames,
        unlabelled=[track_of(clip) for clip in dataset.clips("test")] if test_2d else (),
        held=held,
        held_from=held_from,
    )


def _held_out(dataset: Dataset, frames: int, units: Units) -> tuple[HeldOut | None, str]:
    """Return windows of a split that is not learnt from, and which it is, or why there are none.

    They are for the curves alone, so a split that is not there stops no run.
    """
    why: list[str] = []
    splits: tuple[Split, ...] = ("val", "test")
    for split in splits:
        try:
            tracks = (track_of(clip) for clip in dataset.clips(split))
            alike = (track for track in tracks if track.units == units)
            held = sampled(alike, frames, _HELD_OUT_WINDOWS)
        except (InputError, SettingsError) as error:
            why.append(str(error))
            continue
        if held is not None:
            words = f"{len(held.x)} windows of the split {split}, each by itself"
            return held, f"{words}, all joints of the truth; nothing was chosen by them"
        why.append(f"the truth of the split {split} has no size in metres")
    return None, f"not measured on the way: {'; '.join(why)}"
