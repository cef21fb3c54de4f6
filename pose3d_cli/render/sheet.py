"""Several pictures on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from pose3d_cli.files.atomic import replacing
from pose3d_cli.render.overlay import Image

_WIDTH_PX = 560
_COLUMNS = 2


def draw_contact_sheet(
    images: Sequence[UInt8[np.ndarray, "_ _ 3"]], columns: int, *, gap_px: int = 8
) -> Image:
    """Return the pictures in rows on one sheet, each in the middle of an equal cell.

    Raises:
        ValueError: There is no picture, or no column.
    """
    if not images or columns < 1:
        raise ValueError(f"{len(images)} pictures in {columns} columns make no sheet")
    cell_height = max(image.shape[0] for image in images)
    cell_width = max(image.shape[1] for image in images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = (
        rows * (cell_height + gap_px) + gap_px,
        columns * (cell_width + gap_px) + gap_px,
        3,
    )
    sheet = np.full(size, 255, np.uint8)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        height, width = image.shape[:2]
        top = gap_px + row * (cell_height + gap_px) + (cell_height - height) // 2
        left = gap_px + column * (cell_width + gap_px) + (cell_width - width) // 2
        sheet[top : top + height, left : left + width] = image
    return sheet


def write_sheet(path: Path, images: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> None:
    """Write pictures of a clip on one sheet, as PNG.

    Args:
        path: The file.
        images: RGB, in order of time, at least one; they are made smaller.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    small = [_no_wider(image, _WIDTH_PX) for image in images]
    sheet = draw_contact_sheet(small, _COLUMNS)
    with replacing(path) as new:
        new.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())


def _no_wider(image: UInt8[np.ndarray, "_ _ 3"], width_px: int) -> Image:
    height, width = image.shape[:2]
    if width <= width_px:
        return image
    size = width_px, max(1, round(height * width_px / width))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
