"""Human3.6M in VideoPose3D's files: world-space motion and 2D keypoints of four cameras.

Once open, the motion takes 0.2 GB and one set of 2D keypoints 0.3 GB (0.4 GB with S2 to S4).
Clips are made when their turn comes.

Source: VideoPose3D, data/prepare_data_h36m.py and run.py, for the layout of the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    clip_of,
    first_says,
)
from pose3d_cli.learn.h36m_cameras import CAMERAS, FPS, camera, image_size, world_to_camera
from pose3d_cli.learn.h36m_checks import check_2d, check_3d
from pose3d_cli.learn.h36m_npz import (
    FILE_3D,
    KEPT,
    KEYPOINTS,
    TrialFile,
    action_of,
    find_files,
    in_order,
    keypoints_as_h36m,
    lacking,
    read_2d,
    read_3d,
)
from pose3d_cli.learn.recognise import refuse
from pose3d_cli.pose.skeleton import H36M17

SUBJECTS: dict[Split, tuple[str, ...]] = {
    "train": ("S1", "S5", "S6", "S7", "S8"),
    "test": ("S9", "S11"),
}
"""Who is in which split."""


@dataclass(frozen=True, kw_only=True, eq=False)
class H36M:
    """The clips of two files that were found to be sound.

    Attributes:
        motion: 3D positions of 32 joints, metres, world axes.
        keypoints: Pixels in each camera, at least as many frames as of motion.
        joints: What the keypoints are, in the file's order.
    """

    motion: TrialFile
    keypoints: TrialFile
    joints: tuple[str, ...]

    def clips(self, split: Split) -> Iterator[Clip]:
        """Return the clips of a split: by subject, action, trial and camera.

        Detections that go on after the motion are cut. A joint that the 2D has not is NaN in the
        truth too, as the field leaves it out (the nose, for Stacked Hourglass).

        Raises:
            SettingsError: The split `val`, which Human3.6M has not.
        """
        if split not in SUBJECTS:
            told = " and ".join(f"{name} ({', '.join(who)})" for name, who in SUBJECTS.items())
            raise SettingsError(f"--split {split}: Human3.6M has {told} only")
        clips = (
            self._clip(subject, trial, place, camera_id)
            for subject in SUBJECTS[split]
            for trial in in_order(self.motion.trials[subject])
            for place, camera_id in enumerate(CAMERAS)
        )
        return first_says(clips, lambda _: self._notes(split))

    def _notes(self, split: Split) -> list[str]:
        """Return which joints and frames of the files are not measured."""
        notes = []
        if lacking(self.joints).any():
            names = [H36M17.joints[place] for place in np.flatnonzero(lacking(self.joints))]
            notes.append(f"{self.keypoints.path.name}: has no {', '.join(names)}; not measured")
        longer = [
            len(view) - len(xyz)
            for subject in SUBJECTS[split]
            for trial, xyz in self.motion.trials[subject].items()
            for view in self.keypoints.trials[subject][trial]
            if len(view) > len(xyz)
        ]
        if longer:
            notes.append(
                f"{self.keypoints.path.name}: {sum(longer)} frames after the end of the motion "
                f"were cut, in {len(longer)} views"
            )
        return notes

    def _clip(self, subject: str, trial: str, place: int, camera_id: str) -> Clip:
        world = self.motion.trials[subject][trial][:, KEPT]
        seen = self.keypoints.trials[subject][trial][place][: len(world)]
        xy = keypoints_as_h36m(seen.astype(np.float32), self.joints)
        xyz = world_to_camera(world, subject, camera_id)
        xyz[:, lacking(self.joints)] = np.nan
        return clip_of(
            name=f"{subject}/{trial}/{camera_id}",
            subject=subject,
            action=action_of(trial),
            xy=xy,
            # None of these detections comes with a score.
            score=np.ones((len(xy), len(H36M17.joints)), np.float32),
            xyz=xyz,
            frame="camera",
            fps=FPS,
            image_size=image_size(camera_id),
            camera=camera(camera_id),
            take=f"{subject}/{trial}",
        )


def open_h36m(path: Path, options: DatasetOptions) -> H36M:
    """Read and check both files.

    Args:
        path: The folder of the files, or the 3D file, beside which the 2D lies.
        options: `keypoints` chooses the 2D.

    Raises:
        InputError: Files that are missing or not what they should be.
        UnknownNameError: Keypoints of a name that is neither known nor there.
    """
    files, joints, findings = _read(path, options)
    refuse(findings)
    motion, keypoints = files
    return H36M(motion=motion, keypoints=keypoints, joints=joints)


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return all that is wrong with the files, a line each.

    Raises:
        UnknownNameError: Keypoints of a name that is neither known nor there.
    """
    return _read(path, options)[2]


def _read(
    path: Path, options: DatasetOptions
) -> tuple[list[TrialFile], tuple[str, ...], list[str]]:
    """Return the files that could be read, the joints of the 2D, and what is wrong."""
    files: list[TrialFile] = []
    findings: list[str] = []
    try:
        paths = find_files(path, options.keypoints)
    except InputError as error:
        return files, (), [str(error)]
    for file, reader in zip(paths, (read_3d, read_2d), strict=True):
        try:
            files.append(reader(file))
        except InputError as error:
            findings.append(str(error))
    if findings:
        return files, (), findings
    motion, keypoints = files
    check_3d(motion)
    joints = check_2d(keypoints, motion)
    return files, joints, [*motion.findings.lines(), *keypoints.findings.lines()]


DATASETS.add(
    "h36m",
    DatasetEntry(
        open=open_h36m,
        check=check,
        title="Human3.6M, in VideoPose3D's files",
        source="vision.imar.ro/human3.6m, after registration, for academic use only; VideoPose3D's "
        "DATASETS.md says how its files are made and where detections are",
        files=(
            f"{FILE_3D}: positions_3d, {{subject: {{trial: (frames, 32, 3) metres, world}}}}",
            *(
                f"data_2d_h36m_{end}.npz: positions_2d, pixels, and metadata (--keypoints {name})"
                for name, end in KEYPOINTS.items()
            ),
        ),
        protocols=("videopose3d",),
        keypoints=tuple(KEYPOINTS),
    ),
)
