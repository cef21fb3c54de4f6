"""Human3.6M's raw motion to `data_3d_h36m.npz`, and its true 2D to `data_2d_h36m_gt.npz`.

Raw are the archives `Poses_D3_Positions_S1.tgz` and so on, extracted:
`S1/MyPoseFeatures/D3_Positions/Directions 1.cdf`, whose variable `Pose` is 32 joints in millimetres
and world axes; or those files as MATLAB saved them, `Directions 1.cdf.mat`, which need no package.

Source: VideoPose3D's DATASETS.md and prepare_data_h36m.py, for layouts and names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import Split
from pose3d_cli.learn.convert.h36m_2d import seen_by_all
from pose3d_cli.learn.convert.raw_files import find, one_place_each, read_cdf, read_mat
from pose3d_cli.learn.convert.report import ConversionReport
from pose3d_cli.learn.convert.write import write_object_npz
from pose3d_cli.learn.h36m_cameras import SUBJECTS
from pose3d_cli.learn.h36m_npz import ACTIONS, FILE_3D, N_JOINTS, in_order, trial_name
from pose3d_cli.learn.recognise import as_numbers, in_words
from pose3d_cli.learn.steps import Steps
from pose3d_cli.learn.videopose3d_npz import symmetry_of
from pose3d_cli.pose.skeleton import H36M17

FILE_2D = "data_2d_h36m_gt.npz"
LAYOUT = "S1/MyPoseFeatures/D3_Positions/*.cdf"

_FOLDER = "{subject}/MyPoseFeatures/D3_Positions"
_CDF, _MAT = ".cdf", ".cdf.mat"
_ALL = "_ALL"
_CORRUPT = "S11/Directions"
_TRIALS_EACH = 2 * len(ACTIONS)


@dataclass(frozen=True, kw_only=True)
class RawH36M:
    """Human3.6M as it is downloaded.

    Attributes:
        trials: Subject to trial to its file.
        skipped: Files that are not converted, to the reason.
    """

    trials: Mapping[str, Mapping[str, Path]]
    skipped: Mapping[str, str] = field(default_factory=dict)
    dataset: str = "h36m"
    splits: tuple[Split, ...] = ("train", "test")
    outputs: tuple[str, ...] = (FILE_3D, FILE_2D)

    def write(self, folder: Path, report: ConversionReport, steps: Steps) -> None:
        """Read the motion and write both files.

        Args:
            folder: Gets the files.
            report: Told what was taken and what not.
            steps: Told of progress.

        Raises:
            InputError: Subjects that are not there, a file that is damaged or holds other things.
            MissingExtraError: A CDF file, and the package that reads it is not installed.
        """
        self._complete(report)
        steps.stage("read", sum(len(files) for files in self.trials.values()))
        motion: dict[str, dict[str, Float32[np.ndarray, "frames 32 3"]]] = {}
        for subject, files in self.trials.items():
            own = motion.setdefault(subject, {})
            for trial in in_order(files):
                own[trial] = _read(files[trial])
                report.done[f"{subject}/{trial}"] = len(own[trial])
                steps.advance()
        steps.stage("write", len(self.outputs))
        write_object_npz(folder / FILE_3D, {"positions_3d": motion})
        steps.advance()
        write_object_npz(folder / FILE_2D, {"positions_2d": _true_2d(motion), "metadata": _about()})
        steps.advance()

    def _complete(self, report: ConversionReport) -> None:
        """Refuse if a subject is not there, and tell which trials are not."""
        lacking = [subject for subject in SUBJECTS if not self.trials.get(subject)]
        if lacking:
            raise InputError(
                f"{', '.join(lacking)}: nothing of them in {_FOLDER.format(subject=lacking[0])} "
                f"and so on; expected {', '.join(SUBJECTS)}, all of which `pose3d eval` and "
                "`train` read; extract the archives Poses_D3_Positions_S*.tgz into one folder"
            )
        report.skipped.update(self.skipped)
        for subject, files in self.trials.items():
            expected = _TRIALS_EACH - (subject == _CORRUPT.partition("/")[0])
            if len(files) != expected:
                report.notes.append(
                    f"{subject}: {len(files)} trials; the whole data set has {expected}, so "
                    "figures will not be those of papers"
                )


def find_h36m(folder: Path) -> RawH36M | None:
    """Return Human3.6M's raw files in a folder, or None if there are none.

    Raises:
        InputError: Two files of one trial.
    """
    trials: dict[str, dict[str, Path]] = {}
    skipped: dict[str, str] = {}
    for subject in SUBJECTS:
        files = _files(folder, subject)
        named: dict[Path, str] = {}
        for file in files:
            stem = _stem(file)
            trial = trial_name(stem)
            if stem.startswith(_ALL):
                skipped[f"{subject}/{stem}"] = "all actions in one, which are there each by itself"
            elif trial is None:
                skipped[f"{subject}/{stem}"] = "none of the 15 actions"
            elif f"{subject}/{trial}" == _CORRUPT:
                skipped[_CORRUPT] = "corrupt, as everybody leaves it out"
            else:
                named[file] = trial
        if files:
            trials[subject] = one_place_each(named)
    return RawH36M(trials=trials, skipped=skipped) if trials else None


def _files(folder: Path, subject: str) -> list[Path]:
    """Return a subject's files; of a trial in both formats the one that needs no package."""
    pattern = f"{_FOLDER.format(subject=subject)}/*"
    mats = find(folder, pattern + _MAT)
    saved = {file.with_suffix("") for file in mats}
    return sorted([*mats, *(file for file in find(folder, pattern + _CDF) if file not in saved)])


def _stem(file: Path) -> str:
    return file.name.removesuffix(_MAT).removesuffix(_CDF)


def _read(file: Path) -> Float32[np.ndarray, "frames 32 3"]:
    """Return a trial: metres, world axes."""
    if file.name.endswith(_MAT):
        held = read_mat(file, ("data",))["data"]
        values = held.flat[0] if held.dtype == object and held.size == 1 else held
    else:
        values = read_cdf(file, "Pose")
    numbers = as_numbers(values)
    is_single = numbers is not None and (numbers.ndim == 2 or numbers.shape[:-2] == (1,))
    if numbers is None or not is_single or numbers.shape[-1] != 3 * N_JOINTS or not numbers.size:
        raise InputError(
            f"{file}: holds {in_words(values)}; expected {N_JOINTS} joints of D3_Positions, an "
            f"array of (1, frames, {3 * N_JOINTS})"
        )
    return np.ascontiguousarray(numbers.reshape(-1, N_JOINTS, 3) / 1000, np.float32)


def _true_2d(
    motion: Mapping[str, Mapping[str, Float32[np.ndarray, "frames 32 3"]]],
) -> dict[str, dict[str, list[np.ndarray]]]:
    return {
        subject: {trial: seen_by_all(xyz, subject) for trial, xyz in trials.items()}
        for subject, trials in motion.items()
    }


def _about() -> dict[str, object]:
    """Return a 2D file's metadata, which tell its joints' order."""
    sides = [list(side) for side in symmetry_of(H36M17.joints)]
    return {"num_joints": len(H36M17.joints), "keypoints_symmetry": sides}
