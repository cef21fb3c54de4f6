"""The training generator's detector, in the place of one that looks at pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.rendered.detector_error import Found, nearest
from pose3d_cli.learn.rendered.truth import Rendered, camera_that_sees, in_picture
from pose3d_cli.learn.synthetic.detector_noise import DetectorNoise
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.takes import TAKE_HZ, as_keypoints

_FRAMES = 50
_LONGER_SIDE_PX = 960


def generated(
    mocap: Sequence[MocapClip], clips: int, seed: int = 0, noise: DetectorNoise | None = None
) -> list[tuple[Rendered, Found | None]]:
    """Return clips of two seconds as the generator's detector sees them.

    Motion and cameras are those of `pose3d data render`, bodies have no flesh and are not drawn.

    Args:
        mocap: Motion.
        clips: How many.
        seed: Start of the random numbers.
        noise: How that detector errs; None takes what was measured.
    """
    generator = Generator(mocap, GeneratorConfig(frames=_FRAMES, rate_hz=TAKE_HZ, seed=seed))
    generator.begin(0, 0)
    view = generator.views(clips)
    rays, score = detect(view, TAKE_HZ, generator.random, noise)
    joints = (view.pose + view.root[:, :, None]).numpy().astype(np.float64)
    pairs = []
    for row, half_picture in enumerate(view.half_picture.numpy().astype(np.float64)):
        camera = camera_that_sees(half_picture, _LONGER_SIDE_PX, "generated")
        xyz = joints[row]
        clip = Rendered(Path(f"generated{row}"), xyz, in_picture(xyz, camera), camera, TAKE_HZ)
        keypoints = as_keypoints(rays[row], score[row], camera, TAKE_HZ)
        pairs.append((clip, nearest([keypoints], clip)))
    return pairs
