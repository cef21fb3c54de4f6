"""A network made a lifter: keypoints of any skeleton, rate and length in, 3D joints out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor, nn

from pose3d_cli.errors import InputError, WeightsError
from pose3d_cli.lift.about import UPRIGHT, WeightsAbout, describe
from pose3d_cli.lift.batches import Answers, Cuts, answered
from pose3d_cli.lift.normalise import mirrored_input, rays_to_input, screen_to_input
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.lift.screen import AS_VIDEO, Screen, in_metres
from pose3d_cli.lift.strands import blended, rate, strands_at
from pose3d_cli.lift.weights import load
from pose3d_cli.lift.windows import Layout, Windows, cut, lay_windows, stitch
from pose3d_cli.pose.camera import Camera, pixels_to_rays, pixels_to_screen
from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.resample import keypoints_at, poses_at, uniform_times
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D, PoseSequence

_ROOT = H36M17.index("pelvis")

# Joints of all windows lifted at once. Beyond this a CPU's time for each window rises by half: its
# memory, not its arithmetic, is then what it waits for.
_AT_ONCE = {"cpu": 4000, "other": 250_000}

Normalise = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
_INPUTS: dict[str, Normalise] = {"rays": rays_to_input, "screen": screen_to_input}


@dataclass(frozen=True, eq=False)
class _Strands:
    """Somebody's keypoints at several times the trained rate, as windows.

    Attributes:
        points: On h36m17.
        time_s: Of the rows of all strands together, evenly spaced.
        layouts: Of each strand, how windows lie over it.
        cuts: Of each strand, what the windows show.
    """

    points: Keypoints2D
    time_s: Float64[np.ndarray, " frames"]
    layouts: list[Windows] = field(default_factory=list)
    cuts: list[Cuts] = field(default_factory=list)


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
        if self.about.lifter == UPRIGHT:
            raise WeightsError("these weights say which way is up and lift nobody; give a lifter")
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
        """Lift one person; see `lift_each`."""
        return next(self.lift_each([keypoints], camera, screen))

    def lift_each(
        self,
        people: Iterable[Keypoints2D],
        camera: Camera | None,
        screen: Screen = AS_VIDEO,
    ) -> Iterator[PoseSequence]:
        """Lift people, one after another, but the windows of several at once.

        Args:
            people: Any skeleton that converts to h36m17, gaps filled: the pelvis (or both hips)
                must be known in every row.
            camera: Of the video the keypoints are of. Weights that take rays need it; the answer of
                those that work in units of the screen is put into its axes.
            screen: How a data set's screen coordinates are made, for weights that take them.

        Yields:
            Camera axes, pelvis at the origin, metres of a person `about.stature_m` tall; a row for
            each row of the keypoints, NaN where `layout` leaves it out.

        Raises:
            InputError: No rows, joints that do not convert, or rows without a pelvis.
        """
        in_work: deque[_Strands] = deque()

        def windows() -> Iterator[Cuts]:
            for keypoints in people:
                in_work.append(self._strands(keypoints, camera, screen))
                yield from in_work[-1].cuts

        answers = answered(windows(), self._lift_windows, self.batch or self._usual_batch())
        for answer in answers:
            person = in_work.popleft()
            others = [next(answers) for _ in range(len(person.layouts) - 1)]
            yield self._pose(person, [answer, *others], camera, screen)

    def _strands(self, keypoints: Keypoints2D, camera: Camera | None, screen: Screen) -> _Strands:
        """Return the windows that somebody's keypoints are cut into."""
        points = _with_pelvis(keypoints)
        coordinates = self._coordinates(points, camera, screen)
        count = strands_at(rate(points.time_s), self.about.rate_hz)
        time_s = uniform_times(points.time_s, count * self.about.rate_hz)
        coordinates, score = keypoints_at(coordinates, points.score, points.time_s, time_s)
        found = _Strands(points, time_s)
        for first in range(min(count, len(score))):
            strand = slice(first, None, count)
            layout = self.layout(len(score[strand]), self.window)
            found.layouts.append(layout)
            found.cuts.append((cut(coordinates[strand], layout), cut(score[strand], layout)))
        return found

    def _pose(
        self,
        person: _Strands,
        answers: Sequence[Answers],
        camera: Camera | None,
        screen: Screen,
    ) -> PoseSequence:
        """Return what the answers to somebody's windows say of each row of the keypoints."""
        points, count = person.points, len(answers)
        strands = [stitch(*both) for both in zip(answers, person.layouts, strict=True)]
        xyz = np.empty((len(person.time_s), *strands[0].shape[1:]), np.float32)
        for first, strand in enumerate(strands):
            xyz[first::count] = strand
        xyz = poses_at(blended(xyz) if count > 1 else xyz, person.time_s, points.time_s)
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

    def _usual_batch(self) -> int:
        at_once = _AT_ONCE["cpu" if self.device.type == "cpu" else "other"]
        return max(at_once // (self.window * len(H36M17.joints) * (1 + self.mirror)), 1)

    def _lift_windows(self, cuts: Cuts) -> Answers:
        """Return the joints of each window in camera axes."""
        coordinates, score = (torch.from_numpy(values) for values in cuts)
        with torch.inference_mode():
            x, rotation = _INPUTS[self.about.input](coordinates, score)
            return turn_back(rotation, self._run(x)).numpy()

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
