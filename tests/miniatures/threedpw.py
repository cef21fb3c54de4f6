"""Sequences of 3DPW in small: all keys, orders, dtypes and nesting of the real pickles.

They were pickled by Python 2, whose text is bytes, and whose numpy had other module names.
"""

from __future__ import annotations

import pickle
import struct
from typing import ClassVar

import numpy as np

from tests.miniatures.walkers import named, stand, walk, walk_with_left_arm_up

OPENPOSE = (
    "nose", "thorax",
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
# In h36m17's words where it has one; numbers are shares of the way from pelvis to thorax.
SMPL = (
    "root", "left_hip", "right_hip", 0.25, "left_knee", "right_knee", 0.5, "left_ankle",
    "right_ankle", 0.7, "left_foot", "right_foot", "thorax", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip


class _Python2(pickle._Pickler):
    """Writes text and bytes as Python 2 wrote its `str`, and numpy's names of that time."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def _save_text(self, text):
        data = text.encode("latin1") if isinstance(text, str) else text
        short = len(data) < 256
        head = b"U" + bytes([len(data)]) if short else b"T" + struct.pack("<i", len(data))
        self.write(head + data)
        self.memoize(text)

    def save_global(self, what, name=None):
        if what.__module__.startswith("numpy._core"):
            self.write(f"cnumpy.core.{what.__module__.split('.')[-1]}\n{what.__name__}\n".encode())
            self.memoize(what)
        else:
            super().save_global(what, name)

    def save_reduce(self, func, args, state=None, *rest, obj=None, **named_rest):
        if isinstance(obj, np.ndarray):
            args = (args[0], args[1], b"b")
        super().save_reduce(func, args, state, *rest, obj=obj, **named_rest)

    dispatch[str] = dispatch[bytes] = _save_text


def write_sequence(path, content):
    """Write a pickle as Python 2 would have, with its highest protocol."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        _Python2(file, protocol=2).dump(content)
    return path


def smpl_joints(world):
    """SMPL's 24 joints of a body; its root is lower than the middle of the hips."""
    at = named(world)
    trunk = at["thorax"] - at["pelvis"]
    at["root"] = at["pelvis"] - 0.1 * trunk
    for side in ("left", "right"):
        at[f"{side}_foot"] = at[f"{side}_ankle"] + [0.1, 0.1, -0.05]
        at[f"{side}_collar"] = (at["thorax"] + at[f"{side}_shoulder"]) / 2
        at[f"{side}_hand"] = 1.3 * at[f"{side}_wrist"] - 0.3 * at[f"{side}_elbow"]
    points = [at["pelvis"] + p * trunk if isinstance(p, float) else at[p] for p in SMPL]
    return np.stack(points, 1)


def _detections(world, eyes, random):
    """(frames, 3, 18): x, y, confidence."""
    at = named(world)
    across = at["left_shoulder"] - at["right_shoulder"]
    for side, sign in (("left", 1), ("right", -1)):
        at[f"{side}_eye"] = at["nose"] + [0, 0, 0.04] + sign * 0.1 * across
        at[f"{side}_ear"] = at["nose"] + [0, 0, 0.02] + sign * 0.2 * across
    points = np.stack([at[joint] for joint in OPENPOSE], 1)
    pixels = np.stack([eye.project(frame) for eye, frame in zip(eyes, points, strict=True)])
    pixels += random.normal(0, 2, pixels.shape)
    score = random.uniform(0.4, 0.95, pixels.shape[:2])
    return np.concatenate([pixels.transpose(0, 2, 1), score[:, None]], 1)


def sequence(name, *, people=1, portrait=False, frames=24, seed=0):
    """A sequence as a dictionary, and the eyes of its frames: the camera moves.

    The left arm of the first person is up. Frame 3 has a camera pose that is not valid, in frame 5
    nobody is found, in frame 7 not the left wrist, in frame 9 not the right hip.
    """
    random = np.random.default_rng(seed)
    size = (1080, 1920) if portrait else (1920, 1080)
    centre = (size[0] / 2, size[1] / 2)
    places = [(5.2, -2.0 + 0.03 * frame, 1.5) for frame in range(frames)]
    eyes = [stand(at, focal=(1961.8, 1969.2), centre=centre, size=size) for at in places]
    valid = [np.arange(frames) != 3 for _ in range(people)]
    poses = np.stack([np.eye(4)] * frames)
    for pose, eye in zip(poses, eyes, strict=True):
        pose[:3, :3], pose[:3, 3] = eye.rotation, eye.translation
    poses[3, :3, 3] += 0.7
    joints, seen = [], []
    for person in range(people):
        made = walk_with_left_arm_up if person == 0 else walk
        world = made(frames, 30, seed + person) + np.array([0.0, 0.9 * person, 0.0])
        found = _detections(world, eyes, random)
        found[5] = 0
        found[7, :, OPENPOSE.index("left_wrist")] = 0
        found[9, :, OPENPOSE.index("right_hip")] = 0
        joints.append(smpl_joints(world).reshape(frames, 72))
        seen.append(found)
    content = {
        "sequence": name,
        "betas": [random.normal(size=(300 if person else 10)) for person in range(people)],
        "poses": [random.normal(size=(frames, 72)) for _ in range(people)],
        "trans": [joint[:, :3].copy() for joint in joints],
        "poses_60Hz": [random.normal(size=(2 * frames - 1, 72)) for _ in range(people)],
        "trans_60Hz": [random.normal(size=(2 * frames - 1, 3)) for _ in range(people)],
        "betas_clothed": [random.normal(size=10) for _ in range(people)],
        "v_template_clothed": [random.normal(size=(20, 3)) for _ in range(people)],
        "genders": ["m", "f"][:people],
        "texture_maps": [],
        "poses2d": seen,
        "jointPositions": joints,
        "img_frame_ids": np.arange(0, 2 * frames, 2),
        "cam_poses": poses,
        "campose_valid": valid,
        "cam_intrinsics": eyes[0].matrix,
    }
    return content, eyes


def write_3dpw(folder):
    """Write sequences of one person and of two, upright and level; return contents and eyes."""
    made = {
        ("test", "downtown_walking_00"): sequence("downtown_walking_00", portrait=True),
        ("test", "office_phoneCall_00"): sequence("office_phoneCall_00", people=2, seed=3),
        ("train", "courtyard_golf_00"): sequence("courtyard_golf_00", seed=6),
        ("validation", "courtyard_rugby_02"): sequence("courtyard_rugby_02", seed=7),
    }
    for (split, name), (content, _) in made.items():
        write_sequence(folder / "sequenceFiles" / split / f"{name}.pkl", content)
    return {name: parts for (_, name), parts in made.items()}
