"""The training generator's detector, in the place of one that looks at pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.rendered.detector_error import Found, nearest
from pose3d_cli.learn.rendered.truth import Rendered, in_picture
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_FPS = 25.0
_FRAMES = 50
_LONGER_SIDE_PX = 960


def generated(
    mocap: Sequence[MocapClip], clips: int, seed: int = 0
) -> list[tuple[Rendered, Found | None]]:
    """Return clips of two seconds as the generator's detector sees them.

    Motion and cameras are those of `pose3d data render`, bodies have no flesh and are not drawn.
    """
    generator = Generator(mocap, GeneratorConfig(frames=_FRAMES, rate_hz=_FPS, seed=seed))
    generator.begin(0, 0)
    view = generator.views(clips)
    rays, score = (part.numpy() for part in detect(view, _FPS, generator.random))
    xyz = (view.pose + view.root[:, :, None]).numpy().astype(np.float64)
    pairs = []
    for row, half in enumerate(view.half_picture.numpy().astype(np.float64)):
        focal = _LONGER_SIDE_PX / 2 / half.max()
        width, height = (2 * int(side) for side in np.round(half * focal))
        matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        camera = Camera(
            matrix=matrix, distortion=np.zeros(0), image_size=(width, height), source="generated"
        )
        keypoints = Keypoints2D(
            xy=(rays[row] * focal + matrix[:2, 2]).astype(np.float32),
            score=score[row].astype(np.float32),
            frames=np.arange(_FRAMES),
            time_s=np.arange(_FRAMES) / _FPS,
            fps=_FPS,
            image_size=(width, height),
            skeleton=H36M17,
        )
        clip = Rendered(
            Path(f"generated{row}"), xyz[row], in_picture(xyz[row], camera), camera, _FPS
        )
        pairs.append((clip, nearest([keypoints], clip)))
    return pairs
