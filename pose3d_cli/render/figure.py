"""3D skeletons as a picture: one Matplotlib figure, of which only the people are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.render.palette import (
    FAINT_BELOW,
    HEAD_SHARE,
    INK,
    PAPER,
    RGB,
    SHADOW,
    bone_colours,
    head_pair,
    person_colour,
    unit,
)
from pose3d_cli.render.room import FONT, draw_legend, draw_room
from pose3d_cli.render.strokes import Strokes, joined
from pose3d_cli.render.view import ViewLimits, look_at

_DPI = 72  # a point is a pixel
_BONE_M = 0.045
_FAINT_ALPHA = 0.35
# A line of no length would not be drawn; its round ends make a disc.
_DOT_PX = np.array([0.01, 0.0])


class SkeletonFigure:
    """Draws people in the world, seen from beside and above the camera.

    Floor, grid and legend are drawn once and copied; a frame costs one collection of lines and
    a line of text. Not for use by two threads at a time.

    Args:
        size_px: Width and height of the picture.
        skeleton: The joints, in array order.
        limits: The part of the room to show, the same for the whole clip.
    """

    def __init__(self, size_px: tuple[int, int], skeleton: Skeleton, limits: ViewLimits) -> None:
        self.size_px = size_px
        self.skeleton = skeleton
        width, height = size_px
        self._floor_m = float(limits.low[2])
        self._view = look_at(limits, (24.0, 44.0, width - 40.0, height - 48.0))
        self._parents = np.array([skeleton.index(parent) for parent, _ in skeleton.bones])
        self._children = np.array([skeleton.index(joint) for _, joint in skeleton.bones])
        self._head_pair = head_pair(skeleton)
        self._is_head = np.isin(skeleton.joints, self._head_pair or ())
        self._bone_rgb = np.array([unit(colour) for colour in bone_colours(skeleton)])
        self._bone_px = float(np.clip(_BONE_M * self._view.px_per_m, 2.5, 12.0))
        self._labels: dict[int, Text] = {}
        # The user's own Matplotlib settings (LaTeX, fonts, layout) are for their own figures.
        with style.context("default"):
            self._set_up(limits)

    def _set_up(self, limits: ViewLimits) -> None:
        """Draw what never changes, keep a copy of it, and make the artists of what does."""
        width, height = self.size_px
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=unit(PAPER))
        canvas: Any = FigureCanvasAgg(figure)  # Matplotlib leaves its methods untyped
        self._axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set(xlim=(0, width), ylim=(0, height))
        self._axes.set_axis_off()
        draw_room(self._axes, limits, self._view)
        draw_legend(self._axes, self.size_px)
        self._lines = LineCollection([], capstyle="round", antialiaseds=True, animated=True)
        self._lines.set_snap(False)  # whole pixels would swallow the discs and make motion jerk
        self._axes.add_collection(self._lines, autolim=False)
        self._caption = self._text(16.0, height - 14.0, "", va="top", animated=True)
        canvas.draw()
        self._canvas = canvas
        self._background = canvas.copy_from_bbox(figure.bbox)

    def draw(
        self,
        xyz_world: Float[np.ndarray, "people joints 3"],
        score: Float[np.ndarray, "people joints"],
        *,
        person_id: Sequence[int],
        caption: str = "",
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Return the picture of one frame.

        Args:
            xyz_world: Metres, world axes (x right, y ahead, z up); NaN where absent.
            score: In [0, 1]; bones with an end of low score are pale.
            person_id: Identity of each row; decides the colour of head and label.
            caption: Words for the top-left corner.
        """
        self._canvas.restore_region(self._background)
        parts = [
            part
            for xyz, sure, person in zip(xyz_world, score, person_id, strict=True)
            for part in self._person(xyz, np.nan_to_num(sure) >= FAINT_BELOW, person)
        ]
        if parts:
            self._draw_strokes(joined(parts))
        if len(person_id) > 1:
            self._draw_labels(xyz_world, person_id)
        self._caption.set_text(caption)
        self._axes.draw_artist(self._caption)
        rgba = np.asarray(self._canvas.buffer_rgba())
        return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)

    def _draw_strokes(self, strokes: Strokes) -> None:
        strokes = strokes.take(np.argsort(strokes.nearness_m, kind="stable"))
        self._lines.set(segments=strokes.ends_px, linewidth=strokes.width_px, color=strokes.rgba)
        self._axes.draw_artist(self._lines)

    def _person(
        self, xyz: Float[np.ndarray, "joints 3"], sure: Bool[np.ndarray, " joints"], person: int
    ) -> list[Strokes]:
        """Return a person's shadow, bones, rims, joints and head; nothing where joints are NaN."""
        start, end = xyz[self._parents], xyz[self._children]
        drawn = np.isfinite(start).all(-1) & np.isfinite(end).all(-1)
        drawn &= ~(self._is_head[self._parents] & self._is_head[self._children])
        if not drawn.any():
            return []
        alpha = np.where(sure[self._parents] & sure[self._children], 1.0, _FAINT_ALPHA)
        bones = self._strokes(np.stack([start, end], 1), self._bone_px, self._bone_rgb, alpha)
        # The rim of a bone stops short of its joints, else it would cut the next bone off.
        rim_ends = np.stack([0.8 * start + 0.2 * end, 0.2 * start + 0.8 * end], 1)
        rims = self._strokes(rim_ends, self._bone_px + 4, np.array(unit(PAPER)), alpha)
        shadows = self._strokes(
            self._on_floor(np.stack([start, end], 1)),
            self._bone_px,
            np.array(unit(SHADOW)),
            np.ones(len(start)),
        )
        shadows.nearness_m[:] = -np.inf
        rims.nearness_m[:] = bones.nearness_m - 1e-6
        return [
            *(part.take(drawn) for part in (shadows, rims, bones)),
            self._joints(xyz, np.where(drawn, bones.nearness_m, np.nan)),
            *self._head(xyz, person),
        ]

    def _on_floor(self, xyz: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        flat = xyz.copy()
        flat[..., 2] = self._floor_m
        return flat

    def _strokes(
        self,
        ends: Float[np.ndarray, "strokes 2 3"],
        width_px: float,
        rgb: Float[np.ndarray, "*strokes 3"],
        alpha: Float[np.ndarray, " strokes"],
    ) -> Strokes:
        projected = self._view.project(ends)
        rgba = np.concatenate([np.broadcast_to(rgb, (len(ends), 3)), alpha[:, None]], 1)
        return Strokes(
            ends_px=projected[..., :2],
            nearness_m=projected[..., 2].mean(-1),
            width_px=np.full(len(ends), width_px),
            rgba=rgba,
        )

    def _discs(self, centre: Float[np.ndarray, "discs 3"], width_px: float, colour: RGB) -> Strokes:
        discs = self._strokes(
            np.stack([centre, centre], 1),
            width_px,
            np.array(unit(colour)),
            np.ones(len(centre)),
        )
        discs.ends_px[:, 1] += _DOT_PX
        return discs

    def _joints(
        self, xyz: Float[np.ndarray, "joints 3"], bone_nearness_m: Float[np.ndarray, " bones"]
    ) -> Strokes:
        """Return a dot a joint, on top of its own bones; those of the head follow with the head.

        Args:
            xyz: Metres, world axes.
            bone_nearness_m: How near each bone is to the viewer; NaN where it is not drawn.
        """
        nearness = np.full(len(xyz), -np.inf)
        for ends in (self._parents, self._children):
            np.fmax.at(nearness, ends, bone_nearness_m)
        shown = np.isfinite(nearness) & ~self._is_head
        dots = self._discs(xyz[shown], 0.4 * self._bone_px, PAPER)
        dots.nearness_m[:] = nearness[shown] + 1e-6
        return dots

    def _head(self, xyz: Float[np.ndarray, "joints 3"], person: int) -> list[Strokes]:
        """Return a ball, and a dot on the face that it hides from behind."""
        if self._head_pair is None:
            return []
        face, crown = (xyz[self.skeleton.index(joint)] for joint in self._head_pair)
        if not np.isfinite([face, crown]).all():
            return []
        across = 2 * HEAD_SHARE * float(np.linalg.norm(crown - face)) * self._view.px_per_m
        middle = ((face + crown) / 2)[None]
        return [
            self._discs(middle, across + 3, PAPER),
            self._discs(middle, across, person_colour(person)),
            self._discs(face[None], 0.4 * self._bone_px, PAPER),
        ]

    def _draw_labels(
        self, xyz_world: Float[np.ndarray, "people joints 3"], person_id: Sequence[int]
    ) -> None:
        """Write who it is above each one's highest joint, the nearest on top."""
        places = []
        for xyz, person in zip(xyz_world, person_id, strict=True):
            seen = self._view.project(xyz[np.isfinite(xyz).all(-1)])
            if len(seen):
                right, up, _ = seen[seen[:, 1].argmax()]
                places.append((float(seen[:, 2].mean()), person, right, up))
        for _, person, right, up in sorted(places):
            label = self._label(person)
            label.set_position((right, up + 0.14 * self._view.px_per_m))
            self._axes.draw_artist(label)

    def _label(self, person: int) -> Text:
        if person not in self._labels:
            label = self._text(0.0, 0.0, f"person {person}", ha="center", animated=True)
            label.set(color=unit(person_colour(person)), fontweight="bold")
            self._labels[person] = label
        return self._labels[person]

    def _text(self, x_px: float, y_px: float, words: str, **settings: Any) -> Text:
        return self._axes.text(
            x_px, y_px, words, fontsize=12, family=FONT, color=unit(INK), usetex=False, **settings
        )
