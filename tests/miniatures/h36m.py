"""Miniatures of Human3.6M's files: every key, type and nesting of the real ones, made-up motion.

The subjects' bodies walk through made-up postures in the middle of the room that the real cameras
look at. A trial has some dozen frames instead of thousands.
"""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pose3d_cli.learn.h36m_cameras import CAMERAS, SUBJECTS, camera, world_to_camera
from pose3d_cli.learn.synthetic.bodies import draw_lengths, with_lengths
from pose3d_cli.learn.synthetic.postures import draw_postures
from pose3d_cli.pose.dataset_joints import MPII16
from pose3d_cli.pose.skeleton import COCO17, H36M17

TRIALS = {"Directions": 40, "Directions 1": 12, "Photo 1": 29, "WalkDog": 27, "WalkTogether 2": 55}
"""Frames of each trial: shorter than a window of 27, as long, and with tails behind one and two."""

NOISE_PX = {"cpn_ft_h36m_dbb": 3.0, "sh_ft_h36m": 4.0, "sh_pt_mpii": 6.0}
"""Detectors' noise; that of others is 5."""

# The 32 joints: which h36m17's are where, and how the others hang on them.
_OF_32 = {
    "pelvis": (0, 11), "right_hip": (1,), "right_knee": (2,), "right_ankle": (3,), "left_hip": (6,),
    "left_knee": (7,), "left_ankle": (8,), "spine": (12,), "thorax": (13, 16, 24), "nose": (14,),
    "head": (15,), "left_shoulder": (17,), "left_elbow": (18,), "left_wrist": (19, 20),
    "right_shoulder": (25,), "right_elbow": (26,), "right_wrist": (27, 28),
}  # fmt: skip
_TOES = {"right_ankle": (4, 5), "left_ankle": (9, 10)}
_FINGERS = {"left_wrist": (21, 22, 23), "right_wrist": (29, 30, 31)}


def place(joint: str) -> int:
    return H36M17.index(joint)


@cache
def world(subject: str, trial: str, frames: int) -> np.ndarray:
    """Joints (frames, 17, 3) of a made-up motion: metres, z up, float64."""
    random = torch.Generator().manual_seed(sum(map(ord, f"{subject}/{trial}")))
    pose = draw_postures(1, frames, frames / 50, random)
    body = with_lengths(pose, draw_lengths(1, random))[0].double().numpy()
    turn = float(torch.rand(1, generator=random)) * 2 * np.pi
    about_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    steps = np.linspace(-0.3, 0.3, frames)[:, None] * [1.0, 0.7, 0.0]
    return body @ np.array(about_z).T + (steps + np.array([0.1, 0.3, 0.9]))[:, None]


def all_32(xyz: np.ndarray) -> np.ndarray:
    """The 32 joints of motion capture: toes point forwards, fingers go on from the arm."""
    at = {joint: xyz[:, place(joint)] for joint in H36M17.joints}
    up = at["thorax"] - at["pelvis"]
    forward = np.cross(up, at["right_hip"] - at["left_hip"])
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    out = np.full((len(xyz), 32, 3), np.nan)
    for joint, places in _OF_32.items():
        out[:, list(places)] = at[joint][:, None]
    for ankle, places in _TOES.items():
        for toe, length in zip(places, (0.15, 0.2), strict=True):
            out[:, toe] = at[ankle] + length * forward
    for wrist, places in _FINGERS.items():
        elbow = at[wrist.replace("wrist", "elbow")]
        out[:, list(places)] = (at[wrist] + 0.3 * (at[wrist] - elbow))[:, None]
    return out


def seen_as(joints: tuple[str, ...], xyz: np.ndarray) -> np.ndarray:
    """The joints of a detector's order, from h36m17's; eyes and ears stand round the nose."""
    at = {joint: xyz[:, place(joint)] for joint in H36M17.joints}
    right = at["right_shoulder"] - at["left_shoulder"]
    up = at["head"] - at["thorax"]
    for side, sign in (("left", -1), ("right", 1)):
        at[f"{side}_eye"] = at["nose"] + sign * 0.1 * right + 0.15 * up
        at[f"{side}_ear"] = at["nose"] + sign * 0.2 * right + 0.1 * up
    at["neck"] = (at["thorax"] + at["nose"]) / 2
    return np.stack([at[joint] for joint in joints], 1)


def published_projection(xyz: np.ndarray, camera_id: str) -> np.ndarray:
    """Pixels by the formula that the true 2D was made with; its tangential terms are its own."""
    lens = camera(camera_id)
    k1, k2, p1, p2, k3 = lens.distortion
    ray = np.clip(xyz[..., :2] / xyz[..., 2:], -1, 1)
    r2 = (ray**2).sum(-1, keepdims=True)
    scale = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + (ray * [p1, p2]).sum(-1, keepdims=True)
    return lens.focal_px * (ray * scale + np.array([p1, p2]) * r2) + lens.centre_px


def positions_3d(trials: dict[str, int] = TRIALS) -> dict[str, dict[str, np.ndarray]]:
    """What `data_3d_h36m.npz` holds; S11 lacks `Directions`."""
    return {
        subject: {
            trial: all_32(world(subject, trial, frames)).astype(np.float32)
            for trial, frames in trials.items()
            if (subject, trial) != ("S11", "Directions")
        }
        for subject in SUBJECTS
    }


_ORDERS = {"sh_ft_h36m": MPII16, "sh_pt_mpii": MPII16, "detectron_pt_coco": COCO17.joints}


def positions_2d(
    keypoints: str, trials: dict[str, int] = TRIALS
) -> dict[str, dict[str, list[np.ndarray]]]:
    """What a 2D file holds; of detections some go on after the motion, and S2 to S4 are there."""
    order = _ORDERS.get(keypoints, H36M17.joints)
    random = np.random.default_rng(7)
    positions = {}
    for subject in SUBJECTS:
        positions[subject] = {}
        for trial, frames in trials.items():
            if (subject, trial) == ("S11", "Directions"):
                continue
            cameras = []
            for number, camera_id in enumerate(CAMERAS):
                in_camera = world_to_camera(world(subject, trial, frames), subject, camera_id)
                xy = published_projection(seen_as(order, in_camera.astype(np.float64)), camera_id)
                if keypoints != "gt":
                    late = np.repeat(xy[-1:], number, axis=0)
                    xy = np.concatenate([xy, late]) if subject == "S9" else xy
                    xy = xy + random.normal(0, NOISE_PX.get(keypoints, 5.0), xy.shape)
                cameras.append(xy.astype(np.float32))
            positions[subject][trial] = cameras
    if keypoints == "cpn_ft_h36m_dbb":
        unlabelled = [np.full((9, 17, 2), 500, np.float32) for _ in CAMERAS]
        positions |= {subject: {"Eating": unlabelled} for subject in ("S2", "S3", "S4")}
    return positions


def metadata(keypoints: str) -> dict[str, Any]:
    """Metadata as the files have them: `layout_name` is in those of `prepare_data_2d_h36m_generic`.

    The lists are written out, as facts to test the program's own names of joints by.
    """
    if keypoints.startswith("sh_"):
        sides = [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]
        return {"num_joints": 16, "keypoints_symmetry": sides}
    if keypoints == "detectron_pt_coco":
        sides = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
        return {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": sides}
    sides = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
    own = {"num_joints": 17, "keypoints_symmetry": sides}
    return own if keypoints == "gt" else {"layout_name": "h36m", **own}


def save_3d(folder: Path, positions: Any) -> Path:
    path = folder / "data_3d_h36m.npz"
    np.savez_compressed(path, positions_3d=positions)
    return path


def save_2d(folder: Path, keypoints: str, positions: Any, about: Any = None) -> Path:
    path = folder / f"data_2d_h36m_{keypoints}.npz"
    about = metadata(keypoints) if about is None else about
    np.savez_compressed(path, positions_2d=positions, metadata=about)
    return path


def write_videopose3d(
    folder: Path,
    keypoints: tuple[str, ...] = ("cpn_ft_h36m_dbb", "gt"),
    trials: dict[str, int] = TRIALS,
) -> Path:
    """Write `data_3d_h36m.npz` and 2D files beside it; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_3d(folder, positions_3d(trials))
    for name in keypoints:
        save_2d(folder, name, positions_2d(name, trials))
    return folder


SEQUENCES = {
    "train": {"s_01_act_02_subact_01": 30, "s_05_act_12_subact_02": 81},
    "test": {
        "s_09_act_05_subact_02": 31,  # one of the three that the field leaves out
        "s_09_act_02_subact_01": 20,
        "s_11_act_15_subact_01": 60,
    },
}
"""Frames of each sequence of the pickle; sequence names as LCN numbers subjects and actions."""

_SUFFIX = {"train": "cam", "test": "ca"}


def in_scaled_image(xyz_mm: np.ndarray, camera_id: str) -> tuple[np.ndarray, np.ndarray]:
    """`joint3d_image` and `2.5d_factor` of joints in camera axes.

    A square of 2000 mm round the pelvis, at its depth, is projected without the lens; the width of
    its picture plus a pixel is how many pixels 2000 mm are. By these depth is scaled.
    """
    lens = camera(camera_id)
    pelvis = xyz_mm[:, 0]
    corners = [(pelvis[:, 0] + side) / pelvis[:, 2] * lens.focal_px[0] for side in (-1000, 1000)]
    px_of_mm = (corners[1] - corners[0] + 1) / 2000
    xy = xyz_mm[..., :2] / xyz_mm[..., 2:] * lens.focal_px + lens.centre_px
    depth = px_of_mm[:, None] * (xyz_mm[..., 2] - pelvis[:, None, 2])
    return np.concatenate([xy, depth[..., None]], -1), 1 / px_of_mm


def sh_split(split: str, sequences: dict[str, int]) -> dict[str, Any]:
    """A split of the pickle; only the test split tells millimetres and actions."""
    random = np.random.default_rng(11)
    parts: dict[str, list[np.ndarray]] = {}
    for sequence, frames in sequences.items():
        numbers = [int(word) for word in sequence.split("_")[1::2]]
        for at, camera_id in enumerate(CAMERAS, 1):
            motion = world(f"S{numbers[0]}", sequence, frames)
            xyz_mm = world_to_camera(motion, f"S{numbers[0]}", camera_id).astype(np.float64) * 1000
            image, factor = in_scaled_image(xyz_mm, camera_id)
            found = published_projection(xyz_mm, camera_id) + random.normal(0, 4, (frames, 17, 2))
            name = f"{sequence}_{_SUFFIX[split]}_{at:02d}"
            rows = {
                "joint_2d": found.astype(np.float32),
                "confidence": random.uniform(0.3, 1, (frames, 17, 1)).astype(np.float32),
                "joint3d_image": image.astype(np.float32),
                "camera_name": np.array([camera_id] * frames),
                "source": np.array([name] * frames),
            }
            if split == "test":
                rows["joints_2.5d_image"] = factor[:, None, None] * image
                rows["2.5d_factor"] = factor
                rows["action"] = np.full(frames, numbers[1])
            for key, value in rows.items():
                parts.setdefault(key, []).append(value)
    return {key: np.concatenate(values) for key, values in parts.items()}


def sh_contents(sequences: dict[str, dict[str, int]] = SEQUENCES) -> dict[str, dict[str, Any]]:
    """What MotionBERT's pickle holds: arrays over the frames of all videos, one after another."""
    return {split: sh_split(split, own) for split, own in sequences.items()}


def save_sh(path: Path, contents: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(contents, protocol=protocol))
    return path


def write_sh(folder: Path, sequences: dict[str, dict[str, int]] = SEQUENCES) -> Path:
    """Write MotionBERT's pickle; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    return save_sh(folder / "h36m_sh_conf_cam_source_final.pkl", sh_contents(sequences))
