"""The shelf of detectors: what there is, and how to put one more on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.registry import Registry

D = TypeVar("D", bound=Callable[[DetectorOptions], Detector])

DETECTORS: Registry[Callable[[DetectorOptions], Detector]] = Registry(
    "detector", "pose3d_cli.detect.zoo", "pose3d.detectors"
)


USUAL = "blazepose"
"""What looks at pictures where nobody says which."""


def register_detector(name: str) -> Callable[[D], D]:
    """Put a detector on the shelf under `name`, which must be its module's name."""

    def keep(detector: D) -> D:
        DETECTORS.add(name, detector)
        return detector

    return keep
