"""Many clips at a glance: a tile each, with its picture or why there is none."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.render.overlay import Image, draw_overlay
from pose3d_cli.render.palette import PAPER, RGB
from pose3d_cli.render.sheet import draw_contact_sheet

PICTURE_PX = (320, 180)
"""Width and height of the picture of a tile; its words stand below it."""

TILES_A_SHEET = 96
_COLUMNS = 6
_WORDS_PX = 44
_INK: RGB = (40, 40, 40)
_MARK: dict[str, RGB] = {"done": (34, 139, 74), "kept": (110, 110, 110), "failed": (190, 40, 40)}
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_LETTERS_A_LINE = 42


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """What is shown of a clip.

    Attributes:
        name: Of the clip.
        status: What became of it.
        words: How many people, or why it failed.
        picture: A still, RGB, no larger than `PICTURE_PX`; None if there is none.
    """

    name: str
    status: Literal["done", "kept", "failed"]
    words: str
    picture: UInt8[np.ndarray, "height width 3"] | None = None


def draw_still(
    image_rgb: UInt8[np.ndarray, "height width 3"],
    keypoints_px: Float[np.ndarray, "people joints 2"],
    score: Float[np.ndarray, "people joints"],
    skeleton: Skeleton,
    *,
    person_id: Sequence[int],
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return a frame with everybody's skeletons on it, as small as a tile wants it.

    Args:
        image_rgb: The upright frame.
        keypoints_px: Pixels of the frame; NaN where unseen.
        score: In [0, 1].
        skeleton: The joints, in array order.
        person_id: Identity of each row.
    """
    height, width = image_rgb.shape[:2]
    scale = min(PICTURE_PX[0] / width, PICTURE_PX[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return draw_overlay(
        small, keypoints_px * scale, score, skeleton, person_id=person_id, thickness_px=2
    )


def draw_sheets(tiles: Sequence[Tile]) -> list[Image]:
    """Return the tiles on one sheet, or on several if there are very many."""
    groups = [tiles[i : i + TILES_A_SHEET] for i in range(0, len(tiles), TILES_A_SHEET)]
    return [draw_contact_sheet([_draw(tile) for tile in group], _COLUMNS) for group in groups]


def _draw(tile: Tile) -> Image:
    width, height = PICTURE_PX
    canvas = np.full((height + _WORDS_PX, width, 3), PAPER, np.uint8)
    lines = textwrap.wrap(_plain(tile.words), _LETTERS_A_LINE, max_lines=9)
    if tile.picture is not None:
        tall, wide = tile.picture.shape[:2]
        top, left = (height - tall) // 2, (width - wide) // 2
        canvas[top : top + tall, left : left + wide] = tile.picture
    else:
        for number, line in enumerate(lines):
            _write(canvas, line, (8, 24 + 17 * number), _INK)
    mark = _MARK[tile.status]
    cv2.rectangle(canvas, (0, 0), (width - 1, height + _WORDS_PX - 1), mark, 2)
    _write(canvas, _shortened(_plain(tile.name)), (8, height + 17), _INK)
    said = f"{tile.status}, {lines[0]}" if tile.picture is not None and lines else tile.status
    _write(canvas, said, (8, height + 36), mark)
    return canvas


def _write(canvas: Image, text: str, at: tuple[int, int], colour: RGB) -> None:
    cv2.putText(canvas, text, at, _FONT, _SIZE, colour, 1, cv2.LINE_AA)


def _shortened(name: str) -> str:
    """Return a name that fits: its beginning and its end tell most."""
    shown = name
    for half in range(_LETTERS_A_LINE // 2, 0, -1):
        if cv2.getTextSize(shown, _FONT, _SIZE, 1)[0][0] <= PICTURE_PX[0] - 16:
            break
        shown = f"{name[:half]}..{name[-half:]}"
    return shown


def _plain(text: str) -> str:
    """Return text in the letters that OpenCV can draw; accents go, others become `?`."""
    return (
        unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode().replace("\n", " ")
    )
