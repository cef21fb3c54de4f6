"""A folder of the user's own recordings with 3D truth, each found by its name.

A take is a recording by one camera. Its files share a name; of a take called `walk`:

- 2D: `walk_keypoints.npz`, as `pose3d lift` and `pose3d data detect` write it, or `walk.json` of
  COCO, MMPose or AlphaPose. JSON says neither rate nor size: `walk.mp4` beside it does, or `fps`
  and `image_size` in `walk.toml`. Of a take with `walk.mp4` alone the detector looks at the video,
  each time anew.
- Truth: one of `walk.npz` or `walk_truth.npz` (`xyz_camera`, as `pose3d eval --truth` reads it),
  `walk.trc` (OpenSim, Pose2Sim), `walk.c3d` (Vicon, Qualisys), `walk.csv` (columns time_s or
  frame, joint, x, y, z; or left_knee_x and so on). Joints are found by name; see `marker_names`.
- Camera and other settings: `walk.toml`, or `camera.toml` for all takes, both optional.

Where several cameras saw one motion, takes are called MOTION_CAMERA and share the truth of MOTION:
`walk_cam01_keypoints.npz` and `walk_cam03_keypoints.npz` that of `walk.trc`. An npz must then name
its `cameras`. A folder of one motion may call it `truth`, and takes by their cameras: `cam01`. Each
camera's settings may stand in `cam01.toml`, those of a motion in `walk.toml`; what is more
particular overrules: camera.toml, MOTION.toml, CAMERA.toml, NAME.toml.

With `--keypoints true` the truth stands in the detector's place, through the lens: in the frames
that the keypoints have, or the video where there are none. The camera must be known for that.

Takes lie in the folder itself, or in `train`, `val` and `test` in it; in itself, all are `test`.

Settings of a TOML file, all optional:

    matrix = [[1681.2, 0, 533.0], [0, 1681.1, 948.1], [0, 0, 1]]   # as for --intrinsics
    distortion = [-0.0007, 0.0022, 0.0, 0.0]
    image_size = [1088, 1920]
    fov = 60.0                # degrees across the longer side, where there is no matrix
    rotation = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]   # world to camera; or a vector, as OpenCV's
    translation = [0, 1, 3]   # metres: x_camera = rotation x_world + translation
    truth_axes = ["y", "z", "x"]   # where the truth's axes are other ones of the calibration's
    offset_s = 0.25           # added to the truth's times
    person = 0                # in the keypoints; otherwise who is nearest to the truth
    subject = "Ann"
    action = "walking"        # figures are told by it
    fps = 30.0                # of JSON without a video

Axes. An npz is in camera axes: x right, y down, z forward. TRC, C3D and CSV are in a world's axes;
`rotation` and `translation` bring them to the camera's. The world is that of the truth's file.
Where the calibration has another, `truth_axes` says which of its axes x, y and z of the truth are:
Pose2Sim writes a TRC with Y up from a calibration with Z up, which is `["y", "z", "x"]`. Without
them an answer is turned to the truth, by one rotation for the whole clip; then only P-MPJPE, which
is blind to turns, means what it means elsewhere.

Time. The video's time 0 is the truth's time 0, unless `offset_s` says otherwise; a row of truth has
the time that its file writes (C3D: frame 1 is time 0). The truth is taken at the keypoints' rows,
by straight lines in time; rows outside it, or in a gap of it, are not measured. `frame` of an npz
or a CSV counts the video's frames, from 0; that of an npz whose `fps` is another counts its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.shelf import DETECTORS, USUAL
from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    chosen_keypoints,
)
from pose3d_cli.learn.recognise import refuse
from pose3d_cli.learn.recordings.find import TakeFiles, find_takes
from pose3d_cli.learn.recordings.load import faults_of, load_take
from pose3d_cli.learn.recordings.seen import Seen

SPLITS: tuple[Split, ...] = ("train", "val", "test")
KEYPOINTS = get_args(Seen)


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """Takes of a user.

    Attributes:
        folder: Where they are.
        takes: The files of each, by split.
        seen: What lifters get to see.
    """

    folder: Path
    takes: dict[Split, list[TakeFiles]]
    seen: Seen = "found"

    def clips(self, split: Split) -> Iterator[Clip]:
        """Yield the takes of a split, in the order of their names.

        Truth in axes of a world (frame `world`) is that of takes whose camera stands nobody knows
        where: figures that are not blind to turns mean little there.

        Raises:
            InputError: No takes in the split, a file that cannot be read, or files that do not
                belong together.
            MissingExtraError: A truth that needs a package which is not installed.
            NobodyFoundError: A video without keypoints, in which nobody was found.
        """
        takes = self._takes(split)
        is_looked_at = self.seen == "found" and any(take.keypoints is None for take in takes)
        detector = DETECTORS.get(USUAL)(DetectorOptions()) if is_looked_at else None
        for files in takes:
            yield load_take(files, self.seen, detector)

    def _takes(self, split: Split) -> list[TakeFiles]:
        if not self.takes.get(split):
            there = ", ".join(name for name, takes in self.takes.items() if takes)
            raise InputError(
                f"{self.folder}: no takes in the split {split!r} (there are some in {there}); "
                f"takes in {self.folder / split} are of it"
            )
        return self.takes[split]


def open_folder(path: Path, options: DatasetOptions) -> Recordings:
    """Return the recordings of a folder.

    Args:
        path: Where they are.
        options: `keypoints` chooses what lifters get to see.

    Raises:
        InputError: No such folder, no takes in it, or takes that lack a file.
        UnknownNameError: Other keypoints than `KEYPOINTS`.
    """
    seen = _seen(options)
    takes, findings = _found(path)
    refuse(findings)
    return Recordings(folder=path, takes=takes, seen=seen)


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return what is wrong with a folder of recordings, a line each; looks for nobody in videos.

    Raises:
        UnknownNameError: Other keypoints than `KEYPOINTS`.
    """
    seen = _seen(options)
    try:
        takes, findings = _found(path)
    except InputError as error:
        return [str(error)]
    files = [take for split in takes.values() for take in split]
    faults = (fault for take in files for fault in faults_of(take, seen))
    return list(dict.fromkeys([*findings, *faults]))  # views share a truth, and its faults


def _is_quick(path: Path) -> bool:
    """Return whether all takes have keypoints."""
    return all(take.keypoints for takes in _found(path)[0].values() for take in takes)


def _seen(options: DatasetOptions) -> Seen:
    return "true" if chosen_keypoints(options, KEYPOINTS) == "true" else "found"


def _found(path: Path) -> tuple[dict[Split, list[TakeFiles]], list[str]]:
    """Return the takes of each split, and what is wrong with their files."""
    if not path.is_dir():
        raise InputError(f"{path}: no folder; give one that holds your recordings")
    parts = {split: path / split for split in SPLITS if (path / split).is_dir()}
    takes: dict[Split, list[TakeFiles]] = {}
    findings: list[str] = []
    for split, folder in (parts or {SPLITS[-1]: path}).items():
        takes[split], wrong = find_takes(folder)
        findings += wrong
    if parts and (beside := find_takes(path)[0]):
        findings.append(
            f"{path}: has takes beside the folders {', '.join(parts)}, such as {beside[0].name}; "
            "move them into one of these"
        )
    if not findings and not any(takes.values()):
        raise InputError(
            f"{path}: no takes here. A take is NAME.mp4 or NAME_keypoints.npz (`pose3d data detect "
            f"{path} -o {path}` makes it) with its truth NAME.npz, .trc, .c3d or .csv"
        )
    return takes, findings


DATASETS.add(
    "folder",
    DatasetEntry(
        open=open_folder,
        check=check,
        title="a folder of your own recordings with 3D truth",
        source="your own cameras and motion capture",
        files=(
            "NAME_keypoints.npz: 2D, from `pose3d data detect DIR -o DIR`; NAME.json (COCO, "
            "MMPose, AlphaPose); or NAME.mp4 alone, which is then looked at",
            "NAME.npz or NAME_truth.npz (xyz_camera, metres), NAME.trc, NAME.c3d or NAME.csv: 3D",
            "NAME.toml or camera.toml: matrix, distortion as for --intrinsics; rotation and "
            "translation (metres) if the truth is in axes of a world; offset_s",
            "MOTION_CAMERA_keypoints.npz: one of several views that share the truth of MOTION",
        ),
        protocols=("own", "limbs"),
        keypoints=KEYPOINTS,
        is_quick=_is_quick,
    ),
)
