"""A detector by name, `auto` among the names."""

from __future__ import annotations

from pose3d_cli.config import nearest
from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.present import best_there
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import UnknownNameError

AUTO = "auto"
_ALWAYS_THERE = "blazepose"


def detector_names() -> list[str]:
    """Return every name that `make_detector` takes."""
    return [AUTO, *DETECTORS.names()]


def make_detector(name: str, options: DetectorOptions) -> Detector:
    """Return the detector called `name`.

    `auto` is RTMPose where weights of it are here, else BlazePose, whose weights always are;
    choices that only one detector knows choose that one. Nothing is downloaded.

    Raises:
        UnknownNameError: No such detector.
        WeightsError: Its weights are not there, or damaged.
        MissingExtraError: It needs a package that is not installed.
    """
    if name not in detector_names():
        raise UnknownNameError(f"no detector {name!r}{nearest(name, detector_names())}")
    return DETECTORS.get(_chosen(options) if name == AUTO else name)(options)


def _chosen(options: DetectorOptions) -> str:
    if options.config or options.checkpoint:
        return "mmpose"
    return "rtmpose" if options.weights or best_there("keypoints") else _ALWAYS_THERE
