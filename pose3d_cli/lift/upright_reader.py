"""The network that says which way is up, applied to what was seen of people in a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from pose3d_cli.errors import WeightsError
from pose3d_cli.lift.upright import Said, UprightNet, is_seen
from pose3d_cli.lift.weights import load
from pose3d_cli.pose.camera import Camera, pixels_to_rays
from pose3d_cli.pose.resample import keypoints_at, uniform_times
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.up import Votes

_FEWEST = 5  # frames of a window in which somebody is seen
_AT_ONCE = 64
_LAPLACE = np.sqrt(2.0)  # standard deviation over mean absolute error, of the density it learns by


class Window(NamedTuple):
    """What is shown to the network at once, and how many seconds of it are told by no other."""

    rays: Float32[np.ndarray, "t joints 2"]
    score: Float32[np.ndarray, "t joints"]
    seconds: float


@dataclass(frozen=True, eq=False)
class UprightReader:
    """Reads up from keypoints.

    Attributes:
        network: In evaluation mode, on `device`.
        device: Where it runs.
    """

    network: UprightNet
    device: torch.device

    @classmethod
    def from_file(cls, path: Path, device: torch.device) -> UprightReader:
        """Make a reader of a weights file.

        Raises:
            WeightsError: A file that cannot be read, or weights of another network.
        """
        network = load(path, device)
        if not isinstance(network, UprightNet):
            raise WeightsError(f"{path}: is a lifter; it does not say which way is up")
        return cls(network, device)

    def read(self, people: Sequence[Keypoints2D], camera: Camera) -> list[Votes]:
        """Return what is said of each person, window by window; none where too little is seen.

        Args:
            people: On h36m17, each as long as seen without a gap, so that somebody may be there
                several times; what was filled in has score 0.
            camera: Of the clip.
        """
        found: dict[int, list[Votes]] = {points.person: [] for points in people}
        for points in people:
            found[points.person].append(self._votes(list(self._windows(points, camera))))
        return [Votes.of_all(votes) for votes in found.values()]

    def _windows(self, points: Keypoints2D, camera: Camera) -> Iterator[Window]:
        """Yield windows that lie evenly over all that is seen, at the rate of the network."""
        config = self.network.config
        if len(points.time_s) < 2:
            return
        time_s = uniform_times(points.time_s, config.rate_hz)
        xy, score = keypoints_at(points.xy, points.score, points.time_s, time_s)
        rays = pixels_to_rays(xy, camera)
        seen = is_seen(torch.from_numpy(rays)[None], torch.from_numpy(score)[None])[0]
        many = -(-len(time_s) // config.frames)
        length = min(len(time_s), config.frames)
        for first in np.linspace(0, len(time_s) - length, many).round().astype(int):
            part = slice(first, first + length)
            n_seen = int(seen[part].sum())
            if n_seen >= _FEWEST:  # windows overlap where no whole number of them fits
                seconds = n_seen / config.rate_hz * len(time_s) / (many * length)
                yield Window(rays[part], score[part], seconds)

    def _votes(self, windows: Sequence[Window]) -> Votes:
        said = [self._said(windows[at : at + _AT_ONCE]) for at in range(0, len(windows), _AT_ONCE)]
        up, ray = ([getattr(one, name).cpu().numpy() for one in said] for name in ("up", "ray"))
        off_deg = [_LAPLACE * one.off_deg.cpu().numpy() for one in said]
        across_deg, along_deg = np.concatenate([*off_deg, np.zeros((0, 2))]).T.astype(np.float64)
        return Votes(
            up=np.concatenate([*up, np.zeros((0, 3))]).astype(np.float64),
            ray=np.concatenate([*ray, np.zeros((0, 3))]).astype(np.float64),
            weight=np.array([window.seconds for window in windows], np.float64),
            across_deg=across_deg,
            along_deg=along_deg,
        )

    @torch.inference_mode()
    def _said(self, windows: Sequence[Window]) -> Said:
        longest = max(len(window.rays) for window in windows)
        rays = torch.stack([_filled_up(window.rays, longest) for window in windows])
        score = torch.stack([_filled_up(window.score, longest) for window in windows])
        said = self.network(rays.to(self.device), score.to(self.device))
        assert isinstance(said, Said)
        return said


def _filled_up(values: np.ndarray, length: int) -> Tensor:
    full = np.full((length, *values.shape[1:]), np.nan, np.float32)
    full[: len(values)] = values
    return torch.from_numpy(full)
