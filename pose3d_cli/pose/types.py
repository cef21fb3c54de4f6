"""What flows between the rooms: 2D keypoints and 3D poses, with their shapes, units and frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from pose3d_cli.pose.skeleton import Skeleton

Frame = Literal["camera", "root", "world"]


def _check_timeline(
    frames: np.ndarray, time_s: np.ndarray, n_rows: int, n_joints: int, skeleton: Skeleton
) -> None:
    if n_joints != len(skeleton.joints):
        raise ValueError(f"found {n_joints} joints, but {skeleton.name} has {len(skeleton.joints)}")
    if not len(frames) == len(time_s) == n_rows:
        raise ValueError(
            f"{n_rows} rows, {len(frames)} frame numbers and {len(time_s)} times: must be equal"
        )
    if np.any(np.diff(frames) <= 0) or np.any(np.diff(time_s) <= 0):
        raise ValueError("frames and times must rise: each video frame at most once, in order")


@dataclass(frozen=True, kw_only=True, eq=False)
class Keypoints2D:
    """One person's keypoints over time; the frames of rows may have gaps.

    Attributes:
        xy: Pixels, x right and y down, from the top-left corner of the upright picture.
            NaN where a joint was not seen.
        score: Detector confidence in [0, 1]; exactly 0 where the position is unseen or filled in.
        frames: Number of the video frame of each row, from 0, rising.
        time_s: Presentation time of each row in seconds, rising; unevenly where the video is.
        fps: Nominal frames a second of the video, exact (29.97 stays 29.97).
        image_size: Width and height of the upright picture in pixels.
        skeleton: The joints, in array order.
        person: Identity, the same for the same person through the clip.
    """

    xy: Float32[np.ndarray, "frames joints 2"]
    score: Float32[np.ndarray, "frames joints"]
    frames: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    fps: float
    image_size: tuple[int, int]
    skeleton: Skeleton
    person: int = 0

    def __post_init__(self) -> None:
        if self.xy.shape[:2] != self.score.shape:
            raise ValueError(f"xy {self.xy.shape} and score {self.score.shape} do not fit")
        _check_timeline(self.frames, self.time_s, len(self.xy), self.xy.shape[1], self.skeleton)
        if np.any((self.score > 0) & np.isnan(self.xy).any(-1)):
            raise ValueError("a joint without a position must have score 0")

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, rows: Int64[np.ndarray, " kept"] | Bool[np.ndarray, " frames"]) -> Keypoints2D:
        """Return some rows, by number or by mask."""
        return replace(
            self,
            xy=self.xy[rows],
            score=self.score[rows],
            frames=self.frames[rows],
            time_s=self.time_s[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PoseSequence:
    """One person's 3D joints over time.

    Attributes:
        xyz: Metres if `is_metric`, else in units of no fixed length.
        frames: Number of the video frame of each row, rising.
        time_s: Presentation time of each row in seconds, rising.
        fps: Nominal frames a second.
        skeleton: The joints, in array order.
        frame: Frame of reference of `xyz`. `camera`: x right, y down, z forward, origin at the
            camera. `root`: the same axes, pelvis at the origin. `world`: Z up.
        is_metric: Whether lengths mean metres; a monocular lift alone cannot know.
    """

    xyz: Float32[np.ndarray, "frames joints 3"]
    frames: Int64[np.ndarray, " frames"]
    time_s: Float64[np.ndarray, " frames"]
    fps: float
    skeleton: Skeleton
    frame: Frame
    is_metric: bool

    def __post_init__(self) -> None:
        _check_timeline(self.frames, self.time_s, len(self.xyz), self.xyz.shape[1], self.skeleton)
        if self.frame == "root" and np.nanmax(np.abs(self.xyz[:, 0]), initial=0.0) > 1e-4:
            raise ValueError("frame 'root' needs the pelvis at the origin")

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hypotheses:
    """Several answers for one person, each over the same frames.

    Attributes:
        poses: The answers.
        weight: How likely each is; sums to one.
    """

    poses: tuple[PoseSequence, ...]
    weight: Float32[np.ndarray, " hypotheses"]

    def __post_init__(self) -> None:
        if len(self.poses) != len(self.weight) or abs(float(self.weight.sum()) - 1) > 1e-4:
            raise ValueError("one weight a hypothesis, summing to one")

    def best(self) -> PoseSequence:
        """Return the likeliest answer."""
        return self.poses[int(self.weight.argmax())]
