"""Whether a clip's results are there already, made of the same by the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pose3d_cli import __version__
from pose3d_cli.detect.make import identity
from pose3d_cli.errors import InputError
from pose3d_cli.lift.about import sha256
from pose3d_cli.pipeline.provenance import RUN_FILE, digest, fingerprint
from pose3d_cli.pipeline.report import ClipReport
from pose3d_cli.pipeline.settings import DetectorSettings, LiftSettings
from pose3d_cli.pipeline.stock import find_weights, upright_weights

_ELSEWHERE = ("output", "overwrite")
"""Settings that change where results go, and not what they are."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What there is of a clip's results.

    Attributes:
        state: `new`: none; `changed`: some, made of or by something else; `done`: all.
        why: What has changed.
        report: Of the run that made them, where they are done.
    """

    state: Literal["new", "changed", "done"]
    why: str = ""
    report: ClipReport | None = None


def made_with(settings: LiftSettings) -> dict[str, Any]:
    """Return the settings that change a result; what they name by its content.

    Raises:
        InputError: Files they name that cannot be read.
        WeightsError: No such weights.
    """
    values = asdict(settings)
    for name in _ELSEWHERE:
        del values[name]
    values["weights"] = sha256(find_weights(settings.weights))
    values["up_weights"] = sha256(upright_weights()) if settings.up != "camera" else ""
    values["intrinsics"] = _content(settings.intrinsics)
    values["from_2d"] = _content(settings.from_2d)
    detector = identity(settings.detector, settings.detector_options)
    if settings.from_2d:  # it is not asked then
        detector = dict.fromkeys(detector, "")
    unsaid = {key: "" for key in asdict(DetectorSettings()) if key not in ("device", *detector)}
    return values | unsaid | detector


def standing(clip: Path, folder: Path, wanted: Mapping[str, Any]) -> Standing:
    """Return what there is of the results of `clip` in `folder`.

    Args:
        clip: The video.
        folder: Of its results.
        wanted: What results made now would be made with; see `made_with`.
    """
    if not (folder / RUN_FILE).exists():
        return Standing(state="new")
    try:
        record = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        why = _difference(record, clip, folder, wanted)
        report = None if why else _report(record, clip, folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        why, report = "its record is damaged or of an older program", None
    if report is None:
        return Standing(state="changed", why=why)
    return Standing(state="done", report=report)


def _difference(
    record: Mapping[str, Any], clip: Path, folder: Path, wanted: Mapping[str, Any]
) -> str:
    """Say what has changed since `record` was written; nothing if nothing has."""
    if record["program_version"] != __version__:
        return f"made by version {record['program_version']}"
    if record["input"]["fingerprint"] != fingerprint(clip):
        return "the clip has changed"
    if record["settings_sha256"] != digest(wanted):
        before = record["made_with"]
        names = sorted(key for key in wanted | before if wanted.get(key) != before.get(key))
        return f"other settings: {', '.join(names)}"
    spoilt = [name for name, size in record["files"].items() if _size(folder / name) != size]
    return f"files are missing or changed: {', '.join(spoilt)}" if spoilt else ""


def _report(record: Mapping[str, Any], clip: Path, folder: Path) -> ClipReport:
    # Of a long clip a kind begins with the folder of its part.
    outputs = {
        kind: (folder / kind).parent / Path(path).name for kind, path in record["outputs"].items()
    }
    return ClipReport(
        clip=clip,
        outputs={**outputs, "run": folder / RUN_FILE},
        people=int(record["people"]),
        frames=int(record["frames"]),
        seconds={stage: float(value) for stage, value in record["seconds"].items()},
        warnings=[str(text) for text in record["warnings"]],
        is_kept=True,
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _content(name: str) -> str:
    """Return a digest of a file, or of all files of a folder; nothing for no name."""
    if not name:
        return ""
    path = Path(name)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    whole = hashlib.sha256()
    try:
        for file in files:
            whole.update(os.fsencode(file.relative_to(path)))
            with file.open("rb") as opened:
                whole.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    return whole.hexdigest()
