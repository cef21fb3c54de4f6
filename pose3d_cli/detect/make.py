"""A detector by name, `auto` among the names."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.present import best_there
from pose3d_cli.detect.shelf import DETECTORS, USUAL
from pose3d_cli.errors import SettingsError, UnknownNameError
from pose3d_cli.files.model_cache import digest

AUTO = "auto"
_OURS = ("blazepose", "rtmpose", "mmpose")  # of others nobody here knows what they take


def detector_names() -> list[str]:
    """Return every name that `make_detector` takes."""
    return [AUTO, *DETECTORS.names()]


def make_detector(name: str, options: DetectorOptions) -> Detector:
    """Return the detector called `name`.

    `auto` is RTMPose where weights of it are here, else BlazePose, whose weights always are;
    choices that only one detector knows choose that one. Nothing is downloaded.

    Raises:
        UnknownNameError: No such detector.
        SettingsError: A choice that this detector knows nothing of.
        WeightsError: Its weights are not there, or damaged.
        MissingExtraError: It needs a package that is not installed.
    """
    if name not in detector_names():
        raise UnknownNameError(f"no detector {name!r}{nearest(name, detector_names())}")
    means = chosen(name, options)
    _check_used(means, options)
    return DETECTORS.get(means)(options)


def chosen(name: str, options: DetectorOptions) -> str:
    """Return which detector a name means here and now: itself, but for `auto`."""
    if name != AUTO:
        return name
    if options.config or options.checkpoint:
        return "mmpose"
    return "rtmpose" if options.weights or best_there("keypoints") else USUAL


def identity(name: str, options: DetectorOptions) -> dict[str, str]:
    """Return what tells the detector that a name means here from any other; nothing is loaded.

    Files are told by their content, so that one that was replaced is another detector.
    """
    means = chosen(name, options)
    told = {"detector": means}
    if means == USUAL:
        return told
    weights = options.weights or (_best("keypoints") if means == "rtmpose" else "")
    boxes = _best("boxes") or USUAL if options.boxes == AUTO else options.boxes
    parts = {"detector_weights": weights, "boxes": boxes}
    parts |= {"mmpose_config": options.config, "mmpose_weights": options.checkpoint}
    return told | {part: _content(value) for part, value in parts.items()}


def _best(kind: str) -> str:
    best = best_there(kind)
    return best.name if best else ""


def _content(value: str) -> str:
    """Return the digest of a file, or a name as it is."""
    path = Path(value)
    return digest(path) if value and path.is_file() else value


def _check_used(name: str, options: DetectorOptions) -> None:
    """Refuse choices that a detector would pass over in silence."""
    is_default = options.boxes in (AUTO, USUAL)
    given = {
        "--detector-weights": (bool(options.weights), ("rtmpose",)),
        "--boxes": (not is_default, ("rtmpose", "mmpose")),
        "--mmpose-config": (bool(options.config), ("mmpose",)),
        "--mmpose-weights": (bool(options.checkpoint), ("mmpose",)),
    }
    for flag, (is_given, users) in given.items():
        if is_given and name in _OURS and name not in users:
            raise SettingsError(
                f"{flag} is not for {name}; choose --detector {' or '.join(users)} with it"
            )
