"""Results that are there turned into files for other programs: `pose3d export`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pose3d_cli.errors import InputError, NobodyFoundError, Pose3DError, SettingsError
from pose3d_cli.files.export.base import Exporter, ExportOptions
from pose3d_cli.files.results import read_result
from pose3d_cli.pipeline.export_settings import ExportSettings
from pose3d_cli.pipeline.exports import exporters_of
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.report import BatchReport
from pose3d_cli.pipeline.view import find_clip

_NO_RESULT = "_keypoints.npz"


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What exporting one result gave.

    Attributes:
        result: The file.
        outputs: Files written, by format.
        notes: What the user should know.
    """

    result: Path
    outputs: Mapping[str, Sequence[Path]]
    notes: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        outputs = {name: [str(path) for path in files] for name, files in self.outputs.items()}
        return {"result": str(self.result), "outputs": outputs, "notes": list(self.notes)}


Tell = Callable[[Path, ExportReport | Pose3DError], None]


def export_all(
    inputs: Sequence[Path],
    settings: ExportSettings,
    tell: Tell = lambda _result, _outcome: None,
) -> BatchReport[ExportReport]:
    """Export every result; one that fails is told, and the others go on.

    Args:
        inputs: Results (.npz), folders of one, and folders of those.
        settings: The same for all.
        tell: Called with what became of a result, as soon as it is known.

    Raises:
        InputError: An input that names no result, or results whose files would replace each other.
        UnknownNameError: A format that no exporter has.
        MissingExtraError: One that needs a package which is not here.
    """
    exporters = exporters_of(settings.to) if settings.to else _none_given()
    stems = _stems(inputs, settings)
    report: BatchReport[ExportReport] = BatchReport(total=len(stems))
    for result, stem in stems.items():
        try:
            with writable(stem.parent):
                outcome = export_one(result, stem, exporters, settings.options)
        except Pose3DError as error:
            report.failed[result] = error
            tell(result, error)
        else:
            report.done[result] = outcome
            tell(result, outcome)
    return report


def _none_given() -> dict[str, Exporter]:
    raise SettingsError("say what to export to, such as --to bvh,glb")


def export_one(
    path: Path, stem: Path, exporters: Mapping[str, Exporter], options: ExportOptions
) -> ExportReport:
    """Export one result.

    Args:
        path: The result.
        stem: Path of the files but for their ends.
        exporters: By name.
        options: For all of them.

    Raises:
        InputError: A file that is missing, damaged, or not a result of ours.
        NobodyFoundError: A result without people, or whose people have no place in the world.
        OutputError: A folder or disk that cannot be written.
    """
    result = read_result(path)
    if not result.people:
        raise NobodyFoundError(f"{path}: nobody is in this result, so there is nobody to export")
    options = replace(options, clip=find_clip(path.parent))
    done = {name: exporter.write(result, stem, options) for name, exporter in exporters.items()}
    notes = tuple(dict.fromkeys(note for one in done.values() for note in one.notes))
    if not any(one.files for one in done.values()):
        raise NobodyFoundError(f"{path}: nobody to export: {'; '.join(notes)}")
    return ExportReport(
        result=path, outputs={name: one.files for name, one in done.items()}, notes=notes
    )


def _stems(inputs: Sequence[Path], settings: ExportSettings) -> dict[Path, Path]:
    """Return each result with the path of its files but for their ends."""
    stems: dict[Path, Path] = {}
    for given in inputs:
        for result in _results(given):
            place = result.parent
            if settings.output:
                below = place.relative_to(given) if given.is_dir() else Path()
                place = Path(settings.output) / below
            stems[result] = place / result.stem
    [(stem, count)] = Counter(stems.values()).most_common(1) or [(Path(), 0)]
    if count > 1:
        rivals = [str(result) for result, at in stems.items() if at == stem]
        raise InputError(
            f"{' and '.join(rivals)} would both be written to {stem}...; "
            "give the folder above them, or export them one by one"
        )
    return stems


def _results(given: Path) -> list[Path]:
    if not given.is_dir():
        if not given.exists():
            raise InputError(f"{given}: no such file or folder")
        return [given]
    found = sorted(p for p in given.rglob("*.npz") if not p.name.endswith(_NO_RESULT))
    if not found:
        raise InputError(f"{given}: no results (.npz) in this folder or below it")
    return found
