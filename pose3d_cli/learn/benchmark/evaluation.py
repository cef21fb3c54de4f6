"""What an evaluation found, with how it was done; in memory, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError
from pose3d_cli.files.arrays import read_arrays, write_arrays
from pose3d_cli.learn.benchmark.protocol import PROTOCOLS
from pose3d_cli.learn.benchmark.score import MEASURES, ClipScore
from pose3d_cli.learn.benchmark.summary import Figure, figure, groups
from pose3d_cli.pose.skeleton import H36M17

FORMAT = "pose3d-evaluation/1"

_FACTS = ("label", "dataset", "split", "keypoints", "protocol", "laying", "seconds")
_SAID = ("weights", "settings", "notes")
_PER_CLIP = ("name", "take", "group", "wanted")
_STACKED = ("joint_total", "joint_count", "pose", "truth")


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """One lifter on one data set.

    Attributes:
        label: What it is called in tables: the weights' name.
        weights: Path, sha256, lifter, parameters.
        dataset: Name of the data set.
        split: Of it.
        keypoints: Which 2D was lifted.
        protocol: Name of the protocol.
        laying: How windows were laid.
        settings: What else was asked for: mirror, limit, seed.
        clips: What each clip gave.
        seconds: Time that lifting took.
        notes: What a reader must know before believing the figures.
    """

    label: str
    weights: Mapping[str, Any]
    dataset: str
    split: str
    keypoints: str
    protocol: str
    laying: str
    settings: Mapping[str, Any]
    clips: Sequence[ClipScore]
    seconds: float
    notes: Sequence[str] = field(default_factory=list)

    def figures(self) -> dict[str, Figure]:
        """Return each measure by the protocol's mean, in its own unit."""
        protocol = PROTOCOLS[self.protocol]
        found = {name: figure(self.clips, name, protocol) for name in MEASURES}
        return {name: value for name, value in found.items() if value is not None}

    def groups(self) -> dict[str, dict[str, float | int]]:
        """Return the measures of each action, or of what the protocol averages in."""
        return groups(self.clips)

    def joints_mm(self) -> dict[str, float]:
        """Return the mean error of each joint over all frames; NaN where it was not measured."""
        total = np.sum([clip.joint_total for clip in self.clips], axis=0)
        count = np.sum([clip.joint_count for clip in self.clips], axis=0)
        mean = np.where(count > 0, total / np.maximum(count, 1) * 1000, np.nan)
        return dict(zip(H36M17.joints, mean.tolist(), strict=True))

    @property
    def frames(self) -> int:
        """Frames that were measured."""
        return sum(len(clip.frame) for clip in self.clips)

    @property
    def wanted(self) -> int:
        """Frames that should have been."""
        return sum(clip.wanted for clip in self.clips)

    @property
    def clips_per_s(self) -> float:
        """Clips that were lifted in a second."""
        return len(self.clips) / max(self.seconds, 1e-9)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, all that a table can hold."""
        protocol = PROTOCOLS[self.protocol]
        figures = {
            name: {
                "label": MEASURES[name].label,
                "unit": MEASURES[name].unit,
                "value": _rounded(found.value),
                "low_95": _rounded(found.low),
                "high_95": _rounded(found.high),
                "mean_over_frames": _rounded(found.over_frames),
            }
            for name, found in self.figures().items()
        }
        return {
            **{name: getattr(self, name) for name in (*_FACTS, *_SAID)},
            "protocol_in_words": protocol.in_words(),
            "beware": protocol.beware(),
            "clips": len(self.clips),
            "frames": self.frames,
            "frames_wanted": self.wanted,
            "figures": figures,
            "groups": {
                name: {key: _rounded(value) for key, value in row.items()}
                for name, row in self.groups().items()
            },
            "joints_mm": {name: _rounded(value) for name, value in self.joints_mm().items()},
        }


def _rounded(value: float | int) -> float | None:
    """Return a number that JSON can hold, to a hundredth of a micrometre."""
    return round(float(value), 5) if np.isfinite(value) else None


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write an evaluation as an `.npz` that can be compared with others later.

    Raises:
        OutputError: The file cannot be written.
    """
    clips = evaluation.clips
    arrays = {name: np.array([getattr(clip, name) for clip in clips]) for name in _PER_CLIP}
    arrays |= {name: np.array([getattr(clip, name) for clip in clips]) for name in _STACKED}
    arrays["total"] = np.array([[clip.total.get(m, 0.0) for m in MEASURES] for clip in clips])
    arrays["count"] = np.array([[clip.count.get(m, 0) for m in MEASURES] for clip in clips])
    arrays["measures"] = np.array(list(MEASURES))
    arrays["frames"] = np.array([len(clip.frame) for clip in clips], np.int64)
    arrays["frame"] = np.concatenate([clip.frame for clip in clips])
    arrays["frame_mpjpe"] = np.concatenate([clip.frame_mpjpe for clip in clips])
    record = {name: getattr(evaluation, name) for name in (*_FACTS, *_SAID)}
    write_arrays(path, arrays, {"format": FORMAT, **record})


def read_evaluation(path: Path) -> Evaluation:
    """Return what `write_evaluation` wrote.

    Raises:
        InputError: A file that is missing, damaged or of another kind.
    """
    keys = (*_PER_CLIP, *_STACKED, "total", "count", "measures", "frames", "frame", "frame_mpjpe")
    arrays, meta = read_arrays(path, file_format=FORMAT, keys=keys)
    try:
        facts = {name: meta[name] for name in (*_FACTS, *_SAID)}
        if facts["protocol"] not in PROTOCOLS:
            raise ValueError(f"protocol {facts['protocol']!r} is not known here")
        return Evaluation(**facts, clips=_clips(arrays))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: an evaluation whose parts do not fit: {error}") from error


def _clips(arrays: Mapping[str, np.ndarray]) -> list[ClipScore]:
    measures = [str(name) for name in arrays["measures"]]
    ends = np.cumsum(arrays["frames"])
    clips = []
    for place, end in enumerate(ends):
        own = slice(end - arrays["frames"][place], end)
        clips.append(
            ClipScore(
                name=str(arrays["name"][place]),
                take=str(arrays["take"][place]),
                group=str(arrays["group"][place]),
                wanted=int(arrays["wanted"][place]),
                total=dict(zip(measures, arrays["total"][place].tolist(), strict=True)),
                count=dict(zip(measures, arrays["count"][place].tolist(), strict=True)),
                frame=arrays["frame"][own],
                frame_mpjpe=arrays["frame_mpjpe"][own],
                **{name: arrays[name][place] for name in _STACKED},
            )
        )
    return clips
