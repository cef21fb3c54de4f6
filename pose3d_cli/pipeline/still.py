"""A small picture of a lifted clip: its middle frame with the people that were seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.video import open_video
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.render.contact_sheet import draw_still

_JPEG_QUALITY = 85


def still_of(clip: Path, keypoints: Path) -> bytes:
    """Return a JPEG of the middle one of the frames in which somebody is seen.

    Args:
        clip: The video.
        keypoints: What was seen in it, as we write it.

    Raises:
        InputError: One of them cannot be read.
    """
    people = read_keypoints(keypoints)
    frames = np.unique(np.concatenate([person.frames for person in people]))
    middle = int(frames[len(frames) // 2])
    there = [(p, int(np.searchsorted(p.frames, middle))) for p in people if middle in p.frames]
    with open_video(clip, start_s=float(there[0][0].time_s[there[0][1]])) as video:
        image = next(frame.image for frame in video)
    return as_jpeg(_drawn(image, there))


def as_jpeg(image_rgb: np.ndarray) -> bytes:
    """Return an RGB picture as the bytes of a JPEG file."""
    bgr = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def from_jpeg(data: bytes) -> np.ndarray:
    """Return the RGB picture in the bytes of a JPEG file."""
    bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _drawn(image: np.ndarray, there: list[tuple[Keypoints2D, int]]) -> np.ndarray:
    return draw_still(
        image,
        np.stack([person.xy[row] for person, row in there]),
        np.stack([person.score[row] for person, row in there]),
        there[0][0].skeleton,
        person_id=[person.person for person, _ in there],
    )
