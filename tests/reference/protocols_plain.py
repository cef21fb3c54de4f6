"""The field's evaluation protocols from their descriptions: slow, frame by frame, in plain loops.

Written from the files' raw contents and the protocols' words alone, without the program's data
sets, windows, alignment or averages, which must agree with it.
"""

from __future__ import annotations

import math

import numpy as np
import torch

LEFT, RIGHT = [4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]
BLOCKED = ["s_09_act_05_subact_02", "s_09_act_10_subact_02", "s_09_act_13_subact_01"]
SIZES = {"54138969": (1000, 1002), "55011271": (1000, 1000), "58860488": (1000, 1000),
         "60457274": (1000, 1002)}  # fmt: skip


def flipped(x):
    out = np.array(x, copy=True)
    out[..., 0] *= -1
    swapped = np.array(out, copy=True)
    for left, right in zip(LEFT, RIGHT, strict=True):
        swapped[..., left, :], swapped[..., right, :] = out[..., right, :], out[..., left, :]
    return swapped


def run(network, x):
    """The network on one window (frames, 17, 3), the mean with its mirror image, root at 0."""
    with torch.no_grad():
        one, two = (
            network(torch.from_numpy(part.astype(np.float32))[None])[0].double().numpy()
            for part in (x, flipped(x))
        )
    pose = (one + flipped(two)) / 2
    pose[:, 0] = 0
    return pose


def error(pose, truth):
    """Mean distance of the joints of a frame."""
    return sum(math.dist(p, t) for p, t in zip(pose, truth, strict=True)) / len(truth)


def aligned_error(pose, truth):
    """The same after the best similarity, never a mirror image: P2 of one frame."""
    a, b = np.asarray(pose, float), np.asarray(truth, float)
    a, b = a - a.mean(0), b - b.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.eye(3)
    if np.linalg.det(u @ vt) < 0:
        sign[2, 2] = -1
    scale = np.trace(np.diag(s) @ sign) / (a**2).sum()
    return error(scale * a @ (u @ sign @ vt).T, b)


def scaled_error(pose, truth):
    """The same after the best scale about the root: P3 of one frame.

    A scale below 0 would turn the body inside out. Published code lets it through, which no
    trained lifter ever meets; networks of noise, as in these tests, do.
    """
    return error(pose * max((pose * truth).sum() / (pose * pose).sum(), 0), truth)


def tiles(frames, window):
    """Frames of each test window: side by side, the tail dropped, a short video stretched."""
    if frames < window:
        return [[int(i * frames / window) for i in range(window)]]
    return [list(range(s, s + window)) for s in range(0, frames - window + 1, window)]


def motionbert(network, window, contents):
    """P1, P2, P3, velocity and acceleration by MotionBERT's protocol; and frames measured."""
    test = contents["test"]
    sources = [str(s) for s in test["source"]]
    found = {}
    start = 0
    while start < len(sources):
        stop = start
        while stop < len(sources) and sources[stop] == sources[start]:
            stop += 1
        if sources[start][: -len("_ca_01")] not in BLOCKED:
            action = test["action"][start]
            found.setdefault(action, []).extend(_video(network, window, test, start, stop))
        start = stop
    columns = {}
    for name in ("p1", "p2", "p3", "velocity", "acceleration"):
        per_action = [
            np.mean([frame[name] for frame in frames if name in frame]) for frames in found.values()
        ]
        columns[name] = float(np.mean(per_action))
    return columns, sum(len(frames) for frames in found.values())


def _video(network, window, test, start, stop):
    """Figures of each measured frame of a video."""
    width, height = SIZES[str(test["camera_name"][start])]
    xy = test["joint_2d"][start:stop] / width * 2 - np.array([1, height / width])
    x = np.concatenate([xy, test["confidence"][start:stop]], -1)
    frames = []
    for index in tiles(stop - start, window):
        pose = run(network, x[index])
        last = {frame: place for place, frame in enumerate(index)}  # repeats count once
        before = []
        for frame, place in sorted(last.items()):
            p = pose[place].copy()
            p[:, :2] = (p[:, :2] + [1, height / width]) * width / 2
            p[:, 2] = p[:, 2] * width / 2
            p = p * test["2.5d_factor"][start + frame]
            g = np.array(test["joints_2.5d_image"][start + frame], float)
            p, g = p - p[0], g - g[0]
            row = {"p1": error(p, g), "p2": aligned_error(p, g), "p3": scaled_error(p, g)}
            if before:
                row["velocity"] = error(p - before[-1][0], g - before[-1][1])
            if len(before) > 1:
                (p1, g1), (p0, g0) = before[-1], before[-2]
                row["acceleration"] = error(p - 2 * p1 + p0, g - 2 * g1 + g0)
            before.append((p, g))
            frames.append(row)
    return frames


def mpi_inf_3dhp(network, window, contents, *, legacy, order):
    """MPJPE, PCK and AUC of 3DHP's valid test frames: a window round each, ends repeated.

    `order` gives, for each h36m17 joint, its place in the file.
    """
    errors, joints = [], []
    for name, sequence in contents.items():
        width, height = (1920, 1080) if name in ("TS5", "TS6") else (2048, 2048)
        xy = np.array(sequence["data_2d"], float)[:, order]
        x = np.concatenate([xy / width * 2 - [1, height / width], np.ones((*xy.shape[:2], 1))], -1)
        truth = np.array(sequence["data_3d"], float)[:, order]
        truth = truth - truth[:, :1]
        unit = (width if legacy else 2048) / 2
        for frame in np.flatnonzero(np.asarray(sequence["valid"]).ravel()):
            half = (window - 1) // 2
            index = [min(max(frame - half + i, 0), len(x) - 1) for i in range(window)]
            pose = run(network, x[index])[half] * unit
            errors.append(error(pose, truth[frame]))
            joints.append([math.dist(p, t) for p, t in zip(pose, truth[frame], strict=True)])
    # Neither pelvis, spine nor "head" (h36m17's nose) count in PCK.
    kept = np.array([[row[j] for j in range(17) if j not in (0, 7, 9)] for row in joints])
    pck = [100 * (kept < limit).mean() for limit in [5 * i for i in range(31)]]
    found = 100 * (kept < 150).mean()
    return float(np.mean(errors)), float(found), float(np.mean(pck)), len(errors)


def quaternion_to_matrix(q):
    w, x, y, z = q
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


KEPT_OF_32 = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]


def videopose3d(answer, positions, extrinsics):
    """P1, P2, P3 by VideoPose3D's protocol: the mean of actions' means, S9 and S11, every frame.

    `answer(subject, trial, camera)` gives the lifter's root-relative poses in metres; `extrinsics`
    the orientation (world from camera) and translation in mm of each subject's cameras.
    """
    found = {}
    for subject in ("S9", "S11"):
        for trial, world in positions[subject].items():
            if (subject, trial) == ("S11", "Directions"):
                continue
            for camera, (orientation, translation) in enumerate(extrinsics[subject]):
                turn = quaternion_to_matrix(orientation)
                poses = answer(subject, trial, camera)
                for pose, joints in zip(poses, world[:, KEPT_OF_32], strict=True):
                    truth = (np.array(joints, float) - np.array(translation) / 1000) @ turn
                    truth = truth - truth[0]
                    pose = pose - pose[0]
                    action = trial.split(" ")[0]
                    errors = [measure(pose, truth) for measure in
                              (error, aligned_error, scaled_error)]  # fmt: skip
                    found.setdefault(action, []).append(errors)
    by_action = [np.mean(rows, 0) for rows in found.values()]
    frames = [row for rows in found.values() for row in rows]
    return 1000 * np.mean(by_action, 0), 1000 * np.mean(frames, 0), len(found)
