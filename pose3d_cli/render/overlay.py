"""2D keypoints drawn onto the picture they were found in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from pose3d_cli.pose.skeleton import Skeleton
from pose3d_cli.render.palette import (
    FAINT_BELOW,
    HEAD_SHARE,
    RGB,
    bone_colours,
    head_pair,
    person_colour,
)

Image = UInt8[np.ndarray, "height width 3"]

_SHIFT = 4  # cv2 draws at sixteenths of a pixel, so that slow motion does not jerk
_HALO: RGB = (255, 255, 255)
_FAINT_SHARE = 0.55
_FAINT_PX = 2


def draw_overlay(
    image_rgb: Image,
    keypoints_px: Float[np.ndarray, "people joints 2"],
    score: Float[np.ndarray, "people joints"],
    skeleton: Skeleton,
    *,
    person_id: Sequence[int],
    thickness_px: int = 4,
) -> Image:
    """Return the picture with everybody's keypoints on it; the picture given is not changed.

    The person's left is blue and their right orange. Bones with an end of low score are thin and
    let the picture through. With several people each has a label.

    Args:
        image_rgb: The upright picture.
        keypoints_px: Pixels of this picture, x right and y down; NaN where unseen.
        score: In [0, 1].
        skeleton: The joints, in array order.
        person_id: Identity of each row; decides the colour of head and label.
        thickness_px: Width of a bone that is seen well.
    """
    image = np.ascontiguousarray(image_rgb).copy()
    usable = _usable(keypoints_px, image.shape)
    sure = usable & (np.nan_to_num(score) >= FAINT_BELOW)
    if (usable & ~sure).any():
        veil = image.copy()
        for xy, seen, person in zip(keypoints_px, usable, person_id, strict=True):
            _draw_person(veil, xy, seen, skeleton, person_colour(person), _FAINT_PX)
        cv2.addWeighted(veil, _FAINT_SHARE, image, 1 - _FAINT_SHARE, 0.0, dst=image)
    for xy, seen, person in zip(keypoints_px, sure, person_id, strict=True):
        _draw_person(image, xy, seen, skeleton, person_colour(person), thickness_px)
    if len(person_id) > 1:
        for xy, seen, person in zip(keypoints_px, usable, person_id, strict=True):
            if seen.any():
                _draw_label(image, xy[seen], f"person {person}", person_colour(person))
    return image


def _usable(
    keypoints_px: Float[np.ndarray, "people joints 2"], shape: tuple[int, ...]
) -> Bool[np.ndarray, "people joints"]:
    """Finite, and not so far outside the picture that cv2's whole numbers overflow."""
    reach = 4 * max(shape)
    return np.asarray((np.abs(np.nan_to_num(keypoints_px, nan=np.inf)) < reach).all(-1))


def _draw_person(
    image: Image,
    xy: Float[np.ndarray, "joints 2"],
    seen: Bool[np.ndarray, " joints"],
    skeleton: Skeleton,
    colour: RGB,
    thickness_px: int,
) -> None:
    """Draw one person into `image`: a light rim first, so that bones show on any ground."""
    points = _fixed_point(xy, seen)
    bones = [
        (points[skeleton.index(parent)], points[skeleton.index(joint)], bone_colour)
        for (parent, joint), bone_colour in zip(skeleton.bones, bone_colours(skeleton), strict=True)
        if seen[skeleton.index(parent)] and seen[skeleton.index(joint)]
    ]
    if thickness_px > _FAINT_PX:
        for start, end, _ in bones:
            cv2.line(image, start, end, _HALO, thickness_px + 2, cv2.LINE_AA, _SHIFT)
    for start, end, bone_colour in bones:
        cv2.line(image, start, end, bone_colour, thickness_px, cv2.LINE_AA, _SHIFT)
    _draw_head(image, xy, seen, skeleton, colour, thickness_px)


def _draw_head(
    image: Image,
    xy: Float[np.ndarray, "joints 2"],
    seen: Bool[np.ndarray, " joints"],
    skeleton: Skeleton,
    colour: RGB,
    thickness_px: int,
) -> None:
    pair = head_pair(skeleton)
    if pair is None or not all(seen[skeleton.index(joint)] for joint in pair):
        return
    face, crown = (xy[skeleton.index(joint)] for joint in pair)
    middle = _fixed_point(((face + crown) / 2)[None], np.array([True]))[0]
    radius = round(float(np.hypot(*(crown - face))) * HEAD_SHARE * 2**_SHIFT)
    cv2.circle(image, middle, radius, colour, max(1, thickness_px - 2), cv2.LINE_AA, _SHIFT)


def _fixed_point(
    xy: Float[np.ndarray, "points 2"], seen: Bool[np.ndarray, " points"]
) -> list[tuple[int, int]]:
    safe = np.where(seen[:, None], xy, 0.0)
    return [(int(x), int(y)) for x, y in np.rint(safe * 2**_SHIFT)]


def _draw_label(image: Image, xy: Float[np.ndarray, "points 2"], text: str, colour: RGB) -> None:
    """Put a label above the highest point, inside the picture."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    (width, height), _ = cv2.getTextSize(text, font, size, 1)
    top = xy[xy[:, 1].argmin()]
    left = int(np.clip(top[0] - width / 2, 4, max(4, image.shape[1] - width - 4)))
    base = int(np.clip(top[1] - 24, height + 6, max(height + 6, image.shape[0] - 6)))
    cv2.rectangle(image, (left - 4, base - height - 4), (left + width + 4, base + 4), colour, -1)
    cv2.putText(image, text, (left, base), font, size, (255, 255, 255), 1, cv2.LINE_AA)
