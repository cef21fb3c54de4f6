"""The weights that came with the program, and how a name becomes a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.errors import WeightsError
from pose3d_cli.files.shipped import shipped
from pose3d_cli.lift.about import describe, sha256

DETECTOR_FILES = ("pose_detection.tflite", "pose_landmark_full.tflite")
DEFAULT_LIFTER = "dualstream-xs-27"
SUFFIX = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Stocked:
    """A weights file of the program.

    Attributes:
        name: What `--weights` takes, or the file name of a detector.
        what: In words.
        path: Where it lies.
        n_bytes: Its length.
        sha256: Its digest, hexadecimal.
    """

    name: str
    what: str
    path: Path
    n_bytes: int
    sha256: str


def list_weights() -> list[Stocked]:
    """Return what came with the program: lifters, then detectors.

    Raises:
        WeightsError: An incomplete installation.
    """
    folder = shipped(DETECTOR_FILES[0]).parent
    lifters = [_stocked(path, path.stem, _lifter(path)) for path in sorted(_lifters(folder))]
    return lifters + [
        _stocked(shipped(name), name, "detector blazepose; Apache-2.0") for name in DETECTOR_FILES
    ]


def find_weights(name: str) -> Path:
    """Return the file of weights: one that came with the program, or a path.

    Raises:
        WeightsError: No such file; the message says which names there are.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.suffix == SUFFIX or len(path.parts) > 1:
        raise WeightsError(f"{name}: no such file")
    names = [path.stem for path in _lifters(shipped(DETECTOR_FILES[0]).parent)]
    if name not in names:
        raise WeightsError(f"no weights {name!r}{nearest(name, sorted(names))}")
    return shipped(name + SUFFIX)


def _lifters(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix == SUFFIX]


def _stocked(path: Path, name: str, what: str) -> Stocked:
    return Stocked(
        name=name, what=what, path=path, n_bytes=path.stat().st_size, sha256=sha256(path)
    )


def _lifter(path: Path) -> str:
    about = describe(path)
    return f"lifter {about.lifter}, {about.config.get('frames')} frames; {about.licence}"
