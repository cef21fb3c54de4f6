"""MPI-INF-3DHP's raw annotations to `data_train_3dhp.npz` and `data_test_3dhp.npz`, P-STMO's form.

Raw are `S1/Seq1/annot.mat` and so on, of which eight of fourteen cameras and 17 of 28 joints are
kept, and `TS1/annot_data.mat` and so on, which have the 17 joints already. The 3D is
`univ_annot3`: millimetres, camera axes, every person scaled to one size.

Source: the scripts of P-STMO and MotionAGFormer that write these files, for what they keep; the
data set's `mpii_get_sequence_info.m` and `mpii_get_joints.m`, for the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import Split
from pose3d_cli.learn.convert.raw_files import find, one_place_each, read_hdf5, read_mat
from pose3d_cli.learn.convert.report import ConversionReport
from pose3d_cli.learn.convert.write import write_object_npz
from pose3d_cli.learn.mpi_inf_3dhp_file import FILES, SEQUENCES
from pose3d_cli.learn.recognise import as_numbers, in_words
from pose3d_cli.learn.steps import Steps
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17

LAYOUT_TRAIN = "S1/Seq1/annot.mat"
LAYOUT_TEST = "TS1/annot_data.mat"

TRAIN: Mapping[str, tuple[int, int]] = {
    "S1 Seq1": (6416, 25), "S1 Seq2": (12430, 50), "S2 Seq1": (6502, 25), "S2 Seq2": (6081, 25),
    "S3 Seq1": (12488, 50), "S3 Seq2": (12283, 50), "S4 Seq1": (6171, 25), "S4 Seq2": (6675, 25),
    "S5 Seq1": (12820, 50), "S5 Seq2": (12312, 50), "S6 Seq1": (6188, 25), "S6 Seq2": (6145, 25),
    "S7 Seq1": (6239, 25), "S7 Seq2": (6320, 25), "S8 Seq1": (6468, 25), "S8 Seq2": (6054, 25),
}  # fmt: skip
"""Frames of each training sequence's videos, after which annotations are cut, and its rate."""

CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
"""The cameras that are kept, by their number."""

_VALID: Mapping[str, int] = dict(zip(SEQUENCES, (603, 540, 505, 553, 276, 452), strict=True))

# The joints of `annot.mat`, in h36m17's words where it has the joint (see `dataset_joints`).
_RAW = (
    "spine3", "spine4", "spine2", "spine", "pelvis", "thorax", "nose", "head",
    "left_clavicle", "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_clavicle", "right_shoulder", "right_elbow", "right_wrist", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_foot", "left_toe",
    "right_hip", "right_knee", "right_ankle", "right_foot", "right_toe",
)  # fmt: skip
KEPT = tuple(_RAW.index(joint) for joint in MPI_INF_3DHP17)
"""Which of a training sequence's 28 joints are kept, in the files' order."""

_Shot = dict[str, Float32[np.ndarray, "frames 17 _"] | UInt8[np.ndarray, " frames"]]


@dataclass(frozen=True, kw_only=True)
class RawMpiInf3dhp:
    """MPI-INF-3DHP as it is downloaded.

    Attributes:
        train: Training sequence to its file.
        test: Test sequence to its file.
    """

    train: Mapping[str, Path]
    test: Mapping[str, Path]
    dataset: str = "3dhp"

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that files are there for."""
        both: dict[Split, Mapping[str, Path]] = {"train": self.train, "test": self.test}
        return tuple(split for split, files in both.items() if files)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the files that can be made."""
        return tuple(FILES[split] for split in self.splits)

    def write(self, folder: Path, report: ConversionReport, steps: Steps) -> None:
        """Read the annotations and write a file for each split.

        Args:
            folder: Gets the files.
            report: Told what was taken and what not.
            steps: Told of progress.

        Raises:
            InputError: Test sequences that are not there, a file that is damaged or holds other
                things.
            MissingExtraError: Test sequences, and the package that reads them is not installed.
        """
        self._complete(report)
        if self.test:
            self._write_test(folder, report, steps)
        if self.train:
            self._write_train(folder, report, steps)

    def _complete(self, report: ConversionReport) -> None:
        """Refuse half a test set, and tell which training sequences are not there."""
        lacking = [name for name in SEQUENCES if name not in self.test] if self.test else []
        if lacking:
            raise InputError(
                f"{next(iter(self.test.values())).parent.parent}: lacks {', '.join(lacking)} of "
                f"the test set; expected {LAYOUT_TEST} and so on to {SEQUENCES[-1]}"
            )
        if self.train:
            absent = [name for name in TRAIN if name not in self.train]
            report.skipped.update(dict.fromkeys(absent, "not there"))
            report.skipped["train cameras 3 and 9 to 13"] = (
                "not in P-STMO's file, which keeps eight"
            )

    def _write_test(self, folder: Path, report: ConversionReport, steps: Steps) -> None:
        steps.stage("read", len(self.test))
        content = {}
        for name, path in self.test.items():
            content[name] = shot = read_test(path)
            report.done[name] = len(shot["valid"])
            n_valid = int(shot["valid"].sum())
            if n_valid != _VALID[name]:
                report.notes.append(
                    f"{name}: {n_valid} valid frames; the published test set has {_VALID[name]}"
                )
            steps.advance()
        _write(folder, "test", content, steps)

    def _write_train(self, folder: Path, report: ConversionReport, steps: Steps) -> None:
        steps.stage("read", len(self.train))
        content = {}
        for name, path in self.train.items():
            n_frames, fps = TRAIN[name]
            content[name] = [read_train(path, n_frames), fps]
            report.done[name] = n_frames
            steps.advance()
        _write(folder, "train", content, steps)


def find_3dhp(folder: Path) -> RawMpiInf3dhp | None:
    """Return MPI-INF-3DHP's raw files in a folder, or None if there are none.

    Raises:
        InputError: Two files of one sequence.
    """
    train = {
        path: f"{path.parent.parent.name} {path.parent.name}"
        for path in find(folder, "S[1-8]/Seq[12]/annot.mat")
    }
    test = {path: path.parent.name for path in find(folder, "TS[1-6]/annot_data.mat")}
    if not train and not test:
        return None
    return RawMpiInf3dhp(train=one_place_each(train), test=one_place_each(test))


def _write(folder: Path, split: Split, content: Mapping[str, Any], steps: Steps) -> None:
    steps.stage("write", 1)
    write_object_npz(folder / FILES[split], {"data": dict(content)})
    steps.advance()


def read_train(path: Path, n_frames: int) -> dict[str, _Shot]:
    """Return what the kept cameras see of a training sequence: {"0": {data_2d, data_3d}, ...}.

    Args:
        path: Its `annot.mat`.
        n_frames: Frames of its videos; what is annotated after them is cut.

    Raises:
        InputError: A file that is damaged, cut off or not what it should be.
    """
    content = read_mat(path, ("cameras", "annot2", "univ_annot3"))
    numbers = [int(number) for number in np.ravel(content["cameras"])]
    absent = [camera for camera in CAMERAS if camera not in numbers]
    if absent:
        raise InputError(
            f"{path}: cameras are {numbers}; expected {', '.join(map(str, CAMERAS))} among them"
        )
    shots: dict[str, _Shot] = {}
    for camera in CAMERAS:
        place = numbers.index(camera)
        shots[str(camera)] = {
            key: _joints_28(path, content, name, place, channels)[:n_frames, KEPT]
            for key, name, channels in (("data_2d", "annot2", 2), ("data_3d", "univ_annot3", 3))
        }
        n_there = min(len(values) for values in shots[str(camera)].values())
        if n_there < n_frames:
            raise InputError(
                f"{path}: camera {camera} has {n_there} frames; its videos have {n_frames}, so "
                "the file is cut off or thinned out; get it anew"
            )
    return shots


def _joints_28(
    path: Path, content: Mapping[str, Any], name: str, place: int, channels: int
) -> Float32[np.ndarray, "frames 28 channels"]:
    """Return one camera's part of a cell array of (frames, 28 joints times channels)."""
    cells = np.ravel(content[name])
    values = as_numbers(cells[place]) if cells.dtype == object and place < len(cells) else None
    wanted = len(_RAW) * channels
    if values is None or values.ndim != 2 or values.shape[1] != wanted:
        held = cells[place] if place < len(cells) else content[name]
        raise InputError(
            f"{path}: {name} of camera place {place} is {in_words(held)}; expected an array of "
            f"(frames, {wanted})"
        )
    return values.reshape(len(values), len(_RAW), channels).astype(np.float32)


def read_test(path: Path) -> _Shot:
    """Return a test sequence: {data_2d, data_3d, valid}.

    Args:
        path: Its `annot_data.mat`.

    Raises:
        InputError: A file that is damaged, cut off or not what it should be.
        MissingExtraError: The package h5py is not installed.
    """
    content = read_hdf5(path, ("annot2", "univ_annot3", "valid_frame"))
    shot: _Shot = {}
    for key, name, channels in (("data_2d", "annot2", 2), ("data_3d", "univ_annot3", 3)):
        values = content[name]
        wanted = (1, len(MPI_INF_3DHP17), channels)
        if as_numbers(values) is None or values.ndim != 4 or values.shape[1:] != wanted:
            raise InputError(
                f"{path}: {name} is {in_words(values)}; expected an array of (frames, 1, "
                f"{len(MPI_INF_3DHP17)}, {channels})"
            )
        shot[key] = np.ascontiguousarray(values[:, 0], np.float32)
    valid = content["valid_frame"]
    lengths = {len(shot["data_2d"]), len(shot["data_3d"]), valid.size}
    if len(lengths) != 1 or not np.isin(valid, (0, 1)).all():
        raise InputError(
            f"{path}: {len(shot['data_2d'])} frames of annot2, {len(shot['data_3d'])} of "
            f"univ_annot3 and {valid.size} of valid_frame, or the last are not 0 and 1; expected "
            "as many of each"
        )
    shot["valid"] = valid.ravel().astype(np.uint8)
    return shot
