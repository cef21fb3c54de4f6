"""What one clip's answer is worth: sums of errors, so that any mean can be made of them later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol
from pose3d_cli.learn.clip import Clip
from pose3d_cli.pose.align import procrustes, root_relative, scaled
from pose3d_cli.pose.measures import acceleration_error, auc, distances, mpjpe, mpjve, pck
from pose3d_cli.pose.skeleton import H36M17


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure of an evaluation.

    Attributes:
        label: For people.
        unit: Of what is printed.
        scale: What a stored value, in metres or a share, is multiplied by to be printed.
        is_better_high: Whether more is better.
    """

    label: str
    unit: str
    scale: float = 1000.0
    is_better_high: bool = False


MEASURES: Mapping[str, Measure] = {
    "mpjpe": Measure(label="MPJPE", unit="mm"),
    "p_mpjpe": Measure(label="P-MPJPE", unit="mm"),
    "n_mpjpe": Measure(label="N-MPJPE", unit="mm"),
    "mpjve": Measure(label="MPJVE", unit="mm/frame"),
    "acceleration": Measure(label="acceleration error", unit="mm/frame²"),
    "pck": Measure(label="PCK@150mm", unit="%", scale=100.0, is_better_high=True),
    "auc": Measure(label="AUC", unit="%", scale=100.0, is_better_high=True),
    "bone": Measure(label="bone length error", unit="mm"),
    "bone_change": Measure(label="bone length change over time", unit="mm"),
    "unseen": Measure(label="MPJPE of joints never seen", unit="mm"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipScore:
    """The errors of a clip's measured frames.

    Attributes:
        name: Of the clip.
        take: What it was cut from: views of one take err alike.
        group: What it is averaged in.
        total: Sum of each measure over what it was measured on (metres, shares of 0 to 1).
        count: On how many frames (steps, for velocities) that is.
        joint_total: Sum of each joint's distance from its truth, metres.
        joint_count: On how many frames that is.
        frame: Numbers of the measured frames.
        frame_mpjpe: MPJPE of each, metres.
        wanted: Frames that should have been measured.
        pose: The frame whose error is the clip's median, root-relative, metres; h36m17, axes as
            a camera's (x right, y down, z forward).
        truth: The same frame's truth.
    """

    name: str
    take: str
    group: str
    total: Mapping[str, float]
    count: Mapping[str, int]
    joint_total: Float64[np.ndarray, " 17"]
    joint_count: Int64[np.ndarray, " 17"]
    frame: Int64[np.ndarray, " frames"]
    frame_mpjpe: Float32[np.ndarray, " frames"]
    wanted: int
    pose: Float32[np.ndarray, "17 3"]
    truth: Float32[np.ndarray, "17 3"]

    def mean(self, measure: str) -> float:
        """Return the clip's own mean of a measure, metres or share; NaN if it was not measured."""
        count = self.count.get(measure, 0)
        return self.total[measure] / count if count else np.nan


def score_clip(
    clip: Clip,
    xyz: Float32[np.ndarray, "frames 17 3"],
    stretch: Int64[np.ndarray, " frames"],
    protocol: BenchmarkProtocol,
) -> ClipScore:
    """Measure a clip's answer.

    Args:
        clip: With its truth.
        xyz: The answer for each of its frames, metres, axes of the truth; NaN where there is none.
        stretch: Number of the uninterrupted stretch that each frame's answer belongs to; steps
            from one to another are no motion.
        protocol: What is measured, and relative to what.
    """
    pose = root_relative(xyz.astype(np.float64), H36M17.joints, protocol.root)
    truth = root_relative(clip.truth.xyz.astype(np.float64), H36M17.joints, protocol.root)
    truth[:, [j for j, name in enumerate(H36M17.joints) if name not in protocol.joints]] = np.nan
    wanted = clip.is_counted & np.isfinite(truth).all(-1).any(-1)
    rows = np.flatnonzero(wanted & np.isfinite(pose).all((1, 2)))
    values = _frame_values(pose[rows], truth[rows], clip.keypoints.score, protocol)
    values |= _step_values(pose[rows], truth[rows], _runs(rows, stretch[rows]))
    apart = distances(pose[rows], truth[rows])
    known = np.isfinite(apart)
    middle = _median_row(values["mpjpe"])
    nothing = np.full((17, 3), np.nan, np.float32)
    return ClipScore(
        name=clip.name,
        take=clip.take or clip.name,
        group=group_of(clip, protocol),
        total={name: float(np.nansum(value)) for name, value in values.items()},
        count={name: int(np.isfinite(value).sum()) for name, value in values.items()},
        joint_total=np.where(known, apart, 0).sum(0),
        joint_count=known.sum(0).astype(np.int64),
        frame=clip.keypoints.frames[rows],
        frame_mpjpe=values["mpjpe"].astype(np.float32),
        wanted=int(wanted.sum()),
        pose=nothing if middle is None else _as_seen(pose[rows[middle]], clip),
        truth=nothing if middle is None else _as_seen(truth[rows[middle]], clip),
    )


def _as_seen(xyz: Float64[np.ndarray, "17 3"], clip: Clip) -> Float32[np.ndarray, "17 3"]:
    """Return a pose to look at: one in a world whose z is up as if a camera stood upright in it."""
    if clip.truth.frame == "world":
        xyz = np.stack([xyz[:, 0], -xyz[:, 2], xyz[:, 1]], -1)
    return xyz.astype(np.float32)


def group_of(clip: Clip, protocol: BenchmarkProtocol) -> str:
    """Return what a clip is averaged in; where frames are, what it is told apart by: its action."""
    if protocol.average == "subject actions":
        return f"{clip.subject} {clip.action}"
    if protocol.average == "clips":
        return clip.name
    return clip.action or "all"


def _frame_values(
    pose: Float64[np.ndarray, "frames 17 3"],
    truth: Float64[np.ndarray, "frames 17 3"],
    score: Float32[np.ndarray, "all_frames 17"],
    protocol: BenchmarkProtocol,
) -> dict[str, Float64[np.ndarray, " frames"]]:
    pck_truth = truth.copy()
    pck_truth[:, [j for j, n in enumerate(H36M17.joints) if n not in protocol.pck_joints]] = np.nan
    never_seen = (score == 0).all(0)
    unseen_truth = np.where(never_seen[:, None], truth, np.nan)
    bone, bone_change = _bone_errors(pose, truth)
    return {
        "mpjpe": mpjpe(pose, truth),
        "p_mpjpe": mpjpe(procrustes(pose, truth), truth),
        "n_mpjpe": mpjpe(scaled(pose, truth), truth),
        "pck": pck(pose, pck_truth),
        "auc": auc(pose, pck_truth),
        "bone": bone,
        "bone_change": bone_change,
        "unseen": mpjpe(pose, unseen_truth),
    }


def _step_values(
    pose: Float64[np.ndarray, "frames 17 3"],
    truth: Float64[np.ndarray, "frames 17 3"],
    runs: list[slice],
) -> dict[str, Float64[np.ndarray, " steps"]]:
    """Return errors of velocity and acceleration within each run of frames."""
    velocity = [mpjve(pose[run], truth[run]) for run in runs if run.stop - run.start > 1]
    change = [acceleration_error(pose[run], truth[run]) for run in runs if run.stop - run.start > 2]
    none = np.zeros(0)
    return {
        "mpjve": np.concatenate([*velocity, none]),
        "acceleration": np.concatenate([*change, none]),
    }


def _runs(rows: Int64[np.ndarray, " n"], stretch: Int64[np.ndarray, " n"]) -> list[slice]:
    """Return the runs of rows that follow each other within one stretch."""
    if not len(rows):
        return []
    ends = np.flatnonzero((np.diff(rows) != 1) | (np.diff(stretch) != 0)) + 1
    borders = [0, *ends.tolist(), len(rows)]
    return [slice(start, end) for start, end in pairwise(borders)]


def _bone_errors(
    pose: Float64[np.ndarray, "frames 17 3"], truth: Float64[np.ndarray, "frames 17 3"]
) -> tuple[Float64[np.ndarray, " frames"], Float64[np.ndarray, " frames"]]:
    """Return each frame's mean error of bone lengths, and how much lengths change over the clip.

    The latter is each bone's standard deviation over the clip, the mean over bones that the truth
    has, the same number in every frame: a body that breathes is wrong even where it is right in
    the mean.
    """
    child = [j for j, parent in enumerate(H36M17.parent_index) if parent >= 0]
    parent = H36M17.parent_index[child]
    lengths, true = (
        np.linalg.norm(xyz[:, child] - xyz[:, parent], axis=-1) for xyz in (pose, truth)
    )
    known = np.isfinite(true)
    if not known.any():
        return (np.full(len(pose), np.nan),) * 2
    count = known.sum(1)
    error = np.where(known, np.abs(lengths - true), 0).sum(1) / np.maximum(count, 1)
    change = float(lengths[:, known.any(0)].std(0).mean())
    return np.where(count > 0, error, np.nan), np.full(len(pose), change)


def _median_row(values: Float64[np.ndarray, " frames"]) -> int | None:
    known: Bool[np.ndarray, " frames"] = np.isfinite(values)
    if not known.any():
        return None
    order = np.argsort(np.where(known, values, np.inf), kind="stable")
    return int(order[(known.sum() - 1) // 2])
