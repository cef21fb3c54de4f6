"""What is shown of a frame, and what draws it. Loads no Matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from pose3d_cli.render.overlay import Image

Picture = UInt8[np.ndarray, "picture_height picture_width 3"]
"""RGB, of another size than the frame it is made of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """What there is to draw of one frame.

    Attributes:
        image_rgb: The upright video frame.
        keypoints_px: Pixels of the video frame; NaN where unseen.
        score: In [0, 1].
        xyz_world: Metres, world axes; NaN where absent.
        person_id: Identity of each row.
        time_s: Presentation time, shown in a corner.
        frame: Number of the video frame, shown beside the time; None for none.
    """

    image_rgb: Image
    keypoints_px: Float[np.ndarray, "people joints 2"]
    score: Float[np.ndarray, "people joints"]
    xyz_world: Float[np.ndarray, "people joints 3"]
    person_id: Sequence[int]
    time_s: float
    frame: int | None = None


@runtime_checkable
class Montage(Protocol):
    """Draws one picture a frame, all of one size.

    Attributes:
        size_px: Width and height of the pictures; both even.
    """

    size_px: tuple[int, int]

    def draw(self, shown: Shown) -> Picture:
        """Return the picture of one frame.

        Raises:
            ValueError: The video frame has another size than was given at the start.
        """
        ...
