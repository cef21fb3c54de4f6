"""What a data set is made of: takes of one person in one camera, with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Frame, Keypoints2D, PoseSequence
from pose3d_cli.registry import Registry

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """A take of one person in one camera.

    Attributes:
        name: Tells it from all others of its data set, such as `S9/Directions 1/54138969`.
        subject: Who moves.
        action: What they do, by the word that figures are averaged by; "" where nobody says.
        keypoints: What a lifter gets to see, h36m17, pixels; NaN and score 0 where unseen.
        truth: Metres, h36m17, camera axes (frame `camera`), or with the pelvis at the origin
            (`root`) where no more is known; NaN for joints that the data set does not have.
        is_counted: Which frames are measured; the others are only seen by the lifter.
        camera: Intrinsics, if known.
        screen_width: Pixels that papers' screen coordinates divide by (x / w * 2 - 1).
        take: What the clip is one view of, where several cameras saw the same; "" for itself.
        metres_per_unit: What one unit of the screen is in metres, frame by frame, for networks
            whose answer is in screen units; None where the data set has no such rule.
        unit_of: Whose networks that rule is for, `h36m` or `3dhp`; "" for all.
        notes: What a reader of its figures should know; of a whole split, the first clip says it.
    """

    name: str
    subject: str
    action: str
    keypoints: Keypoints2D
    truth: PoseSequence
    is_counted: Bool[np.ndarray, " frames"]
    camera: Camera | None
    screen_width: float
    take: str = ""
    metres_per_unit: Float64[np.ndarray, " frames"] | None = None
    unit_of: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        rows = {len(self.keypoints), len(self.truth), len(self.is_counted)}
        if self.metres_per_unit is not None:
            rows.add(len(self.metres_per_unit))
        if len(rows) != 1:
            raise ValueError(f"{self.name}: keypoints, truth and marks of {sorted(rows)} frames")
        for part in (self.keypoints, self.truth):
            if part.skeleton.name != H36M17.name:
                raise ValueError(f"{self.name}: joints are {part.skeleton.name}, not h36m17")

    def __len__(self) -> int:
        return len(self.keypoints)


@runtime_checkable
class Dataset(Protocol):
    """A named set of clips; a split is always yielded in the same order."""

    def clips(self, split: Split) -> Iterator[Clip]:
        """Yield the clips of a split, each made when its turn comes.

        Raises:
            InputError: A file whose contents are not what they should be.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """What to take of a data set's files.

    Attributes:
        keypoints: Which 2D keypoints, by the name the files give them; "" for the usual ones.
        seed: Of data sets that are drawn by chance.
        takes: How many takes such data sets draw.
    """

    keypoints: str = ""
    seed: int = 1234
    takes: int = 128


def chosen_keypoints(options: DatasetOptions, known: Sequence[str]) -> str:
    """Return the name of the 2D keypoints that are wanted.

    Args:
        options: Say it, or leave it open.
        known: Those that a data set has, the usual ones first.

    Raises:
        UnknownNameError: Others.
    """
    wanted = options.keypoints or known[0]
    if wanted not in known:
        raise UnknownNameError(f"no 2D keypoints {wanted!r}{nearest(wanted, list(known))}")
    return wanted


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """A data set on offer.

    Attributes:
        open: Reads what must be read at once and checks it; raises `InputError` for a path that
            lacks files or holds others.
        check: Returns all that is wrong with a path, a line each.
        title: Its name in full.
        source: Where to get it, and under which terms.
        files: The files expected, a line each.
        protocols: Names of the protocols it is measured by, the usual one first.
        keypoints: Names of the 2D keypoints that the files may hold, the usual ones first.
        is_quick: Whether clips of a path are made without looking at videos, so that they can be
            counted.
    """

    open: Callable[[Path, DatasetOptions], Dataset]
    check: Callable[[Path, DatasetOptions], list[str]]
    title: str
    source: str
    files: tuple[str, ...]
    protocols: tuple[str, ...]
    keypoints: tuple[str, ...] = ()
    is_quick: Callable[[Path], bool] = lambda _: True


DATASETS: Registry[DatasetEntry] = Registry(
    "data set",
    "pose3d_cli.learn.datasets",
    "pose3d.datasets",
    spelled={"h36m_sh": "h36m-sh", "mpi_inf_3dhp": "3dhp", "threedpw": "3dpw"},
)


def clip_of(
    *,
    name: str,
    subject: str,
    action: str,
    xy: Float32[np.ndarray, "frames 17 2"],
    score: Float32[np.ndarray, "frames 17"],
    xyz: Float32[np.ndarray, "frames 17 3"],
    frame: Literal["camera", "root"],
    fps: float,
    image_size: tuple[int, int],
    camera: Camera | None,
    is_counted: Bool[np.ndarray, " frames"] | None = None,
    take: str = "",
    metres_per_unit: Float64[np.ndarray, " frames"] | None = None,
    unit_of: str = "",
    notes: Sequence[str] = (),
) -> Clip:
    """Make a clip of arrays whose frames follow one another without a gap.

    Args:
        name: See `Clip`, as for all that is not listed here.
        subject: Who moves.
        action: What they do.
        xy: Pixels, h36m17; NaN where unseen.
        score: In [0, 1]; what has no position gets 0 whatever stands here.
        xyz: Metres, h36m17.
        frame: Frame of reference of `xyz`.
        fps: Frames a second.
        image_size: Width and height in pixels.
        camera: Intrinsics, if known.
        is_counted: Which frames are measured; None for all.
        take: What it is one view of.
        metres_per_unit: Metres of a screen unit.
        unit_of: Whose networks' unit that is.
        notes: What a reader should know.
    """
    keypoints = _keypoints(xy, score, fps, image_size)
    return Clip(
        name=name,
        subject=subject,
        action=action,
        keypoints=keypoints,
        truth=truth_of(xyz, keypoints, frame),
        is_counted=np.ones(len(xy), bool) if is_counted is None else is_counted,
        camera=camera,
        screen_width=float(image_size[0]),
        take=take,
        metres_per_unit=metres_per_unit,
        unit_of=unit_of,
        notes=notes,
    )


def first_says(clips: Iterator[Clip], notes: Callable[[Clip], Sequence[str]]) -> Iterator[Clip]:
    """Yield clips, the first with what a reader must know of figures of them all.

    Args:
        clips: Of a split.
        notes: Makes them, of the first clip.
    """
    for clip in clips:
        yield replace(clip, notes=[*notes(clip), *clip.notes])
        break
    yield from clips


def truth_of(
    xyz: Float32[np.ndarray, "frames 17 3"], keypoints: Keypoints2D, frame: Frame
) -> PoseSequence:
    """Return joints (metres, h36m17) in the frames of keypoints as a truth."""
    return PoseSequence(
        xyz=xyz.astype(np.float32),
        frames=keypoints.frames,
        time_s=keypoints.time_s,
        fps=keypoints.fps,
        skeleton=H36M17,
        frame=frame,
        is_metric=True,
    )


def _keypoints(
    xy: Float32[np.ndarray, "frames 17 2"],
    score: Float32[np.ndarray, "frames 17"],
    fps: float,
    image_size: tuple[int, int],
) -> Keypoints2D:
    """Return keypoints of frames without a gap; what has no position gets score 0."""
    frames = np.arange(len(xy), dtype=np.int64)
    unseen = ~np.isfinite(xy).all(-1)
    return Keypoints2D(
        xy=np.where(unseen[..., None], np.nan, xy).astype(np.float32),
        score=np.where(unseen, 0, score).astype(np.float32),
        frames=frames,
        time_s=frames / fps,
        fps=fps,
        image_size=image_size,
        skeleton=H36M17,
    )
