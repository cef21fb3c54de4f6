"""What can be wrong with VideoPose3D's files of Human3.6M: shapes, units, joint orders, cameras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from pose3d_cli.learn.h36m_cameras import CAMERAS, SUBJECTS, camera, world_to_camera
from pose3d_cli.learn.h36m_npz import KEPT, N_JOINTS, TrialFile, keypoints_as_h36m
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    as_numbers,
    extent,
    in_words,
    length_unit,
    looks_normalised,
    looks_root_relative,
    sampled,
)
from pose3d_cli.learn.videopose3d_npz import symmetry_in, symmetry_of
from pose3d_cli.pose.camera import camera_to_pixels
from pose3d_cli.pose.dataset_joints import MPII16
from pose3d_cli.pose.skeleton import COCO17, H36M17

# Of the 32: ankle and toes of each side, which tell where a person's front is.
_FEET = ((3, 4), (8, 9))
_HIPS, _TRUNK = (1, 6), (0, 13)

_LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "h36m17": H36M17.joints,
    "coco17": COCO17.joints,
    "mpii16": MPII16,
}

_LOOKED_AT = 4
_FAR_PX = 60.0
_NEAR_PX = 12.0


def check_3d(file: TrialFile) -> None:
    """Record what is wrong with a 3D file in its findings."""
    for subject in SUBJECTS:
        trials = file.trials.get(subject)
        if not trials:
            file.findings.add(f"this subject is missing; expected {', '.join(SUBJECTS)}", subject)
            continue
        faults = {trial: _fault_3d(values) for trial, values in trials.items()}
        for trial, fault in faults.items():
            if fault:
                file.findings.add(fault, f"{subject}/{trial}")
        sound = [values for trial, values in trials.items() if not faults[trial]]
        if sound:
            fault = _numbers_fault_3d(np.concatenate([_some(xyz) for xyz in sound]))
            if fault:
                file.findings.add(fault, subject)


def _some(frames: np.ndarray) -> np.ndarray:
    return frames[sampled(len(frames), _LOOKED_AT)].astype(np.float64)


def _fault_3d(values: Any) -> str:
    xyz = as_numbers(values)
    if xyz is None or xyz.ndim != 3:
        return f"{in_words(values)}; expected numbers of (frames, {N_JOINTS}, 3)"
    if xyz.shape[1:] == (len(H36M17.joints), 3):
        return f"17 joints: already cut; expected all {N_JOINTS}, of which 17 are taken here"
    if xyz.shape[1:] != (N_JOINTS, 3):
        return f"joints of shape {xyz.shape[1:]} a frame; expected ({N_JOINTS}, 3)"
    if not len(xyz):
        return "no frames"
    return "" if np.isfinite(xyz).all() else "positions that are no numbers"


def _numbers_fault_3d(xyz: Float[np.ndarray, "frames 32 3"]) -> str:
    unit = length_unit(xyz)
    if unit != "metres":
        found = f"in {unit}" if unit else f"of people {extent(xyz):.3g} long"
        return f"positions are {found}; expected metres"
    if looks_root_relative(xyz):
        return "the pelvis is at the origin in every frame; expected world coordinates"
    fault = joint_order_fault(xyz[:, KEPT])
    if fault:
        return f"{fault}; expected Human3.6M's order of {N_JOINTS} joints"
    if _is_mirrored(xyz):
        return "feet point backwards: left and right are exchanged, or the axes are left-handed"
    return ""


def _is_mirrored(xyz: Float[np.ndarray, "frames 32 3"]) -> bool:
    right = xyz[:, _HIPS[0]] - xyz[:, _HIPS[1]]
    up = xyz[:, _TRUNK[1]] - xyz[:, _TRUNK[0]]
    forward = np.mean([xyz[:, toes] - xyz[:, ankle] for ankle, toes in _FEET], axis=0)
    return bool(np.median((np.cross(right, forward) * up).sum(-1)) < 0)


def check_2d(file: TrialFile, motion: TrialFile) -> tuple[str, ...]:
    """Record what is wrong with a 2D file in its findings.

    Args:
        file: The 2D file.
        motion: The 3D file it belongs to, checked.

    Returns:
        Names of the joints in its order; () if unknown.
    """
    joints = _joints(file)
    for subject in SUBJECTS:
        trials = file.trials.get(subject)
        if not trials:
            file.findings.add(f"this subject is missing; expected {', '.join(SUBJECTS)}", subject)
            continue
        for trial, xyz in motion.trials.get(subject, {}).items():
            place = f"{subject}/{trial}"
            if trial not in trials:
                file.findings.add("no 2D keypoints of this trial", place)
            elif joints:
                _check_cameras(file, place, trials[trial], joints, xyz)
    if joints and not file.findings.lines() and not motion.findings.lines():
        for subject in SUBJECTS:
            _check_positions(file, motion, subject, joints)
    return joints


def _joints(file: TrialFile) -> tuple[str, ...]:
    sides = symmetry_in(file.metadata)
    if sides is None:
        file.findings.add(
            "no metadata with keypoints_symmetry, which tell the joints' order; expected them as "
            "VideoPose3D writes them"
        )
        return ()
    for joints in _LAYOUTS.values():
        if sides == symmetry_of(joints):
            return joints
    known = "; ".join(f"{name}: {list(symmetry_of(order))}" for name, order in _LAYOUTS.items())
    file.findings.add(
        f"keypoints_symmetry is {list(sides)}, of no joint order known here; known are {known}"
    )
    return ()


def _check_cameras(
    file: TrialFile, place: str, values: Any, joints: tuple[str, ...], xyz: Any
) -> None:
    is_several = isinstance(values, (list, tuple, np.ndarray))
    if not is_several or len(values) != len(CAMERAS):
        found = f"{len(values)} cameras" if is_several else in_words(values)
        file.findings.add(f"{found}; expected 4, in the order {', '.join(CAMERAS)}", place)
        return
    frames = len(xyz) if isinstance(xyz, np.ndarray) and xyz.ndim else 0
    for camera_id, keypoints in zip(CAMERAS, values, strict=True):
        fault = _fault_2d(keypoints, joints, frames)
        if fault:
            file.findings.add(fault, f"{place}/{camera_id}")


def _fault_2d(values: Any, joints: tuple[str, ...], frames: int) -> str:
    xy = as_numbers(values)
    wanted = (len(joints), 2)
    if xy is None or xy.ndim != 3:
        return f"{in_words(values)}; expected numbers of (frames, {len(joints)}, 2)"
    if xy.shape[2] == 3:
        return "3 numbers a joint: 3D positions, or with scores; expected x and y"
    if xy.shape[1:] != wanted:
        return f"joints of shape {xy.shape[1:]} a frame; by the file's metadata expected {wanted}"
    if len(xy) < frames:
        return f"{len(xy)} frames of 2D keypoints, but {frames} frames of motion; are they a pair?"
    return ""


def _check_positions(
    file: TrialFile, motion: TrialFile, subject: str, joints: tuple[str, ...]
) -> None:
    """Record cameras whose keypoints are not where the 3D joints are projected to."""
    for place, camera_id in enumerate(CAMERAS):
        xyz, xy = [], []
        for trial, held in motion.trials[subject].items():
            rows = sampled(len(held), _LOOKED_AT)
            xyz.append(held[rows][:, KEPT].astype(np.float64))
            xy.append(file.trials[subject][trial][place][rows].astype(np.float64))
        found = np.concatenate(xy)
        if looks_normalised(found):
            file.findings.add(
                "keypoints are screen coordinates, normalised to [-1, 1] or so; expected pixels",
                f"{subject}/{camera_id}",
            )
            continue
        fault = _position_fault(
            np.concatenate(xyz), keypoints_as_h36m(found, joints), subject, camera_id
        )
        if fault:
            file.findings.add(fault, f"{subject}/{camera_id}")


def _position_fault(
    xyz: Float[np.ndarray, "frames 17 3"],
    xy: Float[np.ndarray, "frames 17 2"],
    subject: str,
    camera_id: str,
) -> str:
    shown = {
        other: camera_to_pixels(world_to_camera(xyz, subject, other), camera(other))
        for other in CAMERAS
    }
    off = {other: apart(xy, pixels) for other, pixels in shown.items()}
    own, nearest = off[camera_id], min(off, key=lambda other: off[other])
    if own > _NEAR_PX and off[nearest] < own / 2:
        return (
            f"keypoints fit camera {nearest}; expected the cameras in the order "
            f"{', '.join(CAMERAS)}"
        )
    if own > _NEAR_PX and apart(xy, shown[camera_id][:, H36M17.mirror]) < own / 2:
        return "left and right are exchanged between 2D keypoints and 3D joints"
    if own > _FAR_PX:
        return (
            f"keypoints lie {own:.0f} px (median) from the projected 3D joints; the files do not "
            "belong together, or the joints are in another order"
        )
    return ""


def apart(a: Float[np.ndarray, "*batch 2"], b: Float[np.ndarray, "*batch 2"]) -> float:
    """Return the median distance of points known in both; infinite if there are none."""
    distance = np.linalg.norm(a - b, axis=-1)
    known = distance[np.isfinite(distance)]
    return float(np.median(known)) if known.size else float("inf")
