"""Clips of rendered people: a video, its camera and the truth, a file each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from pose3d_cli.errors import SettingsError
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.learn.rendered.body import Body, Landmarks
from pose3d_cli.learn.rendered.clothes import dressed
from pose3d_cli.learn.rendered.picture import Image, background, draw_mesh
from pose3d_cli.learn.rendered.truth import (
    FEWEST_FRAMES,
    TRUTH,
    camera_that_sees,
    drawn_with,
    write_camera,
    write_truth,
)
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.pose.camera import Camera

_GRAIN = 3.0
_DRAWN_AT_ONCE = 8
"""People of whom one is rendered: limbs are exchanged among them."""


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """Which clips to render."""

    clips: int = 40
    """How many."""
    seconds: float = 2.0
    """Length of each."""
    fps: float = 25.0
    """Frames a second."""
    longer_side_px: int = 960
    """Width or height of the pictures, whichever is more."""
    seed: int = 0
    """Start of the random numbers; clip k is the same in any number of clips."""

    def __post_init__(self) -> None:
        if self.clips < 1 or self.seconds <= 0 or self.fps <= 0:
            raise ValueError("clips, seconds and fps must be above 0")
        if self.frames < FEWEST_FRAMES:
            raise ValueError(f"seconds times fps must be {FEWEST_FRAMES} frames or more")
        if self.longer_side_px < 64:
            raise ValueError(f"longer_side_px ({self.longer_side_px}) must be at least 64")

    @property
    def frames(self) -> int:
        """Frames of each clip."""
        return round(self.seconds * self.fps)


@runtime_checkable
class Bodies(Protocol):
    """Where bodies come from."""

    def draw(self, random: np.random.Generator) -> tuple[Body, Landmarks]:
        """Return an undressed body and its landmarks."""
        ...


@dataclass(frozen=True, eq=False)
class Scene:
    """One clip before it is drawn.

    Attributes:
        pose: Joints to follow, relative to the pelvis, metres, axes of the camera.
        root: The pelvis, metres, axes of the camera.
        camera: Without distortion.
        fps: Frames a second.
    """

    pose: Float64[np.ndarray, "frames joints 3"]
    root: Float64[np.ndarray, "frames 3"]
    camera: Camera
    fps: float


def render_clips(
    mocap: Sequence[MocapClip], bodies: Bodies, folder: Path, settings: RenderSettings
) -> Iterator[tuple[Path, bool]]:
    """Render clips into `folder`: CLIP.mp4, CLIP.toml (the camera) and CLIP_truth.npz.

    Motion, bone lengths and cameras are those of the training generator, without a detector's
    noise; the body keeps its own proportions, so the truth is where its joints are then.

    Yields:
        Each video, and whether it was rendered now; one whose truth is there already stays.

    Raises:
        SettingsError: The folder holds clips of other settings.
        OutputError: A folder or disk that cannot be written.
    """
    generator = Generator(
        mocap, GeneratorConfig(frames=settings.frames, rate_hz=settings.fps, seed=settings.seed)
    )
    told = asdict(settings) | {"subjects": sorted({clip.subject for clip in mocap})}
    del told["clips"]  # more of them change no earlier one
    for number in range(settings.clips):
        video = folder / f"person{number:04d}.mp4"
        truth = video.with_name(video.stem + TRUTH)
        is_new = not truth.is_file()
        if not is_new and drawn_with(truth) != told:
            raise SettingsError(
                f"{folder}: its clips were rendered with other settings or subjects; "
                "choose another folder with -o"
            )
        if is_new:
            random = np.random.default_rng([settings.seed, number])
            generator.begin(number, 0)
            _write(video, _scene(generator, settings, random), bodies, told, random)
        yield video, is_new


def _scene(generator: Generator, settings: RenderSettings, random: np.random.Generator) -> Scene:
    views, row = generator.views(_DRAWN_AT_ONCE), int(random.integers(_DRAWN_AT_ONCE))
    half = views.half_picture[row].numpy().astype(np.float64)
    camera = camera_that_sees(half, settings.longer_side_px, "rendered")
    pose, root = (part[row].numpy().astype(np.float64) for part in (views.pose, views.root))
    return Scene(pose, root, camera, settings.fps)


def _write(
    video: Path,
    scene: Scene,
    bodies: Bodies,
    told: Mapping[str, object],
    random: np.random.Generator,
) -> None:
    body = dressed(*bodies.draw(random), random)
    behind = background(scene.camera.image_size, random)
    towards = random.normal(size=3) + np.array([0.0, -0.5, -1.0])
    light = np.append(towards / np.linalg.norm(towards), random.uniform(0.35, 0.65))
    truth = []
    with VideoWriter(video, size_px=scene.camera.image_size, fps=scene.fps) as writer:
        for number, (pose, root) in enumerate(zip(scene.pose, scene.root, strict=True)):
            vertices, joints = body.posed(pose, root)
            image: Image = behind.copy()
            draw_mesh(image, vertices, body.faces, body.colour, scene.camera, light)
            grainy = image + _GRAIN * random.normal(size=image.shape)
            writer.write(grainy.clip(0, 255).astype(np.uint8), number / scene.fps)
            truth.append(joints)
    write_camera(video.with_suffix(".toml"), scene.camera)
    write_truth(video, np.stack(truth), scene.camera, scene.fps, told)
