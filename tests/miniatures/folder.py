"""A small folder of recordings: somebody standing before a camera, drifting and waving evenly.

Every joint moves in a straight line at its own even speed, so truth at any rate tells where it is
at any time exactly.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.learn.clip import Clip, DatasetOptions, Split
from pose3d_cli.learn.datasets.folder import open_folder
from pose3d_cli.pose.skeleton import COCO17, H36M17
from pose3d_cli.pose.types import Keypoints2D

# World: y up, metres. Facing +z, so the left side is at +x.
STANDING = {
    "pelvis": (0, 1.0, 0), "right_hip": (-0.1, 1.0, 0), "right_knee": (-0.1, 0.55, 0.02),
    "right_ankle": (-0.1, 0.1, 0), "left_hip": (0.1, 1.0, 0), "left_knee": (0.1, 0.55, 0.02),
    "left_ankle": (0.1, 0.1, 0), "spine": (0, 1.22, 0), "thorax": (0, 1.45, 0),
    "nose": (0, 1.58, 0.1), "head": (0, 1.7, 0), "left_shoulder": (0.18, 1.4, 0),
    "left_elbow": (0.25, 1.15, 0), "left_wrist": (0.27, 0.9, 0.1),
    "right_shoulder": (-0.18, 1.4, 0), "right_elbow": (-0.25, 1.15, 0),
    "right_wrist": (-0.27, 0.9, 0.1),
}  # fmt: skip

DRIFT_M_S = (0.2, 0.0, 0.1)
WAVE_M_S = (0.0, 0.25, 0.0)
"""What the left wrist adds to the drift."""

# The camera: 1 m up, 3 m in front of the person, looking level at them.
ROTATION = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])
TRANSLATION = np.array([0.0, 1.0, 3.0])
SIZE = (640, 480)
MATRIX = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
CAMERA = f"matrix = {MATRIX.tolist()}\n"
PLACE = f"rotation = {ROTATION.tolist()}\ntranslation = {TRANSLATION.tolist()}\n"

POSE2SIM = {
    "pelvis": "CHip", "right_hip": "RHip", "right_knee": "RKnee", "right_ankle": "RAnkle",
    "left_hip": "LHip", "left_knee": "LKnee", "left_ankle": "LAnkle", "thorax": "Neck",
    "nose": "Nose", "head": "Head", "left_shoulder": "LShoulder", "left_elbow": "LElbow",
    "left_wrist": "LWrist", "right_shoulder": "RShoulder", "right_elbow": "RElbow",
    "right_wrist": "RWrist",
}  # fmt: skip
"""Joints by the names of Pose2Sim's markers, which have no spine."""


def times(rate_hz: float, seconds: float, start_s: float = 0.0) -> np.ndarray:
    return start_s + np.arange(round(seconds * rate_hz)) / rate_hz


def person_at(time_s: np.ndarray) -> np.ndarray:
    """Return joints (times, 17, 3), world."""
    xyz = np.array([STANDING[joint] for joint in H36M17.joints], np.float64)
    moved = xyz + np.multiply.outer(time_s, DRIFT_M_S)[:, None]
    moved[:, H36M17.index("left_wrist")] += np.multiply.outer(time_s, WAVE_M_S)
    return moved


def to_camera(xyz: np.ndarray) -> np.ndarray:
    return xyz @ ROTATION.T + TRANSLATION


def seen_at(time_s: np.ndarray, fps: float, person: int = 0, shift_px: float = 0.0) -> Keypoints2D:
    """Return keypoints without error, but for a shift to the right."""
    xyz = to_camera(person_at(time_s))
    pixels = xyz @ MATRIX.T
    xy = (pixels[..., :2] / pixels[..., 2:] + (shift_px, 0)).astype(np.float32)
    return Keypoints2D(
        xy=xy,
        score=np.ones(xy.shape[:2], np.float32),
        frames=np.round(time_s * fps).astype(np.int64),
        time_s=time_s,
        fps=float(fps),
        image_size=SIZE,
        skeleton=H36M17,
        person=person,
    )


def write_seen(
    folder: Path, name: str = "walk", *, fps: float = 30.0, seconds: float = 1.0
) -> Path:
    path = folder / f"{name}_keypoints.npz"
    write_keypoints(path, [seen_at(times(fps, seconds), fps)], {})
    return path


def write_settings(
    folder: Path, name: str = "walk", more: str = "", *, placed: bool = True
) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(CAMERA + (PLACE if placed else "") + more)
    return path


def write_npz(path: Path, time_s: np.ndarray, fps: float, **more: np.ndarray) -> Path:
    xyz = to_camera(person_at(time_s)).astype(np.float32)
    frame = np.round(time_s * fps).astype(np.int64)
    arrays = {"xyz_camera": xyz[None], "frame": frame, "fps": np.array(fps), **more}
    np.savez(path, **arrays)
    return path


def write_trc(
    path: Path,
    time_s: np.ndarray,
    rate_hz: float,
    *,
    unit: str = "mm",
    said: str = "",
    end: str = "",
) -> Path:
    """Write Pose2Sim's markers; `said` is the unit of the header, if it is a lie."""
    per_metre = {"m": 1, "cm": 100, "mm": 1000}[unit]
    places = [H36M17.index(joint) for joint in POSE2SIM]
    xyz = person_at(time_s)[:, places] * per_metre
    n = len(POSE2SIM)
    axes = "\t".join(f"{axis}{i + 1}" for i in range(n) for axis in "XYZ")
    rows = [
        f"{round(t * rate_hz) + 1}\t{t:.6f}\t" + "\t".join(f"{v:.6f}" for v in row.ravel()) + end
        for t, row in zip(time_s, xyz, strict=True)
    ]
    keys = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame"
    values = [rate_hz, rate_hz, len(rows), n, said or unit, rate_hz, 1, len(rows)]
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "\t".join([*keys.split(), "OrigNumFrames"]),
        "\t".join(str(value) for value in values),
        "Frame#\tTime\t" + "\t\t\t".join(POSE2SIM.values()) + "\t\t",
        f"\t\t{axes}",
        "",
        *rows,
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_tidy(path: Path, time_s: np.ndarray) -> Path:
    lines = ["time_s,joint,x,y,z"]
    for t, pose in zip(time_s, person_at(time_s), strict=True):
        for joint, xyz in zip(H36M17.joints, pose, strict=True):
            lines.append(f"{t:.6f},{joint},{xyz[0]:.6f},{xyz[1]:.6f},{xyz[2]:.6f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_c3d(path: Path, time_s: np.ndarray, rate_hz: float, names: dict[str, str]) -> Path:
    """Write joints by other names, millimetres, z up, as Plug-in Gait does; needs ezc3d."""
    import ezc3d

    x, y, z = np.moveaxis(person_at(time_s)[:, [H36M17.index(joint) for joint in names]], -1, 0)
    points = np.stack([x, -z, y, np.ones_like(x) / 1000], -1) * 1000
    file = ezc3d.c3d()
    about = file["parameters"]["POINT"]
    about["RATE"]["value"], about["UNITS"]["value"] = [rate_hz], ["mm"]
    about["LABELS"]["value"] = list(names.values())
    file["data"]["points"] = points.transpose(2, 1, 0)
    file["header"]["points"]["first_frame"] = round(float(time_s[0]) * rate_hz)
    file.write(str(path))
    return path


def write_json(path: Path, n_frames: int = 10) -> None:
    """Write COCO's joints as AlphaPose does; eyes and ears are where the nose is."""
    seen = seen_at(times(30, n_frames / 30), 30)
    places = [
        H36M17.index(j) if j in H36M17.joints else H36M17.index("nose") for j in COCO17.joints
    ]
    people = [
        {
            "image_id": f"{frame}.jpg",
            "keypoints": [float(v) for x, y in seen.xy[frame, places] for v in (x, y, 0.9)],
        }
        for frame in range(n_frames)
    ]
    path.write_text(json.dumps(people))


def clips(path: Path, split: Split = "test") -> list[Clip]:
    return list(open_folder(path, DatasetOptions()).clips(split))


def only_clip(path: Path) -> Clip:
    (clip,) = clips(path)
    return clip


def notes(path: Path) -> list[str]:
    return [note for clip in clips(path) for note in clip.notes]
