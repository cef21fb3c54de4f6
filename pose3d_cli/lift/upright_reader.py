"""The network that says which way is up, applied to what was seen of people in a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from pose3d_cli.errors import WeightsError
from pose3d_cli.lift.upright import Said, UprightNet
from pose3d_cli.lift.weights import load
from pose3d_cli.pose.camera import Camera, pixels_to_rays
from pose3d_cli.pose.resample import keypoints_at, uniform_times
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.up import Votes, unit

_PELVIS = H36M17.index("pelvis")
_FEWEST = 5  # frames of a window in which somebody is seen
_AT_ONCE = 64
_LAPLACE = np.sqrt(2.0)  # standard deviation over mean absolute error, of the density it learns by

Window = tuple[Float32[np.ndarray, "t joints 2"], Float32[np.ndarray, "t joints"]]


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
            people: On h36m17, each as long as seen without a gap; what was filled in has score 0.
            camera: Of the clip.
        """
        return [self._votes(list(self._windows(points, camera))) for points in people]

    def _windows(self, points: Keypoints2D, camera: Camera) -> Iterator[Window]:
        """Yield windows that lie evenly over all that is seen, at the rate of the network."""
        config = self.network.config
        if len(points.time_s) < 2:
            return
        time_s = uniform_times(points.time_s, config.rate_hz)
        xy, score = keypoints_at(points.xy, points.score, points.time_s, time_s)
        rays = pixels_to_rays(xy, camera)
        many = -(-len(time_s) // config.frames)
        length = min(len(time_s), config.frames)
        for first in np.linspace(0, len(time_s) - length, many).round().astype(int):
            window = slice(first, first + length)
            if is_seen(rays[window], score[window]).sum() >= _FEWEST:
                yield rays[window], score[window]

    def _votes(self, windows: Sequence[Window]) -> Votes:
        said = [self._said(windows[at : at + _AT_ONCE]) for at in range(0, len(windows), _AT_ONCE)]
        up = [one.up.cpu().numpy() for one in said]
        off_deg = [_LAPLACE * one.off_deg.cpu().numpy() for one in said]
        across_deg, along_deg = np.concatenate([*off_deg, np.zeros((0, 2))]).T.astype(np.float64)
        seconds = [is_seen(*window).sum() / self.network.config.rate_hz for window in windows]
        return Votes(
            up=np.concatenate([*up, np.zeros((0, 3))]).astype(np.float64),
            ray=np.array([_towards(*window) for window in windows]).reshape(-1, 3),
            weight=np.array(seconds, np.float64),
            across_deg=across_deg,
            along_deg=along_deg,
        )

    @torch.inference_mode()
    def _said(self, windows: Sequence[Window]) -> Said:
        longest = max(len(rays) for rays, _ in windows)
        rays, score = (
            torch.stack([_filled_up(window[part], longest) for window in windows]).to(self.device)
            for part in range(2)
        )
        said = self.network(rays, score)
        assert isinstance(said, Said)
        return said


def is_seen(
    rays: Float32[np.ndarray, "t joints 2"], score: Float32[np.ndarray, "t joints"]
) -> np.ndarray:
    """Return in which frames the network looks at somebody: those in which the pelvis is seen."""
    return np.isfinite(rays[:, _PELVIS]).all(-1) & (score[:, _PELVIS] > 0)


def _filled_up(values: np.ndarray, length: int) -> Tensor:
    full = np.full((length, *values.shape[1:]), np.nan, np.float32)
    full[: len(values)] = values
    return torch.from_numpy(full)


def _towards(
    rays: Float32[np.ndarray, "t joints 2"], score: Float32[np.ndarray, "t joints"]
) -> np.ndarray:
    pelvis = rays[is_seen(rays, score), _PELVIS]
    return unit(unit(np.concatenate([pelvis, np.ones((len(pelvis), 1))], 1)).sum(0))
