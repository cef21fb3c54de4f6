"""Pictures side by side: the video with its 2D keypoints, and the people in 3D."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.render.figure import SkeletonFigure
from pose3d_cli.render.overlay import Image, draw_overlay
from pose3d_cli.render.palette import PAPER
from pose3d_cli.render.view import ViewLimits

_MAX_WIDTH_PX = 1920
_MAX_PICTURE_PX = (1280, 720)
_LEAST_HEIGHT_PX = 480
_LARGEST_ENLARGEMENT = 2.0

# Of another size than the picture it is made of.
_OtherImage = UInt8[np.ndarray, "other_height other_width 3"]


class SideBySide:
    """Draws one picture a frame: left the video with its 2D overlay, right the people in 3D.

    Args:
        image_size_px: Width and height of the upright video.
        skeleton: The joints, in array order, of both keypoints and 3D.
        limits: The part of the room to show, the same for the whole clip.

    Attributes:
        size_px: Width and height of the pictures; both even, at most 1920 by 720.
    """

    def __init__(
        self, image_size_px: tuple[int, int], skeleton: Skeleton, limits: ViewLimits
    ) -> None:
        self.image_size_px = image_size_px
        self.skeleton = skeleton
        width, height = image_size_px
        scale = min(_MAX_PICTURE_PX[0] / width, _MAX_PICTURE_PX[1] / height, _LARGEST_ENLARGEMENT)
        self._picture_px = (_even(width * scale), _even(height * scale))
        total_height = max(self._picture_px[1], _LEAST_HEIGHT_PX)
        figure_width = min(total_height, _MAX_WIDTH_PX - self._picture_px[0])
        self.size_px = (self._picture_px[0] + figure_width, total_height)
        self._blank = np.full((total_height, self.size_px[0], 3), PAPER, np.uint8)
        self._figure = SkeletonFigure((figure_width, total_height), skeleton, limits)

    def draw(
        self,
        image_rgb: Image,
        keypoints_px: Float[np.ndarray, "people joints 2"],
        score: Float[np.ndarray, "people joints"],
        xyz_camera: Float[np.ndarray, "people joints 3"],
        person_id: Sequence[int],
        time_s: float,
        frame: int | None = None,
    ) -> _OtherImage:
        """Return the picture of one frame.

        Args:
            image_rgb: The upright video frame, of the size given at the start.
            keypoints_px: Pixels of the video frame; NaN where unseen.
            score: In [0, 1].
            xyz_camera: Metres, camera axes; NaN where absent.
            person_id: Identity of each row.
            time_s: Presentation time, shown in a corner.
            frame: Number of the video frame, shown beside the time.

        Raises:
            ValueError: The video frame has another size.
        """
        found = (image_rgb.shape[1], image_rgb.shape[0])
        if found != self.image_size_px:
            raise ValueError(f"the picture is {found} px, but the video is {self.image_size_px}")
        caption = f"{time_s:.2f} s" + ("" if frame is None else f"   frame {frame}")
        width, height = self._picture_px
        top = (self.size_px[1] - height) // 2
        picture = _resized(image_rgb, self._picture_px)
        placed_px = keypoints_px * (np.array(self._picture_px) / self.image_size_px)
        sheet = self._blank.copy()
        sheet[top : top + height, :width] = draw_overlay(
            picture, placed_px, score, self.skeleton, person_id=person_id
        )
        sheet[:, width:] = self._figure.draw(
            xyz_camera, score, person_id=person_id, caption=caption
        )
        return sheet


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


def _resized(image_rgb: Image, size_px: tuple[int, int]) -> _OtherImage:
    """Return the picture at another size.

    Halving by area, then the rest by straight lines, is ten times faster than all by area and
    flickers as little.
    """
    image: Image = image_rgb
    while image.shape[1] >= 2 * size_px[0] and image.shape[0] >= 2 * size_px[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)


def _even(length_px: float) -> int:
    """H.264 takes even sizes only."""
    return max(2, 2 * round(length_px / 2))
