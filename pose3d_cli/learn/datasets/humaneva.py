"""HumanEva-I in the form of VideoPose3D: `data_3d_humaneva15.npz` and two files of 2D.

The truth is in the axes of the room, and the files do not say where the cameras stand. They hold
projections of the truth, though, from which camera, place and lens follow: one calibration for each
subject and camera, of all that the files have of them. All is read at once, about 50 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

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
from pose3d_cli.learn.file_words import HUMANEVA_2D
from pose3d_cli.learn.fit_camera import PlacedCamera, fit_placed_camera
from pose3d_cli.learn.humaneva_file import (
    CAMERAS,
    SIZE_PX,
    Seen,
    Truth,
    chunk_order,
    read_seen,
    read_truth,
)
from pose3d_cli.learn.recognise import refuse, what_is
from pose3d_cli.learn.videopose3d_npz import keypoints_alone
from pose3d_cli.pose.dataset_joints import HUMANEVA15, coco_to_h36m, to_h36m
from pose3d_cli.pose.skeleton import COCO17

FPS = 60.0
ACTIONS = ("Walking", "Jog", "Box")
"""What papers measure; the files also have gestures and ball games."""

KEYPOINTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "detectron": ("detectron_pt_coco", COCO17.joints),
    "gt": ("gt", HUMANEVA15),
}
"""Short names of 2D keypoints, the usual ones first; how their files' names end; their joints."""

_SPLITS: Mapping[Split, str] = {"train": "Train", "test": "Validate"}
_FILE_3D = "data_3d_humaneva15.npz"
_BEGINNING_2D = "data_2d_humaneva15_"
_SHORT = {end: name for name, (end, _) in KEYPOINTS.items()}

# Elbows, knees and thorax of the 2D are means of two projections, not projections of the mean.
_PROJECTED = [
    place
    for place, joint in enumerate(HUMANEVA15)
    if not joint.endswith(("elbow", "knee", "thorax"))
]


@dataclass(frozen=True, kw_only=True, eq=False)
class HumanEva:
    """The chunks of walks, jogs and boxes, each in three cameras.

    Attributes:
        truth: Metres, the room's axes.
        seen: 2D keypoints.
        joints: Their order.
        cameras: By subject (`S1`) and camera (`C1`).
    """

    truth: Truth
    seen: Seen
    joints: tuple[str, ...]
    cameras: Mapping[tuple[str, str], PlacedCamera]

    def clips(self, split: Split) -> Iterator[Clip]:
        """Return the clips of a split: by subject, action, trial, chunk and camera.

        Raises:
            InputError: The files have nothing of the split.
            SettingsError: A split that the data set does not have.
        """
        if split not in _SPLITS:
            raise SettingsError(f"--split {split}: humaneva has only {' and '.join(_SPLITS)}")
        part = _SPLITS[split]
        chunks = [
            (subject, chunk)
            for subject, own in self.truth.items()
            for chunk in own
            if subject.startswith(part) and chunk_order(chunk)[0] in ACTIONS
        ]
        if not chunks:
            raise InputError(f"{_FILE_3D}: has no {' or '.join(ACTIONS)} of {part}/S1 to {part}/S3")
        clips = (
            self._clip(subject, chunk, camera) for subject, chunk in chunks for camera in CAMERAS
        )
        return first_says(clips, self._notes)

    def _notes(self, first: Clip) -> list[str]:
        """Return where the cameras come from, and what is filled in or left out."""
        camera = self.cameras[first.subject, first.name.rpartition("/")[2]].camera
        return [
            "cameras are not in the files: each is fitted to the true 2D, and brings the truth "
            f"into its axes ({first.name}: {camera.source})",
            f"of the actions {', '.join(ACTIONS)} are measured; 2D has no score: 1 is filled in",
        ]

    def _clip(self, subject: str, chunk: str, camera: str) -> Clip:
        action, trial, _ = chunk_order(chunk)
        who = subject.partition("/")[2]
        placed = self.cameras[who, camera]
        xy = self.seen[subject][chunk][CAMERAS.index(camera)]
        is_coco = self.joints == COCO17.joints
        xy = coco_to_h36m(xy) if is_coco else to_h36m(xy, self.joints)
        xyz = placed.to_camera(self.truth[subject][chunk])
        return clip_of(
            name=f"{subject}/{chunk}/{camera}",
            subject=who,
            action=action,
            xy=xy,
            # Neither projections nor these detections come with a score.
            score=np.ones(xy.shape[:2], np.float32),
            xyz=to_h36m(xyz, HUMANEVA15, derive=False),
            frame="camera",
            fps=FPS,
            image_size=SIZE_PX,
            camera=placed.camera,
            take=f"{subject}/{action} {trial}",
        )


def open_humaneva(path: Path, options: DatasetOptions) -> HumanEva:
    """Read and check the files, and calibrate their cameras.

    Args:
        path: The folder of the files, or the 3D file, beside which the 2D lies.
        options: `keypoints` chooses the 2D.

    Raises:
        InputError: A file that is missing or not what it should be, or 2D that no camera makes of
            the 3D.
        UnknownNameError: Keypoints of a name that is not known.
    """
    dataset, findings = _examined(path, _keypoints(options))
    refuse(findings)
    return dataset


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return all that is wrong with the files, a line each.

    Raises:
        UnknownNameError: Keypoints of a name that is not known.
    """
    keypoints = _keypoints(options)
    try:
        return _examined(path, keypoints)[1]
    except InputError as error:
        return [str(error)]


def _keypoints(options: DatasetOptions) -> str:
    """Return the short name of the 2D keypoints that are wanted."""
    name = _SHORT.get(options.keypoints, options.keypoints)
    return chosen_keypoints(replace(options, keypoints=name), list(KEYPOINTS))


def _examined(path: Path, keypoints: str) -> tuple[HumanEva, list[str]]:
    """Return what the files hold, and what is wrong with them."""
    if path.is_file() and what_is(path) == HUMANEVA_2D:
        end = path.stem.removeprefix(_BEGINNING_2D)
        raise InputError(keypoints_alone(path, _SHORT.get(end, end), _FILE_3D))
    file_3d = path / _FILE_3D if path.is_dir() else path
    file_gt = _file_2d(file_3d, "gt")
    file_2d = _file_2d(file_3d, keypoints)
    why = {file_gt: "; its projections tell where the cameras stand"} if keypoints != "gt" else {}
    needed = dict.fromkeys((file_3d, file_gt, file_2d))
    missing = [f"{file}: no such file{why.get(file, '')}" for file in needed if not file.is_file()]
    if missing:
        return HumanEva(truth={}, seen={}, joints=(), cameras={}), missing
    truth, findings = read_truth(file_3d)
    projected, more = read_seen(file_gt, HUMANEVA15, truth)
    findings += more
    seen, joints = projected, KEYPOINTS[keypoints][1]
    if keypoints != "gt":
        seen, more = read_seen(file_2d, joints, truth)
        findings += more
    if findings:
        return HumanEva(truth=truth, seen=seen, joints=joints, cameras={}), findings
    cameras, faults = _cameras(truth, projected)
    dataset = HumanEva(truth=truth, seen=seen, joints=joints, cameras=cameras)
    return dataset, [f"{file_gt}: {fault} {file_3d.name}" for fault in faults]


def _file_2d(file_3d: Path, keypoints: str) -> Path:
    return file_3d.parent / f"{_BEGINNING_2D}{KEYPOINTS[keypoints][0]}.npz"


def _cameras(
    truth: Truth, projected: Seen
) -> tuple[dict[tuple[str, str], PlacedCamera], list[str]]:
    """Return each subject's cameras, and those that cannot be had of the projections."""
    cameras: dict[tuple[str, str], PlacedCamera] = {}
    faults = []
    for who in sorted({subject.partition("/")[2] for subject in truth}):
        own = [
            (truth[subject][chunk], projected[subject][chunk])
            for subject in truth
            if subject.endswith(f"/{who}")
            for chunk in truth[subject]
        ]
        xyz = np.concatenate([points for points, _ in own])
        for place, camera in enumerate(CAMERAS):
            xy = np.concatenate([views[place] for _, views in own])
            placed = fit_placed_camera(xy[:, _PROJECTED], xyz[:, _PROJECTED], SIZE_PX)
            if placed is None:
                faults.append(f"{who}/{camera}: no camera was found that makes this 2D of")
            else:
                cameras[who, camera] = placed
    return cameras, faults


DATASETS.add(
    "humaneva",
    DatasetEntry(
        open=open_humaneva,
        check=check,
        title="HumanEva-I, in VideoPose3D's files",
        source="humaneva.is.tue.mpg.de, after registration, for research only; VideoPose3D's "
        "DATASETS.md says how its files are made and where detections are",
        files=(
            f"{_FILE_3D}: positions_3d, {{subject: {{chunk: (frames, 15, 3) metres, room}}}}",
            "data_2d_humaneva15_gt.npz: positions_2d, pixels; always needed, for the cameras "
            "(--keypoints gt)",
            "data_2d_humaneva15_detectron_pt_coco.npz: Mask R-CNN (--keypoints detectron)",
        ),
        protocols=("humaneva",),
        keypoints=tuple(KEYPOINTS),
    ),
)
