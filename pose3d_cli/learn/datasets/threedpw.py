"""3DPW as it is published: a pickle a sequence, in `sequenceFiles`.

Measured are 14 joints: SMPL's twelve limb joints and its neck, and the middle of its hips for the
pelvis. The 2D is that of the files, found by OpenPose: what it did not find stays unseen, and a
joint made of several is as sure as the least sure of them. Frames count in which the person was
found at all and the camera's pose is valid. A sequence is in memory while its clips are made.

Where the parts of a file differ in length, the frames that all have are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    chosen_keypoints,
    clip_of,
    first_says,
)
from pose3d_cli.learn.recognise import refuse, what_is
from pose3d_cli.learn.threedpw_file import Actor, read_sequence
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.dataset_joints import OPENPOSE18, SMPL24, to_h36m

FPS = 30.0
KEYPOINTS = ("openpose",)

_FOLDERS: Mapping[Split, str] = {"train": "train", "val": "validation", "test": "test"}

_LEFT_OUT = (
    "frames are left out whose camera pose the files mark as invalid, in which the person is "
    "behind the camera, or in which OpenPose did not find them"
)


@dataclass(frozen=True, kw_only=True)
class ThreeDPW:
    """The sequences of the splits that are there.

    Attributes:
        files: The pickles of each split, by name.
    """

    files: Mapping[Split, tuple[Path, ...]]

    def clips(self, split: Split) -> Iterator[Clip]:
        """Return a clip for each person of each sequence.

        Raises:
            InputError: A split that is not there, or a file that is not what it should be.
        """
        if not self.files.get(split):
            there = ", ".join(self.files)
            raise InputError(f"no sequenceFiles/{_FOLDERS[split]} here, only what is for {there}")
        return first_says(self._clips(split), lambda _: [_LEFT_OUT])

    def _clips(self, split: Split) -> Iterator[Clip]:
        for path in self.files[split]:
            camera, actors, findings = read_sequence(path)
            refuse(findings)
            for number, actor in enumerate(actors):
                yield _clip(f"{path.stem}/{number}", actor, camera)


def _clip(name: str, actor: Actor, camera: Camera) -> Clip:
    """Return a clip: metres, h36m17."""
    is_seen = (actor.score > 0) & np.isfinite(actor.xy).all(-1) & (actor.xy != 0).any(-1)
    xy = np.where(is_seen[..., None], actor.xy, np.nan)
    return clip_of(
        name=name,
        subject=name,
        action=re.sub(r"_\d+$", "", name.partition("/")[0]),
        xy=to_h36m(xy, OPENPOSE18).astype(np.float32),
        score=least_score(np.where(is_seen, actor.score, 0)).astype(np.float32),
        xyz=to_h36m(actor.xyz, SMPL24).astype(np.float32),
        frame="camera",
        fps=FPS,
        image_size=camera.image_size,
        camera=camera,
        is_counted=actor.is_placed & is_seen.any(-1),
    )


def least_score(score: Float64[np.ndarray, "frames 18"]) -> Float[np.ndarray, "frames 17"]:
    """Return scores for h36m17: for a joint made of several, that of the least sure.

    Args:
        score: In OpenPose's order; above 1, as its sums can be, counts as 1.
    """
    shares = to_h36m(np.eye(len(OPENPOSE18)), OPENPOSE18)
    parts = np.where(np.nan_to_num(shares) > 0, score[:, None, :], np.inf)
    return np.clip(parts.min(-1), 0, 1)


def open_3dpw(path: Path, options: DatasetOptions) -> ThreeDPW:
    """Return the data set of a folder; one sequence of each split is read and checked at once.

    Args:
        path: The folder that holds `sequenceFiles`, or that folder itself.
        options: Nothing to choose from.

    Raises:
        InputError: No sequences, or one that is not what it should be.
        UnknownNameError: `options.keypoints` is no name of 2D keypoints here.
    """
    chosen_keypoints(options, KEYPOINTS)
    files = _found(path)
    refuse([fault for own in files.values() for fault in read_sequence(own[0])[2]])
    return ThreeDPW(files=files)


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return all that is wrong with the sequences, a line each; `options` change nothing."""
    del options
    try:
        files = _found(path)
    except InputError as error:
        return [str(error)]
    findings = []
    for file in (file for own in files.values() for file in own):
        try:
            findings += read_sequence(file)[2]
        except InputError as error:
            findings.append(str(error))
    return findings


def _found(path: Path) -> dict[Split, tuple[Path, ...]]:
    """Return the pickles of each split."""
    if not path.is_dir():
        raise InputError(
            f"{path}: this is {what_is(path)}; expected the folder with 3DPW's sequenceFiles, in "
            "which train, validation and test hold a pickle a sequence"
        )
    inner = path / "sequenceFiles"
    folder = inner if inner.is_dir() else path
    files = {
        split: tuple(sorted((folder / name).glob("*.pkl"))) for split, name in _FOLDERS.items()
    }
    there = {split: own for split, own in files.items() if own}
    if not there:
        pictures = "; imageFiles alone will not do" if (path / "imageFiles").is_dir() else ""
        raise InputError(
            f"{folder}: no sequences in {', '.join(_FOLDERS.values())} here; unpack 3DPW's "
            f"sequenceFiles.zip{pictures}"
        )
    return there


DATASETS.add(
    "3dpw",
    DatasetEntry(
        open=open_3dpw,
        check=check,
        title="3D Poses in the Wild (3DPW)",
        source="virtualhumans.mpi-inf.mpg.de/3DPW (licence to be agreed to; research only, not "
        "commercial)",
        files=(
            "sequenceFiles/test/*.pkl: 24 sequences; the pictures are not needed",
            "sequenceFiles/validation/*.pkl and sequenceFiles/train/*.pkl, for other splits",
        ),
        protocols=("3dpw",),
        keypoints=KEYPOINTS,
    ),
)
