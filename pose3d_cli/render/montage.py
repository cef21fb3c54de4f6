"""Pictures of a clip: the video with its 2D keypoints, the people in 3D, or both side by side."""

from __future__ import annotations

import cv2
import numpy as np

from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.render.figure import SkeletonFigure
from pose3d_cli.render.overlay import Image, draw_overlay
from pose3d_cli.render.palette import PAPER
from pose3d_cli.render.shown import Montage, Picture, Shown
from pose3d_cli.render.view import ViewLimits

_MOST_PX = (1920, 1080)
_MOST_BESIDE_PX = (1280, 720)
_ROOM_PX = (1280, 720)
_LEAST_HEIGHT_PX = 480
_LARGEST_ENLARGEMENT = 2.0


class Overlay:
    """The video with its 2D keypoints.

    Args:
        image_size_px: Width and height of the upright video.
        skeleton: The joints, in array order.
        most_px: Largest width and height of the pictures.
        enlargement: How much small videos are enlarged at most.
    """

    def __init__(
        self,
        image_size_px: tuple[int, int],
        skeleton: Skeleton,
        *,
        most_px: tuple[int, int] = _MOST_PX,
        enlargement: float = 1.0,
    ) -> None:
        self.image_size_px = image_size_px
        self.skeleton = skeleton
        width, height = image_size_px
        scale = min(most_px[0] / width, most_px[1] / height, enlargement)
        self.size_px = (_even(width * scale), _even(height * scale))

    def draw(self, shown: Shown) -> Picture:
        """Return the picture of one frame; see `Montage`."""
        found = (shown.image_rgb.shape[1], shown.image_rgb.shape[0])
        if found != self.image_size_px:
            raise ValueError(f"the picture is {found} px, but the video is {self.image_size_px}")
        placed_px = shown.keypoints_px * (np.array(self.size_px) / self.image_size_px)
        picture = _resized(shown.image_rgb, self.size_px)
        return draw_overlay(
            picture, placed_px, shown.score, self.skeleton, person_id=shown.person_id
        )


class Scene:
    """The people in 3D.

    Args:
        size_px: Width and height of the pictures.
        skeleton: The joints, in array order.
        limits: The part of the room to show, the same for the whole clip.
    """

    def __init__(self, size_px: tuple[int, int], skeleton: Skeleton, limits: ViewLimits) -> None:
        self.size_px = size_px
        self._figure = SkeletonFigure(size_px, skeleton, limits)

    def draw(self, shown: Shown) -> Picture:
        """Return the picture of one frame; see `Montage`."""
        frame = "" if shown.frame is None else f"   frame {shown.frame}"
        return self._figure.draw(
            shown.xyz_world,
            shown.score,
            person_id=shown.person_id,
            caption=f"{shown.time_s:.2f} s{frame}",
        )


class SideBySide:
    """Left the video with its 2D keypoints, right the people in 3D; at most 1920 by 720.

    Args:
        image_size_px: Width and height of the upright video.
        skeleton: The joints, in array order, of both keypoints and 3D.
        limits: The part of the room to show, the same for the whole clip.
    """

    def __init__(
        self, image_size_px: tuple[int, int], skeleton: Skeleton, limits: ViewLimits
    ) -> None:
        self._overlay = Overlay(
            image_size_px, skeleton, most_px=_MOST_BESIDE_PX, enlargement=_LARGEST_ENLARGEMENT
        )
        width, height = self._overlay.size_px
        total_height = max(height, _LEAST_HEIGHT_PX)
        room_width = min(total_height, _MOST_PX[0] - width)
        self.size_px = (width + room_width, total_height)
        self._scene = Scene((room_width, total_height), skeleton, limits)
        self._blank = np.full((total_height, self.size_px[0], 3), PAPER, np.uint8)

    def draw(self, shown: Shown) -> Picture:
        """Return the picture of one frame; see `Montage`."""
        width, height = self._overlay.size_px
        top = (self.size_px[1] - height) // 2
        sheet = self._blank.copy()
        sheet[top : top + height, :width] = self._overlay.draw(shown)
        sheet[:, width:] = self._scene.draw(shown)
        return sheet


def make_montage(
    layout: str, image_size_px: tuple[int, int], skeleton: Skeleton, limits: ViewLimits
) -> Montage:
    """Return what draws `side-by-side`, `overlay` or `3d`.

    Raises:
        ValueError: No such layout.
    """
    if layout == "overlay":
        return Overlay(image_size_px, skeleton)
    if layout == "3d":
        return Scene(_ROOM_PX, skeleton, limits)
    if layout == "side-by-side":
        return SideBySide(image_size_px, skeleton, limits)
    raise ValueError(f"no layout is called {layout!r}")


def _resized(image_rgb: Image, size_px: tuple[int, int]) -> Picture:
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
