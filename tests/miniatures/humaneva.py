"""VideoPose3D's files of HumanEva-I in small: all keys, orders, dtypes and nesting of real ones."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from tests.miniatures.walkers import named, stand, walk, walk_with_left_arm_up

ORDER = (
    "pelvis", "thorax",
    "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
    "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle", "head",
)  # fmt: skip
COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
HUMANEVA_METADATA = {
    "layout_name": "humaneva15",
    "num_joints": 15,
    "keypoints_symmetry": [[2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]],
}
COCO_METADATA = {
    "layout_name": "coco",
    "num_joints": 17,
    "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
}
# Frames of each trial, and those that the mocap lost.
TRIALS = {
    "Walking_1": (40, (15, 16, 17)),
    "Jog_1": (25, ()),
    "Box_1": (25, (0, 1)),
    "Gestures_1": (10, ()),
}
_MEAN_OF_TWO = ("elbow", "knee", "thorax")
_PLACES = ((4.06, 0.66, 1.53), (0.85, -3.8, 1.5), (-0.8, 3.92, 1.43))


def eyes(subject):
    """The three cameras of a subject; like the real ones, their lenses bend."""
    lens = {"focal": (765.2, 764.1), "size": (640, 480), "distortion": (-0.22, 0.17, 8e-4, -2e-3)}
    shift = int(subject[1]) * 0.02
    return [
        stand(np.add(place, shift), centre=(331.0 + number, 247.0), **lens)
        for number, place in enumerate(_PLACES)
    ]


def joints15(world):
    """HumanEva's joints; its pelvis is higher than the hips."""
    at = named(world)
    at["pelvis"] = at["pelvis"] + 0.2 * (at["thorax"] - at["pelvis"])
    return np.stack([at[joint] for joint in ORDER], 1)


def _projected(eye, xyz):
    """Pixels; what is the mean of two ends of bones is so after the projection."""
    ends = np.zeros_like(xyz)
    ends[:, [joint.endswith(_MEAN_OF_TWO) for joint in ORDER]] = (0.01, -0.02, 0.02)
    return (eye.project(xyz + ends) + eye.project(xyz - ends)) / 2


def _detected(eye, world, random):
    at = named(world)
    up = at["head"] - at["nose"]
    across = at["left_shoulder"] - at["right_shoulder"]
    for side, sign in (("left", 1), ("right", -1)):
        at[f"{side}_eye"] = at["nose"] + 0.3 * up + sign * 0.1 * across
        at[f"{side}_ear"] = at["nose"] + 0.2 * up + sign * 0.2 * across
    pixels = eye.project(np.stack([at[joint] for joint in COCO], 1))
    return pixels + random.normal(0, 1.5, pixels.shape)


def _chunks(lost, frames):
    """Frames in runs that are whole or lost, numbered, as the converter parts them."""
    runs = groupby(range(frames), lambda frame: frame in lost)
    return [(number, gone, list(own)) for number, (gone, own) in enumerate(runs)]


def contents():
    """`positions_3d`, `positions_2d` of gt and of detectron, and world joints by chunk."""
    truth, projected, detected, worlds = {}, {}, {}, {}
    random = np.random.default_rng(0)
    for part in ("Train", "Validate"):
        for who in ("S1", "S2", "S3"):
            subject = f"{part}/{who}"
            truth[subject], projected[subject], detected[subject] = {}, {}, {}
            for number, (trial, (frames, lost)) in enumerate(TRIALS.items()):
                seed = number + 5 * int(who[1]) + 20 * (part == "Train")
                made = walk_with_left_arm_up if trial == "Box_1" else walk
                world = made(frames, 60, seed)
                for chunk, gone, rows in _chunks(lost, frames):
                    name = f"{trial.replace('_', ' ')} chunk{chunk}"
                    found = [_detected(eye, world[rows], random) for eye in eyes(who)]
                    kept = f"Unlabeled/{subject}" if gone else subject
                    detected.setdefault(kept, {})[name] = [f.astype(np.float32) for f in found]
                    if gone:
                        continue
                    xyz = joints15(world[rows])
                    truth[subject][name] = xyz.astype(np.float32)
                    seen = [_projected(eye, xyz) for eye in eyes(who)]
                    projected[subject][name] = [view.astype(np.float32) for view in seen]
                    worlds[subject, name] = xyz
    detected["Unlabeled/S4"] = {"Walking 1": detected["Train/S1"]["Jog 1 chunk0"]}
    return truth, projected, detected, worlds


def write_truth(folder, truth):
    np.savez_compressed(folder / "data_3d_humaneva15", positions_3d=truth)


def write_seen(folder, name, seen, metadata):
    path = folder / f"data_2d_humaneva15_{name}"
    np.savez_compressed(path, positions_2d=seen, metadata=metadata)


def write_humaneva(folder):
    """Write the three files; return world joints (metres) by subject and chunk."""
    truth, projected, detected, worlds = contents()
    write_truth(folder, truth)
    write_seen(folder, "gt", projected, HUMANEVA_METADATA)
    write_seen(folder, "detectron_pt_coco", detected, COCO_METADATA)
    return worlds
