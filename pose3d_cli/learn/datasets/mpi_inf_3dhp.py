"""MPI-INF-3DHP in the form of P-STMO: `data_train_3dhp.npz` and `data_test_3dhp.npz`.

The truth is `univ_annot3`: joints in camera axes, every person scaled to one size. The 2D is the
projection of the person as tall as they are. A file is held in memory whole, in the float64 it was
written in: about 1 GB for the training file, 20 MB for the test file; the training file is read
only when its clips are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from pose3d_cli.errors import InputError, SettingsError
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
from pose3d_cli.learn.fit_camera import fit_camera
from pose3d_cli.learn.mpi_inf_3dhp_file import FILES, PELVIS, Shot, examined
from pose3d_cli.learn.recognise import refuse, what_is
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17, to_h36m

KEYPOINTS = ("gt",)

METRES_PER_UNIT = 1.024
"""What lifters of this data set were trained with: half of 2048 pixels, taken for millimetres."""


class MpiInf3dhp:
    """The clips of one or both files.

    Args:
        files: Which splits there are, and where.
    """

    def __init__(self, files: Mapping[Split, Path]) -> None:
        self.files = files
        self._shots: dict[Split, list[Shot]] = {}

    def clips(self, split: Split) -> Iterator[Clip]:
        """Return a clip for each test sequence, or each training sequence and camera.

        Raises:
            InputError: A split whose file is not there, or a file that is not what it should be.
            SettingsError: A split that the data set does not have.
        """
        return first_says((_clip(shot) for shot in self.shots(split)), _notes)

    def shots(self, split: Split) -> list[Shot]:
        """Return what the file of a split holds; it is read once.

        Raises:
            InputError: A split whose file is not there, or a file that is not what it should be.
            SettingsError: A split that the data set does not have.
        """
        if split not in FILES:
            raise SettingsError(f"--split {split}: 3dhp has only {' and '.join(FILES)}")
        if split not in self.files:
            other, path = next(iter(self.files.items()))
            raise InputError(
                f"{path}: holds the {other} sequences; for the {split} sequences give "
                f"{FILES[split]}, or the folder with both"
            )
        if split not in self._shots:
            shots, findings = examined(self.files[split], split)
            refuse(findings)
            self._shots[split] = shots
        return self._shots[split]


def _notes(first: Clip) -> list[str]:
    """Return where the cameras and the choice of frames come from."""
    camera = first.camera.source if first.camera else "none was found"
    return [
        "cameras are not in the files: each is fitted to the pelvis in its pixels and in space "
        f"({first.name}: {camera})",
        "frames are measured that the files mark as valid",
    ]


def _clip(shot: Shot) -> Clip:
    """Return a clip: metres, h36m17."""
    # A person scaled about the camera and one scaled about the pelvis have this ray in common.
    rows = shot.is_valid
    xy = np.where((shot.xy == 0).all((1, 2), keepdims=True), np.nan, shot.xy)
    camera = fit_camera(xy[rows, PELVIS], shot.xyz[rows, PELVIS], shot.image_size)
    return clip_of(
        name=shot.name,
        subject=shot.subject,
        action="",
        xy=to_h36m(xy, MPI_INF_3DHP17).astype(np.float32),
        score=np.ones(xy.shape[:2], np.float32),
        xyz=(to_h36m(shot.xyz, MPI_INF_3DHP17) / 1000).astype(np.float32),
        frame="camera",
        fps=shot.fps,
        image_size=shot.image_size,
        camera=camera,
        is_counted=shot.is_valid & np.isfinite(shot.xyz).all((1, 2)),
        take=shot.take,
        unit_of="3dhp",
        metres_per_unit=np.full(len(xy), METRES_PER_UNIT),
    )


def open_3dhp(path: Path, options: DatasetOptions) -> MpiInf3dhp:
    """Return the data set of a folder with P-STMO's files, or of one of them.

    The test file is read and checked at once; the training file when its clips are asked for,
    unless it is alone.

    Raises:
        InputError: None of the files, or one that is not what it should be.
        UnknownNameError: `options.keypoints` is no name of 2D keypoints here.
    """
    chosen_keypoints(options, KEYPOINTS)
    dataset = MpiInf3dhp(_found(path))
    dataset.shots("test" if "test" in dataset.files else "train")
    return dataset


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return all that is wrong with the files, a line each; `options` change nothing."""
    del options
    try:
        files = _found(path)
    except InputError as error:
        return [str(error)]
    findings = []
    for split, file in files.items():
        try:
            findings += examined(file, split)[1]
        except InputError as error:
            findings.append(str(error))
    return findings


def _found(path: Path) -> dict[Split, Path]:
    """Return where each split is."""
    if not path.is_dir():
        return {"train" if "train" in what_is(path) else "test": path}
    files = {split: path / name for split, name in FILES.items() if (path / name).is_file()}
    if files:
        return files
    has_raw = any(path.glob("S*/Seq*/annot.mat")) or any(path.glob("TS*/annot_data.mat"))
    raw = ", only the raw data set, of which `pose3d data convert` makes them"
    raise InputError(
        f"{path}: neither {' nor '.join(FILES.values())} is in it{raw if has_raw else ''}"
    )


DATASETS.add(
    "3dhp",
    DatasetEntry(
        open=open_3dhp,
        check=check,
        title="MPI-INF-3DHP, as P-STMO packed it",
        source="vcai.mpi-inf.mpg.de/3dhp-dataset (registration; research only, not commercial); "
        "packed by data_to_npz_3dhp.py of github.com/paTRICK-swk/P-STMO",
        files=(
            "data_test_3dhp.npz: TS1 to TS6, 2929 valid frames (12 MB)",
            "data_train_3dhp.npz: S1 to S8 in 8 cameras (500 MB; only for training)",
        ),
        protocols=("3dhp-strict", "3dhp-legacy"),
        keypoints=KEYPOINTS,
    ),
)
