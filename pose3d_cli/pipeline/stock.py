"""The weights that came with the program, and how a name becomes a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.errors import WeightsError
from pose3d_cli.files.shipped import shipped, shipped_all
from pose3d_cli.lift.about import UPRIGHT, describe, sha256

DETECTOR_SHA256 = {
    "pose_detection.tflite": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}
DEFAULT_LIFTER = "dualstream-xs-27"
UPRIGHT_WEIGHTS = "upright-75"
SUFFIX = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Stocked:
    """A weights file of the program.

    Attributes:
        name: What `--weights` takes, or the file name of a detector.
        what: In words; `missing: ...` or `damaged: ...` where it is of no use.
        is_ok: Whether it is there and whole.
        path: Where it lies; None if it is missing.
        n_bytes: Its length.
        sha256: Its digest, hexadecimal; empty if it cannot be read.
    """

    name: str
    what: str
    is_ok: bool
    path: Path | None = None
    n_bytes: int = 0
    sha256: str = ""


def list_weights() -> list[Stocked]:
    """Return what came with the program: networks for 3D, then detectors.

    What is missing or damaged is among them and says so.
    """
    lifters = dict.fromkeys((DEFAULT_LIFTER, UPRIGHT_WEIGHTS)) | shipped_all(SUFFIX)
    return [_lifter(name, path) for name, path in sorted(lifters.items())] + [
        _detector(name) for name in DETECTOR_SHA256
    ]


def find_weights(name: str) -> Path:
    """Return the file of weights: one that came with the program, or a path.

    Raises:
        WeightsError: No such file; the message says which names there are.
    """
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise WeightsError(f"{name}: is a folder; give the weights{SUFFIX} in it")
    if path.suffix == SUFFIX or len(path.parts) > 1:
        raise WeightsError(f"{name}: no such file")
    lifters = shipped_all(SUFFIX)
    if not lifters:
        raise WeightsError(
            f"no weights {name!r}: this installation came without lifters. "
            "Reinstall pose3d, or give a .safetensors file"
        )
    if name not in lifters:
        raise WeightsError(f"no weights {name!r}{nearest(name, list(lifters))}")
    return lifters[name]


def upright_weights() -> Path:
    """Return the file of the network that says which way is up.

    Raises:
        WeightsError: This installation lacks it.
    """
    path = shipped_all(SUFFIX).get(UPRIGHT_WEIGHTS)
    if path is None:
        raise WeightsError(
            f"{UPRIGHT_WEIGHTS}{SUFFIX}, which tells up, is missing: reinstall pose3d, or give "
            "--up camera"
        )
    return path


def _lifter(name: str, path: Path | None) -> Stocked:
    if path is None:
        return Stocked(name=name, what="missing: reinstall pose3d", is_ok=False)
    try:
        about = describe(path)
    except WeightsError as error:
        return _there(path, name, "damaged: " + str(error).removeprefix(f"{path}: "), is_ok=False)
    kind = "says which way is up" if about.lifter == UPRIGHT else f"lifter {about.lifter}"
    what = f"{kind}, {about.config.get('frames')} frames; {about.licence}"
    return _there(path, name, what)


def _detector(name: str) -> Stocked:
    try:
        found = _there(shipped(name), name, "detector blazepose; Apache-2.0")
    except WeightsError:
        return Stocked(name=name, what="missing: reinstall pose3d", is_ok=False)
    if not found.is_ok or found.sha256 == DETECTOR_SHA256[name]:
        return found
    return replace(
        found, what="damaged: its sha256 is not the published one; reinstall pose3d", is_ok=False
    )


def _there(path: Path, name: str, what: str, *, is_ok: bool = True) -> Stocked:
    try:
        digest, n_bytes = sha256(path), path.stat().st_size
    except (WeightsError, OSError):
        digest, n_bytes, is_ok = "", 0, False
        what = "damaged: cannot be read"
    return Stocked(name=name, what=what, is_ok=is_ok, path=path, n_bytes=n_bytes, sha256=digest)
