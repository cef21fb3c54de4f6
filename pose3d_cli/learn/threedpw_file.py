"""A sequence of 3DPW: its pickle, read and looked through for what could be wrong.

Source: the readme that comes with 3DPW; published loaders, for the shape of `poses2d`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.object_arrays import read_pickle
from pose3d_cli.learn.joint_order import joint_order_fault
from pose3d_cli.learn.recognise import (
    Findings,
    as_numbers,
    in_words,
    length_unit,
    looks_normalised,
    sampled,
    what_is,
)
from pose3d_cli.pose.camera import Camera, camera_to_pixels
from pose3d_cli.pose.dataset_joints import OPENPOSE18, SMPL24, to_h36m
from pose3d_cli.pose.skeleton import H36M17

_PER_PERSON = ("poses2d", "jointPositions", "campose_valid")
_KEYS = (*_PER_PERSON, "cam_poses", "cam_intrinsics")
_LOOKED_AT = 200
_NEAREST_M = 0.2
_NEAR, _FAR = 0.05, 0.5
"""Of a person's extent in the picture: detections usually lie nearer than the one; if farther than
the other, they are another person's."""

_MOST = 0.5
"""Share of frames that must be in order; the files mark bad camera poses, but not all."""

_SMALLEST_FOCAL_PX = 100
_USUAL_SIZES = ((1080, 1920), (1920, 1080))
_ROUNDED_PX = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Actor:
    """A person of a sequence, in the frames that all parts of the file have.

    Attributes:
        xy: Pixels, joints in OpenPose's order of 18; 0 where unseen.
        score: Of each joint.
        xyz: Metres, camera axes, SMPL's joints.
        is_valid: Where the camera's pose was found.
        is_placed: Where it was found and the person is in front of the camera.
    """

    xy: Float64[np.ndarray, "frames 18 2"]
    score: Float64[np.ndarray, "frames 18"]
    xyz: Float64[np.ndarray, "frames 24 3"]
    is_valid: Bool[np.ndarray, " frames"]
    is_placed: Bool[np.ndarray, " frames"]


def read_sequence(path: Path) -> tuple[Camera, list[Actor], list[str]]:
    """Return a sequence's camera and people, and what is wrong with the file, a line each.

    Raises:
        InputError: A file that is missing, damaged or of another kind.
    """
    content = read_pickle(path)
    missing = [key for key in _KEYS if not isinstance(content, Mapping) or key not in content]
    if missing:
        raise InputError(
            f"{path}: this is {what_is(path)}, without {', '.join(missing)}; expected a sequence "
            "of 3DPW's sequenceFiles"
        )
    camera = _camera(content["cam_intrinsics"])
    if isinstance(camera, str):
        raise InputError(f"{path}: {camera}")
    findings = Findings(path)
    for fault in (_poses_fault(content["cam_poses"]), _people_fault(content)):
        if fault:
            findings.add(fault)
    if findings.lines():
        return camera, [], findings.lines()
    actors = _people(content, camera, findings)
    return camera, actors, findings.lines()


def _people(content: Mapping[str, Any], camera: Camera, findings: Findings) -> list[Actor]:
    """Return the people who are sound, and record what is wrong with others."""
    actors = []
    for number, parts in enumerate(zip(*(content[key] for key in _PER_PERSON), strict=True)):
        actor = _actor(parts, content["cam_poses"])
        fault = actor if isinstance(actor, str) else _actor_fault(actor, camera)
        if fault:
            findings.add(fault, f"person {number}")
        elif isinstance(actor, Actor):
            actors.append(actor)
    return actors


def _people_fault(content: Mapping[str, Any]) -> str:
    lists = [content[key] for key in _PER_PERSON]
    is_listed = all(isinstance(part, (list, tuple)) for part in lists)
    if is_listed and lists[0] and len({len(part) for part in lists}) == 1:
        return ""
    told = ", ".join(in_words(part) for part in lists)
    return f"{', '.join(_PER_PERSON)} are {told}; expected lists, an array a person"


def _camera(value: Any) -> Camera | str:
    """Return the camera, its picture twice as large as its centre is far, or what is wrong."""
    matrix = as_numbers(value)
    if matrix is None or matrix.shape != (3, 3):
        return f"cam_intrinsics is {in_words(value)}; expected an array of (3, 3)"
    matrix = matrix.astype(np.float64)
    if not np.isfinite(matrix).all() or matrix.diagonal()[:2].min() < _SMALLEST_FOCAL_PX:
        return f"cam_intrinsics has focal lengths {matrix.diagonal()[:2]}; expected pixels"
    size = (round(2 * float(matrix[0, 2])), round(2 * float(matrix[1, 2])))
    for usual in _USUAL_SIZES:
        if np.abs(np.subtract(size, usual)).max() <= _ROUNDED_PX:
            size = usual
    try:
        return Camera(
            matrix=matrix, distortion=np.zeros(0), image_size=size, source="3DPW's cam_intrinsics"
        )
    except ValueError as error:
        return f"cam_intrinsics: {error}"


def _poses_fault(value: Any) -> str:
    poses = as_numbers(value)
    if poses is None or poses.ndim != 3 or poses.shape[1:] != (4, 4) or not len(poses):
        return f"cam_poses is {in_words(value)}; expected an array of (frames, 4, 4)"
    if _are_rotations(poses[:, :3, :3]).mean() < _MOST:
        return "cam_poses are no rotations and translations"
    return ""


def _are_rotations(turns: Float[np.ndarray, "frames 3 3"]) -> Bool[np.ndarray, " frames"]:
    turns = np.nan_to_num(turns.astype(np.float64))
    off = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max((1, 2))
    return (off < 1e-2) & (np.linalg.det(turns) > 0)


def _actor(parts: Sequence[Any], cam_poses: np.ndarray) -> Actor | str:
    """Return a person in the frames that all parts have, or what is wrong with the form."""
    xy, xyz, valid = parts
    seen, joints, is_valid = as_numbers(xy), as_numbers(xyz), np.asarray(valid).reshape(-1)
    if seen is None or seen.ndim != 3 or seen.shape[1:] != (3, len(OPENPOSE18)):
        return f"poses2d is {in_words(xy)}; expected an array of (frames, 3, 18)"
    if joints is None or joints.ndim != 2 or joints.shape[1] != 3 * len(SMPL24):
        return f"jointPositions is {in_words(xyz)}; expected an array of (frames, 72)"
    if is_valid.dtype.kind not in "biuf":
        return f"campose_valid is {in_words(valid)}; expected a mark a frame"
    lengths = [len(seen), len(joints), len(is_valid), len(cam_poses)]
    frames = min(lengths)
    if 2 * frames < max(lengths):
        told = "{} frames of poses2d, {} of jointPositions, {} of campose_valid, {} of cam_poses"
        return f"{told.format(*lengths)} do not belong together"
    turns = cam_poses[:frames, :3, :3].astype(np.float64)
    world = joints[:frames].reshape(frames, len(SMPL24), 3).astype(np.float64)
    in_camera = np.einsum("tij,tkj->tki", turns, world) + cam_poses[:frames, None, :3, 3]
    is_valid = (is_valid[:frames] != 0) & _are_rotations(turns)
    return Actor(
        xy=seen[:frames, :2].transpose(0, 2, 1).astype(np.float64),
        score=seen[:frames, 2].astype(np.float64),
        xyz=in_camera,
        is_valid=is_valid,
        is_placed=is_valid & (in_camera[..., 2] > _NEAREST_M).all(-1),
    )


def _actor_fault(actor: Actor, camera: Camera) -> str:
    """Return what is wrong with the numbers: units, joint order, the way the camera's pose goes."""
    joints = actor.xyz[np.isfinite(actor.xyz).all((1, 2))]
    joints = joints[sampled(len(joints), _LOOKED_AT)]
    unit = length_unit(joints)
    if unit != "metres":
        return f"jointPositions are of a person in {unit or 'no unit known here'}; expected metres"
    fault = joint_order_fault(to_h36m(joints, SMPL24), is_pelvis_own=True)
    if fault:
        return f"{fault}; expected SMPL's order of 24 joints"
    if looks_normalised(actor.xy):
        return "poses2d are screen coordinates; expected pixels"
    return _place_fault(actor, camera)


def _place_fault(actor: Actor, camera: Camera) -> str:
    """Return whether detections lie where the joints are not.

    Which way `cam_poses` go, who is who, and which side is left show in nothing else.
    """
    is_seen = (actor.score > 0).any(-1) & actor.is_valid
    if not is_seen.any():
        return ""
    if actor.is_placed[is_seen].mean() < _MOST:
        return "is behind the camera; cam_poses must map the world to the camera's axes"
    rows = np.flatnonzero(actor.is_placed & is_seen)
    rows = rows[sampled(len(rows), _LOOKED_AT)]
    shown = camera_to_pixels(to_h36m(actor.xyz[rows], SMPL24), camera)
    xy = np.where((actor.score[rows] > 0)[..., None], actor.xy[rows], np.nan)
    seen = to_h36m(xy, OPENPOSE18, derive=False)
    tall = np.nanmax(shown, axis=1) - np.nanmin(shown, axis=1)
    size = tall.max(-1, keepdims=True)
    off, mirrored_off = _off(seen, shown, size), _off(seen, shown[:, H36M17.mirror], size)
    if off > _NEAR and mirrored_off < off / 2:
        return "left and right are exchanged between poses2d and jointPositions"
    if off > _FAR:
        return (
            f"poses2d lie {off:.1f} body lengths (median) from jointPositions as cam_poses and "
            "cam_intrinsics project them; another person's, or cam_poses are the other way round"
        )
    return ""


def _off(
    seen: Float[np.ndarray, "frames 17 2"],
    shown: Float[np.ndarray, "frames 17 2"],
    size: Float[np.ndarray, "frames 1"],
) -> float:
    """Return the median distance over the size in the picture; 0 where nothing can be compared."""
    apart = np.linalg.norm(seen - shown, axis=-1) / size
    known = apart[np.isfinite(apart)]
    return float(np.median(known)) if known.size else 0.0
