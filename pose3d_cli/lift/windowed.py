"""A network made a lifter: keypoints of any skeleton, rate and length in, 3D joints out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor, nn

from pose3d_cli.errors import InputError, WeightsError
from pose3d_cli.lift.about import WeightsAbout, describe
from pose3d_cli.lift.normalise import mirrored_input, rays_to_input, screen_to_input
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.lift.screen import AS_VIDEO, Screen, in_metres
from pose3d_cli.lift.weights import load
from pose3d_cli.lift.windows import Layout, cut, lay_windows, stitch
from pose3d_cli.pose.camera import Camera, pixels_to_rays, pixels_to_screen
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.resample import keypoints_at, poses_at, uniform_times
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D, PoseSequence

_ROOT = H36M17.index("pelvis")

# Joints of all windows lifted at once. Beyond this a CPU's time for each window rises by half: its
# memory, not its arithmetic, is then what it waits for.
_AT_ONCE = {"cpu": 4000, "other": 250_000}

_FINEST_HZ = 25.0
"""Frames a second that are lifted at most; people hardly move faster than lines between show."""

Normalise = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
_INPUTS: dict[str, Normalise] = {"rays": rays_to_input, "screen": screen_to_input}


@dataclass(frozen=True, eq=False)
class WindowedLifter:
    """Lifts with a network that sees windows of one length at one rate.

    Attributes:
        network: Float32, in evaluation mode, on `device`; its `config.frames` is the window.
        about: What it was trained on; says which input it wants and at what rate.
        device: Where it runs.
        mirror: Whether to lift the mirror image too and take the mean of both answers; twice the
            work, and left and right are then treated alike.
        batch: Windows lifted at once; None takes as many as the device likes.
        layout: How windows are laid over a clip at the trained rate; papers have others.
    """

    network: nn.Module
    about: WeightsAbout
    device: torch.device
    mirror: bool = True
    batch: int | None = None
    layout: Layout = lay_windows

    def __post_init__(self) -> None:
        if self.about.more.get("stage") == "pretrain":
            raise WeightsError(
                "these weights were only pre-trained, their 3D head has learnt nothing; train it: "
                "pose3d train --stage finetune --init WEIGHTS"
            )

    @classmethod
    def from_file(
        cls, path: Path, device: torch.device, *, mirror: bool = True, batch: int | None = None
    ) -> WindowedLifter:
        """Make a lifter of a weights file.

        Raises:
            WeightsError: A file that cannot be read or fits no known lifter.
        """
        return cls(load(path, device), describe(path), device, mirror, batch)

    @property
    def window(self) -> int:
        """Frames that the network sees at once."""
        return int(self.about.config["frames"])

    def lift(
        self,
        keypoints: Keypoints2D,
        camera: Camera | None,
        screen: Screen = AS_VIDEO,
    ) -> PoseSequence:
        """Lift one person.

        Args:
            keypoints: Any skeleton that converts to h36m17, gaps filled: the pelvis (or both hips)
                must be known in every row.
            camera: Of the video the keypoints are of. Weights that take rays need it; the answer of
                those that work in units of the screen is put into its axes.
            screen: How a data set's screen coordinates are made, for weights that take them.

        Returns:
            Camera axes, pelvis at the origin, metres of a person `about.stature_m` tall; a row for
            each row of `keypoints`, NaN where `layout` leaves it out.

        Raises:
            InputError: No rows, joints that do not convert, or rows without a pelvis.
        """
        points = _with_pelvis(keypoints)
        coordinates = self._coordinates(points, camera, screen)
        strands = strands_at(_rate(points.time_s), self.about.rate_hz)
        time_s = uniform_times(points.time_s, strands * self.about.rate_hz)
        coordinates, score = keypoints_at(coordinates, points.score, points.time_s, time_s)
        xyz = poses_at(self._lift_strands(coordinates, score, strands), time_s, points.time_s)
        xyz[:, _ROOT] = 0
        if self.about.units == "screen,root":
            xyz = in_metres(xyz, points, camera, screen, self.about)
        return PoseSequence(
            xyz=xyz,
            frames=points.frames,
            time_s=points.time_s,
            fps=points.fps,
            skeleton=H36M17,
            frame="root",
            is_metric=True,
        )

    def _coordinates(
        self, points: Keypoints2D, camera: Camera | None, screen: Screen
    ) -> Float32[np.ndarray, "frames 17 2"]:
        if self.about.input == "screen":
            return pixels_to_screen(points.xy, points.image_size, screen.width)
        if camera is None:
            raise InputError("these weights take rays, but the camera is unknown; say its --fov")
        return pixels_to_rays(points.xy, camera)

    def _lift_strands(
        self,
        coordinates: Float32[np.ndarray, "frames 17 2"],
        score: Float32[np.ndarray, "frames 17"],
        strands: int,
    ) -> Float32[np.ndarray, "frames 17 3"]:
        """Return the joints of frames at several times the trained rate, in camera axes."""
        if strands == 1:
            return self._lift_strand(coordinates, score)
        xyz = np.empty((*score.shape, 3), np.float32)
        for first in range(min(strands, len(score))):
            strand = slice(first, None, strands)
            xyz[strand] = self._lift_strand(coordinates[strand], score[strand])
        return blended(xyz)

    def _lift_strand(
        self,
        coordinates: Float32[np.ndarray, "frames 17 2"],
        score: Float32[np.ndarray, "frames 17"],
    ) -> Float32[np.ndarray, "frames 17 3"]:
        """Return the joints of frames at the trained rate, in camera axes."""
        windows = self.layout(len(score), self.window)
        answers = self._lift_windows(cut(coordinates, windows), cut(score, windows))
        return stitch(answers, windows)

    def _lift_windows(
        self,
        coordinates: Float32[np.ndarray, "windows window 17 2"],
        score: Float32[np.ndarray, "windows window 17"],
    ) -> Float32[np.ndarray, "windows window 17 3"]:
        """Return the joints of each window in camera axes."""
        answers = []
        batch = self.batch or self._usual_batch()
        with torch.inference_mode():
            for start in range(0, len(coordinates), batch):
                part = slice(start, start + batch)
                x, rotation = _INPUTS[self.about.input](
                    torch.from_numpy(coordinates[part]), torch.from_numpy(score[part])
                )
                answers.append(turn_back(rotation, self._run(x)))
        return torch.cat(answers).numpy()

    def _usual_batch(self) -> int:
        at_once = _AT_ONCE["cpu" if self.device.type == "cpu" else "other"]
        return max(at_once // (self.window * len(H36M17.joints) * (1 + self.mirror)), 1)

    def _run(self, x: Float[Tensor, "b t 17 3"]) -> Float[Tensor, "b t 17 3"]:
        """Return the network's answer to normalised windows, in the axes of its input, on the CPU.

        The mean of both answers if the mirror image is lifted too.
        """
        x = x.to(self.device)
        if self.mirror:
            answer, mirrored = self.network(torch.cat([x, mirrored_input(x)])).chunk(2)
            answer = (answer + mirrored_input(mirrored)) / 2
        else:
            answer = self.network(x)
        return answer.float().cpu()


def blended(xyz: Float32[np.ndarray, " frames *rest"]) -> Float32[np.ndarray, " frames *rest"]:
    """Return the mean of each frame (half) and its neighbours, which are of other strands.

    Strands are lifted apart and differ a little, which shows as trembling. What moves five times a
    second keeps two thirds of its way, what moves twice a second nearly all of it.
    """
    before = np.concatenate([xyz[:1], xyz[:-1]])
    after = np.concatenate([xyz[1:], xyz[-1:]])
    return (before + 2 * xyz + after) / 4


def strands_at(clip_hz: float, rate_hz: float) -> int:
    """Return how many strands of frames at `rate_hz` lie side by side in a clip.

    Weights that see few frames a second see far. So that quick motion is not lost, a video of
    several times that rate is lifted as that many strands, each of every second frame (or third):
    none is left out, and the work is that of weights of the higher rate.
    """
    return max(round(min(clip_hz, _FINEST_HZ) / rate_hz), 1)


def _rate(time_s: Float64[np.ndarray, " frames"]) -> float:
    return (len(time_s) - 1) / float(time_s[-1] - time_s[0]) if len(time_s) > 1 else 0.0


def _with_pelvis(keypoints: Keypoints2D) -> Keypoints2D:
    """Return h36m17 keypoints, the pelvis known in every row."""
    who = f"person {keypoints.person}"
    if not len(keypoints):
        raise InputError(f"{who}: no frames to lift")
    try:
        points = convert(keypoints, H36M17)
    except ValueError as error:
        raise InputError(f"{who}: {error}; these keypoints cannot be lifted") from error
    unknown = np.isnan(points.xy[:, _ROOT]).any(-1)
    if unknown.any():
        raise InputError(
            f"{who}: the hips are unknown in {unknown.sum()} of {len(unknown)} frames "
            f"(first: frame {points.frames[unknown][0]}); fill or cut out such gaps first"
        )
    # What is not seen has no say, whatever number stands in its place.
    return replace(points, score=np.where(np.isnan(points.xy).any(-1), 0, points.score))
