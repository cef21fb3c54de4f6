"""`pose3d data convert`: find a raw data set, write the field's files, and read them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from pose3d_cli.config import nearest
from pose3d_cli.errors import InputError, SettingsError, UnknownNameError
from pose3d_cli.learn.clip import DATASETS, DatasetOptions, Split
from pose3d_cli.learn.convert import h36m, mpi_inf_3dhp
from pose3d_cli.learn.convert.raw_files import find
from pose3d_cli.learn.convert.report import ConversionReport
from pose3d_cli.learn.convert.write import staged
from pose3d_cli.learn.h36m_npz import FILE_3D
from pose3d_cli.learn.steps import Steps


@runtime_checkable
class RawData(Protocol):
    """A raw data set whose files were found."""

    @property
    def dataset(self) -> str:
        """Its name."""
        ...

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that its files will have."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the files to be made of it."""
        ...

    def write(self, folder: Path, report: ConversionReport, steps: Steps) -> None:
        """Write the files into a folder."""
        ...


_FINDERS: Mapping[str, Callable[[Path], RawData | None]] = {
    "h36m": h36m.find_h36m,
    "3dhp": mpi_inf_3dhp.find_3dhp,
}
_LAYOUTS: Mapping[str, str] = {
    "h36m": h36m.LAYOUT,
    "3dhp": f"{mpi_inf_3dhp.LAYOUT_TRAIN} or {mpi_inf_3dhp.LAYOUT_TEST}",
}

_3DPW = "3DPW needs no conversion: `pose3d eval --dataset 3dpw` reads its folder sequenceFiles"
_HUMANEVA = (
    "HumanEva-I cannot be converted here, as its joints and 2D come of MATLAB code in its release; "
    "VideoPose3D does it: DATASETS.md, ConvertHumanEva.m and data/prepare_data_humaneva.py of "
    "github.com/facebookresearch/VideoPose3D"
)
_CONVERTED = "it is converted already: `pose3d data check` says whether the files are sound"
_NOT_CONVERTED: Mapping[str, str] = {
    "3dpw": _3DPW,
    "humaneva": _HUMANEVA,
    "h36m-sh": "h36m-sh needs no conversion: MotionBERT's pickle is read as it is downloaded",
}
_SIGNS: Mapping[str, str] = {
    "sequenceFiles": _3DPW,
    "test/*_00.pkl": _3DPW,
    "S[1-4]/Mocap_Data": _HUMANEVA,
    FILE_3D: _CONVERTED,
    "data_t*_3dhp.npz": _CONVERTED,
    "*_D3_Positions*.tgz": "extract Human3.6M's archives first: `tar -xzf` each of them",
}


def convert_folder(
    raw: Path,
    output: Path,
    *,
    dataset: str | None = None,
    overwrite: bool = False,
    steps: Steps,
) -> ConversionReport:
    """Convert a raw data set; the files appear, all of them, once its reader has accepted them.

    Args:
        raw: Folder of the data set as it is downloaded, or one up to two folders above.
        output: Where the files go; must exist.
        dataset: Its name; None guesses by what lies in the folder.
        overwrite: Replace files that are there.
        steps: Told of progress.

    Returns:
        What was converted, and what was left out and why.

    Raises:
        InputError: No raw data set, one that is damaged or not what it should be, or files that
            are there already.
        UnknownNameError: No data set of that name.
        SettingsError: A data set that is not converted, or a folder of several.
        MissingExtraError: A package that reads the raw files is not installed.
        OutputError: The output cannot be written.
    """
    found = find_raw(raw, dataset)
    there = [str(output / name) for name in found.outputs if (output / name).exists()]
    if there and not overwrite:
        raise InputError(f"{', '.join(there)}: there already; use --overwrite or another -o")
    report = ConversionReport(dataset=found.dataset)
    with staged(output, found.outputs) as folder:
        found.write(folder, report, steps)
        report.splits = _read_back(found, folder, raw, steps)
    report.files = [output / name for name in found.outputs]
    return report


def find_raw(raw: Path, dataset: str | None = None) -> RawData:
    """Return the raw data set that lies in a folder; raises as `convert_folder` does."""
    if dataset is not None and dataset in _NOT_CONVERTED:
        raise SettingsError(f"--dataset {dataset}: {_NOT_CONVERTED[dataset]}")
    if dataset is not None and dataset not in _FINDERS:
        known = nearest(dataset, list(_FINDERS))
        raise UnknownNameError(f"--dataset: no conversion of {dataset!r}{known}")
    if not raw.is_dir():
        raise InputError(f"{raw}: no such folder; give the one that holds the raw data set")
    names = [dataset] if dataset else list(_FINDERS)
    found = [one for one in (_FINDERS[name](raw) for name in names) if one is not None]
    if len(found) > 1:
        several = " and ".join(one.dataset for one in found)
        raise SettingsError(f"{raw}: holds {several}; say with --dataset which to convert")
    if not found:
        raise InputError(f"{raw}: {_absent(raw, names)}")
    return found[0]


def _absent(raw: Path, names: list[str]) -> str:
    told = next((words for sign, words in _SIGNS.items() if find(raw, sign)), "")
    expected = "; ".join(f"{_LAYOUTS[name]} ({name})" for name in names)
    return f"no raw data set here{f'; {told}' if told else ''}. Expected {expected} in it or below"


def _read_back(found: RawData, folder: Path, raw: Path, steps: Steps) -> dict[str, dict[str, int]]:
    """Count the clips and frames that the data set's own reader finds."""
    steps.stage("check", len(found.splits))
    counts: dict[str, dict[str, int]] = {}
    try:
        data = DATASETS.get(found.dataset).open(folder, DatasetOptions(keypoints="gt"))
        for split in found.splits:
            lengths = [len(clip) for clip in data.clips(split)]
            counts[split] = {"clips": len(lengths), "frames": sum(lengths)}
            steps.advance()
    except InputError as error:
        fault = str(error).replace(f"{folder}/", "")
        raise InputError(f"{raw}: not what it should be, nothing was written: {fault}") from error
    return counts
