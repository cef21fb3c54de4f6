"""What a person detector is: a picture in, boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

_GREY = 114


@runtime_checkable
class PersonDetector(Protocol):
    """Finds where people are, not how they stand; keeps no memory between pictures."""

    @property
    def name(self) -> str:
        """What it is called in results."""
        ...

    def boxes(self, image: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "persons 5"]:
        """Return left, top, right, bottom in pixels and confidence in [0, 1], the surest first.

        Nobody is zero rows.

        Args:
            image: Upright picture, RGB.
        """
        ...


@runtime_checkable
class PictureNet(Protocol):
    """A network that finds objects, whatever runs it.

    Attributes:
        input_size: Width and height of its input.
        where: Its file, for messages.
    """

    input_size: tuple[int, int]
    where: str

    def run(self, pictures: Float32[np.ndarray, "batch 3 height width"]) -> Sequence[np.ndarray]:
        """Return what the network makes of pictures."""
        ...


def letterbox(
    image: UInt8[np.ndarray, "height width 3"], width: int, height: int
) -> tuple[UInt8[np.ndarray, "out_height out_width 3"], float]:
    """Return a picture scaled into the upper left of a grey one, and by how much it was scaled."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (
        max(1, min(width, int(image.shape[1] * scale))),
        max(1, min(height, int(image.shape[0] * scale))),
    )
    canvas = np.full((height, width, 3), _GREY, np.uint8)
    canvas[: inner[1], : inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    return canvas, scale


def surest_first(
    box: Float32[np.ndarray, "persons 5"], least: float
) -> Float32[np.ndarray, "kept 5"]:
    """Return the boxes that are sure enough and have an inside, the surest first."""
    real = (box[:, 4] >= least) & (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
    kept = box[real]
    order = np.argsort(-kept[:, 4], kind="stable")
    return np.clip(kept[order], [-np.inf] * 4 + [0.0], [np.inf] * 4 + [1.0]).astype(np.float32)
