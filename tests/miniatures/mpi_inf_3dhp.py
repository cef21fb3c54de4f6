"""P-STMO's files of MPI-INF-3DHP in small: keys, orders, dtypes and nesting of real ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.miniatures.walkers import Eye, named, stand, walk, walk_with_left_arm_up

# The files' order, in h36m17's words; written out anew, so that a wrong table shows.
ORDER = (
    "head", "thorax",
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "pelvis", "spine", "nose",
)  # fmt: skip

TRAIN = (("S1 Seq1", 25), ("S1 Seq2", 50), ("S2 Seq1", 25))
CAMERAS = ("0", "1", "2", "4", "5", "6", "7", "8")
TEST = ("TS1", "TS2", "TS3", "TS4", "TS5", "TS6")

_STUDIO = {"focal": (1497.693, 1497.103), "centre": (1024.704, 1051.394), "size": (2048, 2048)}
_HURRY_HZ = 8
"""Frames a second of the walks, whatever their files say: few frames must cross the room."""

_OUTDOORS = {"focal": (1683.98, 1672.6), "centre": (939.9, 560.1), "size": (1920, 1080)}


@dataclass
class Facts:
    """What the files were made of, by clip: eyes, and h36m17 in metres and camera axes."""

    eyes: dict[str, Eye] = field(default_factory=dict)
    truth: dict[str, np.ndarray] = field(default_factory=dict)
    pixels: dict[str, np.ndarray] = field(default_factory=dict)


def _seen(facts, name, world, eye, universal):
    """The 2D of a person as tall as they are, and the 3D of one scaled about the pelvis."""
    own = eye.to_camera(world)
    scaled = own[:, :1] + (own - own[:, :1]) * universal
    facts.eyes[name], facts.truth[name] = eye, scaled
    facts.pixels[name] = eye.project(world)
    joints = named(scaled), named(facts.pixels[name])
    xyz, xy = (np.stack([values[joint] for joint in ORDER], 1) for values in joints)
    return xy, xyz * 1000


def make_train(facts, frames=30):
    """`data` of the training file: {"S1 Seq1": [{camera: {data_2d, data_3d}}, fps]}."""
    content = {}
    for seed, (take, fps) in enumerate(TRAIN):
        world = walk(frames, _HURRY_HZ, seed)
        cameras = {}
        for number, camera in enumerate(CAMERAS):
            angle = 2 * np.pi * number / len(CAMERAS)
            at = (3.8 * np.cos(angle), 3.8 * np.sin(angle), 1.2)
            eye = stand(at, **_STUDIO)
            xy, xyz = _seen(facts, f"{take}/{camera}", world, eye, (1.0, 1.0, 0.93)[seed])
            cameras[camera] = {"data_2d": xy, "data_3d": xyz}
        content[take] = [cameras, fps]
    return content


def make_test(facts, frames=60):
    """`data` of the test file: {"TS1": {data_2d, data_3d, valid}}; in TS2 a left arm is up."""
    content = {}
    for seed, name in enumerate(TEST):
        is_outdoors = name in ("TS5", "TS6")
        made = walk_with_left_arm_up if name == "TS2" else walk
        world = made(frames, _HURRY_HZ, 10 + seed)
        eye = stand((4.6, -1.0, 1.1), **(_OUTDOORS if is_outdoors else _STUDIO))
        xy, xyz = _seen(facts, name, world, eye, (0.95, 1.04, 1.0, 0.98, 1.06, 0.9)[seed])
        valid = (np.arange(frames) % 5 != 0).astype(np.float64)
        if name == "TS6":  # not annotated at all, nor to be measured
            xy[:3], xyz[:3], valid[:3] = 0, 0, 0
        content[name] = {"data_2d": xy, "data_3d": xyz, "valid": valid}
    return content


def write_train(folder, content):
    np.savez_compressed(folder / "data_train_3dhp", data=content)
    return folder / "data_train_3dhp.npz"


def write_test(folder, content):
    np.savez_compressed(folder / "data_test_3dhp", data=content)
    return folder / "data_test_3dhp.npz"


def write_3dhp(folder):
    """Write both files; return what they were made of."""
    facts = Facts()
    write_train(folder, make_train(facts))
    write_test(folder, make_test(facts))
    return facts
