"""Windows of keypoints without 3D: of one's own videos, or mixed with generated ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from pose3d_cli.errors import InputError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.learn.synthetic.generator import Generator
from pose3d_cli.lift.normalise import mirrored_input, rays_to_input
from pose3d_cli.pose.camera import default_camera, pixels_to_rays
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.gaps import fill_gaps, split_at_gaps
from pose3d_cli.pose.resample import keypoints_at, uniform_times
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

_SMALLEST_EXTENT = 0.002  # of the distance: a person of four millimetres, two metres away


@runtime_checkable
class Unlabelled(Protocol):
    """Windows as a network takes them.

    Attributes:
        x: Normalised rays and scores.
        score: Scores of the joints.
    """

    @property
    def x(self) -> Float[Tensor, "b t joints 3"]:
        """Input of a network."""
        ...

    @property
    def score(self) -> Float[Tensor, "b t joints"]:
        """Scores; 0 where a joint was not seen."""
        ...


@runtime_checkable
class Views(Protocol):
    """A source of windows of which only the 2D is looked at.

    Attributes:
        random: The source of chance.
    """

    @property
    def random(self) -> torch.Generator:
        """The source of chance."""
        ...

    def begin(self, step: int, part: int) -> None:
        """Go to a part of a step's batch, whatever was drawn before."""
        ...

    def draw(self, windows: int) -> Unlabelled:
        """Return the next `windows` windows."""
        ...


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of which no 3D is known; see `Unlabelled`."""

    x: Float[Tensor, "b t joints 3"]
    score: Float[Tensor, "b t joints"]


@dataclass(frozen=True, eq=False)
class KeypointWindows:
    """Draws windows from stretches of keypoints.

    Attributes:
        stretches: Rays and scores (frames, 17, 3) at the network's rate, none shorter than a
            window.
        frames: Frames of a window.
        left_out: Stretches that were too short, or in which nothing is to be seen.
    """

    stretches: Sequence[Float[Tensor, "_ joints 3"]]
    frames: int
    left_out: int = 0

    @classmethod
    def from_folder(cls, folder: Path, frames: int, rate_hz: float) -> KeypointWindows:
        """Read every keypoint file in `folder` and below; left and right are mended as in lifting.

        Rays are those of the camera that is assumed where none is told.

        Raises:
            InputError: No such folder, no keypoint files, one that is damaged, or no stretch as
                long as a window.
        """
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; `pose3d data detect` makes one")
        files = _files(folder)
        if not files:
            raise InputError(
                f"{folder}: no keypoint files (.npz) in it; `pose3d data detect VIDEOS -o "
                f"{folder}` writes them"
            )
        found = [
            stretch
            for file in files
            for person in read_keypoints(file)
            for stretch in _stretches(person, rate_hz)
        ]
        long = [s for s in found if len(s) >= frames and _shows_somebody(s)]
        if not long:
            raise InputError(
                f"{folder}: no person is seen for {frames} frames on end at {rate_hz:g} a second "
                f"({(frames - 1) / rate_hz:.1f} s) in its {len(files)} files; give longer videos"
            )
        return cls([torch.from_numpy(s) for s in long], frames, len(found) - len(long))

    def draw(self, windows: int, random: torch.Generator) -> Windows:
        """Return windows, each place of each stretch as likely as any other; half are mirrored."""
        places = torch.tensor([len(s) - self.frames + 1 for s in self.stretches])
        ends = places.cumsum(0)
        drawn = torch.randint(int(ends[-1]), (windows,), generator=random)
        which = torch.searchsorted(ends, drawn, right=True)
        start = drawn - (ends - places)[which]
        cut = [
            self.stretches[int(w)][int(s) : int(s) + self.frames]
            for w, s in zip(which, start, strict=True)
        ]
        both = torch.stack(cut)
        x, _ = rays_to_input(both[..., :2], both[..., 2])
        is_mirrored = torch.rand(windows, 1, 1, 1, generator=random) < 0.5
        x = torch.where(is_mirrored, mirrored_input(x), x)
        return Windows(x, x[..., 2])


def _files(folder: Path) -> list[Path]:
    # A hidden one is what a killed run left of a file it was writing.
    return sorted(path for path in folder.rglob("*.npz") if path.name[0] != ".")


def content_of(folder: Path) -> str:
    """Return a hash of the keypoint files in a folder: of their names and all they hold."""
    told = [
        (str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in _files(folder)
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class MixedWindows:
    """Generated windows, a share of them exchanged for windows of one's own keypoints.

    Attributes:
        generator: Its source of chance draws everything.
        keypoints: One's own; None for generated windows alone.
        share: Of windows from `keypoints`.
    """

    generator: Generator
    keypoints: KeypointWindows | None = None
    share: float = 0.5

    @property
    def random(self) -> torch.Generator:
        """The source of chance."""
        return self.generator.random

    def begin(self, step: int, part: int) -> None:
        """Go to a part of a step's batch, whatever was drawn before."""
        self.generator.begin(step, part)

    def draw(self, windows: int) -> Unlabelled:
        """Return the next `windows` windows."""
        own = round(windows * self.share) if self.keypoints else 0
        if self.keypoints is None or not own:
            return self.generator.draw(windows)
        seen = self.keypoints.draw(own, self.random)
        if own == windows:
            return seen
        made = self.generator.draw(windows - own)
        return Windows(torch.cat([seen.x, made.x]), torch.cat([seen.score, made.score]))


def _stretches(person: Keypoints2D, rate_hz: float) -> list[Float32[np.ndarray, "frames 17 3"]]:
    """Return the rays and scores of a person's stretches without gaps, at the network's rate."""
    filled = fill_gaps(mend_flips(person)[0])
    points = convert(filled, H36M17)
    points = points.take(~np.isnan(points.xy[:, H36M17.index("pelvis")]).any(-1))
    stretches = []
    for stretch in split_at_gaps(points) if len(points) else []:
        if len(stretch) < 2:
            continue
        rays = pixels_to_rays(stretch.xy, default_camera(stretch.image_size))
        time_s = uniform_times(stretch.time_s, rate_hz)
        rays, score = keypoints_at(rays, stretch.score, stretch.time_s, time_s)
        known = np.where(np.isnan(rays).any(-1), 0, score)
        stretches.append(np.concatenate([rays, known[..., None]], -1).astype(np.float32))
    return stretches


def _shows_somebody(stretch: Float32[np.ndarray, "frames 17 3"]) -> bool:
    """Whether the joints lie apart; what stands at one point is no person."""
    rays = stretch[..., :2]
    extent = np.nanmax(rays, 1) - np.nanmin(rays, 1)  # the pelvis is always known
    return bool(np.median(extent.max(-1)) > _SMALLEST_EXTENT)
