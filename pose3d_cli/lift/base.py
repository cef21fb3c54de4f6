"""What a lifter is. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.types import Hypotheses, Keypoints2D, PoseSequence


@runtime_checkable
class Lifter(Protocol):
    """Turns one person's 2D keypoints, of any length, into 3D joints of that length."""

    def lift(self, keypoints: Keypoints2D, camera: Camera) -> PoseSequence:
        """Return a root-relative pose, camera axes, for each row of `keypoints`."""
        ...

    def lift_each(self, people: Iterable[Keypoints2D], camera: Camera) -> Iterator[PoseSequence]:
        """Yield what `lift` returns, person after person; several may be worked on at once."""
        ...


@runtime_checkable
class ManyLifter(Lifter, Protocol):
    """A lifter that can also answer more than once."""

    def sample(
        self, keypoints: Keypoints2D, camera: Camera, n: int, random: np.random.Generator
    ) -> Hypotheses:
        """Return `n` answers drawn with `random`."""
        ...
