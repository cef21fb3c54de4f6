"""Human3.6M in MotionBERT's pickle: fine-tuned Stacked Hourglass, truth in scaled-image space.

Truth is not in true camera space: x and y are the picture's, scaled by millimetres of a pixel at
the pelvis (`2.5d_factor`), and depth is scaled likewise. Figures are not to be compared with those
of camera-space truth.

Opening the file takes 2 GB of memory if its arrays are float32, up to twice that if float64, and
about 20 s (measured on a made-up file of a tenth of the length). Clips are made when their turn
comes.

Source: MotionBERT, lib/data/datareader_h36m.py and train.py; LCN, tools/gendb.py, for the space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    chosen_keypoints,
    clip_of,
    first_says,
)
from pose3d_cli.learn.h36m_cameras import FPS, camera, image_size
from pose3d_cli.learn.h36m_sh_checks import check_frames, difference, relative
from pose3d_cli.learn.h36m_sh_file import (
    FILE,
    Frames,
    action_name,
    find_pickle,
    read_frames,
    source_of,
)
from pose3d_cli.learn.recognise import refuse

KEYPOINTS = ("sh", "gt")
"""The detections, and xy of `joint3d_image`, which MotionBERT's `gt_2d` is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class H36MStackedHourglass:
    """The clips of a pickle that was found to be sound.

    Attributes:
        splits: By name, arrays over all their frames.
        keypoints: One of `KEYPOINTS`.
    """

    splits: Mapping[str, Frames]
    keypoints: str

    def clips(self, split: Split) -> Iterator[Clip]:
        """Return the videos of a split in the file's order, each named by its `source`.

        Truth has the pelvis at the origin. Where the file tells no millimetres, which is usual for
        the training split, truth is in units of the screen (`is_metric` false, `metres_per_unit`
        None): that is what networks of this family learn, and no length in it means metres.

        Raises:
            SettingsError: The split `val`, which the file has not.
        """
        if split not in self.splits:
            told = " and ".join(self.splits)
            raise SettingsError(f"--split {split}: MotionBERT's pickle has {told} only")
        frames = self.splits[split]
        clips = (self._clip(frames, run) for run in frames.runs())
        return first_says(clips, lambda _: self._notes(frames))

    def _notes(self, frames: Frames) -> list[str]:
        """Return what the file leaves open, and how far its two truths are from each other."""
        notes = []
        if frames.is_metric:
            notes.append(f"{frames.name}: {difference(frames).in_words()}; the first is the truth")
        else:
            notes.append(f"{frames.name}: no millimetres in the file; truth is in screen units")
        if self.keypoints == "gt":
            notes.append("true 2D is the truth in the image without its depth, no lens between")
        elif "confidence" not in frames.arrays:
            notes.append(f"{frames.name}: no confidence in the file; 1 is filled in")
        return notes

    def _clip(self, frames: Frames, run: slice) -> Clip:
        name = str(frames.arrays["source"][run.start])
        source = source_of(name)
        camera_id = str(frames.arrays["camera_name"][run.start])
        key = frames.arrays["action"][run.start] if "action" in frames.arrays else None
        xy, score = self._seen(frames, run)
        lens = camera(camera_id)
        clip = clip_of(
            name=name,
            subject=source.subject,
            action=action_name(key, source),
            xy=xy,
            score=score,
            xyz=_truth(frames, run, image_size(camera_id)[0]).astype(np.float32),
            frame="root",
            fps=FPS,
            image_size=image_size(camera_id),
            # `joint3d_image` was projected without the lens.
            camera=replace(lens, distortion=np.zeros(0)) if self.keypoints == "gt" else lens,
            take=source.sequence,
            unit_of="h36m",
            metres_per_unit=_metres_per_unit(frames, run, image_size(camera_id)[0]),
        )
        return replace(clip, truth=replace(clip.truth, is_metric=frames.is_metric))

    def _seen(
        self, frames: Frames, run: slice
    ) -> tuple[Float32[np.ndarray, "frames 17 2"], Float32[np.ndarray, "frames 17"]]:
        """Return keypoints with their scores as the file has them; 1 where it has none."""
        if self.keypoints == "gt":
            xy = frames.arrays["joint3d_image"][run][..., :2].astype(np.float32)
            return xy, np.ones(xy.shape[:2], np.float32)
        xy = frames.arrays["joint_2d"][run].astype(np.float32)
        if "confidence" not in frames.arrays:
            return xy, np.ones(xy.shape[:2], np.float32)
        return xy, frames.arrays["confidence"][run].astype(np.float32)


def _truth(frames: Frames, run: slice, width: int) -> Float64[np.ndarray, "frames 17 3"]:
    """Return joints in metres, or in units of the screen where the file tells no millimetres."""
    if frames.is_metric:
        return relative(frames.arrays["joints_2.5d_image"][run]) / 1000
    return relative(frames.arrays["joint3d_image"][run]) * (2 / width)


def _metres_per_unit(
    frames: Frames, run: slice, width: int
) -> Float64[np.ndarray, " frames"] | None:
    if not frames.is_metric:
        return None
    return frames.arrays["2.5d_factor"][run].astype(np.float64) * (width / 2 / 1000)


def open_h36m_sh(path: Path, options: DatasetOptions) -> H36MStackedHourglass:
    """Read and check the pickle.

    Args:
        path: The pickle, plain or zipped, or a folder that holds it.
        options: `keypoints` chooses the detections or the true 2D.

    Raises:
        InputError: A file that is missing or not what it should be.
        UnknownNameError: Other keypoints than `KEYPOINTS`.
    """
    keypoints = chosen_keypoints(options, KEYPOINTS)
    splits, findings = _read(path)
    refuse(findings)
    return H36MStackedHourglass(
        splits={frames.name: frames for frames in splits}, keypoints=keypoints
    )


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return all that is wrong with the pickle, a line each."""
    del options
    return _read(path)[1]


def _read(path: Path) -> tuple[list[Frames], list[str]]:
    try:
        splits = read_frames(find_pickle(path))
    except InputError as error:
        return [], [str(error)]
    for frames in splits:
        if not frames.findings.lines():
            check_frames(frames)
    return splits, [line for frames in splits for line in frames.findings.lines()]


DATASETS.add(
    "h36m-sh",
    DatasetEntry(
        open=open_h36m_sh,
        check=check,
        title="Human3.6M, in MotionBERT's pickle",
        source="MotionBERT's docs/pose3d.md has a link to it; Human3.6M's terms hold "
        "(vision.imar.ro/human3.6m: registration, academic use only)",
        files=(f"{FILE}, plain or zipped: train and test, arrays over all frames of all videos",),
        protocols=("motionbert",),
        keypoints=KEYPOINTS,
    ),
)
