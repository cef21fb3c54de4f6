"""Names that programs give to markers, and the h36m17 joints they stand for.

Known are our own names and COCO's (`left_knee`), OpenPose's and Halpe's as Pose2Sim writes them
(`LKnee`, `CHip`, `MidHip`, `Neck`), and the joint centres of Vicon's Plug-in Gait (`LKJC`). Markers
on the skin (`LKNE`, `LASI`) are no joints, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pose3d_cli.pose.skeleton import H36M17

_LIMBS: Mapping[str, tuple[str, ...]] = {
    part: (part, f"{part[0]}jc") for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
}
_TRUNK: Mapping[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hip", "chip", "midhip", "root"),
    "spine": ("spine",),
    "thorax": ("thorax", "neck"),
    "nose": ("nose",),
    "head": ("head", "headtop"),
}


def _table() -> dict[str, str]:
    table = {spelling: joint for joint, spellings in _TRUNK.items() for spelling in spellings}
    for part, spellings in _LIMBS.items():
        for side in ("left", "right"):
            for spelling in spellings:
                for mark in (side, side[0]):
                    table[f"{mark}{spelling}"] = table[f"{spelling}{mark}"] = f"{side}_{part}"
    return table


_JOINTS = _table()


def joint_of(marker: str) -> str:
    """Return the h36m17 joint that a marker is at, "" if it is at none.

    Case, spaces and punctuation do not matter, nor what stands before a colon (Vicon's subject):
    `left_knee`, `LKnee`, `Ann:LKJC`, `L Knee` and `knee_left` are one joint.
    """
    return _JOINTS.get(re.sub(r"[^a-z0-9]", "", marker.rsplit(":", 1)[-1].lower()), "")


def find_joints(markers: Sequence[str]) -> dict[str, int]:
    """Return the place of each h36m17 joint that some marker is at.

    Where a marker has exactly the name of a joint, others that could be it have no say.

    Raises:
        ValueError: Two markers are at one joint.
    """
    place = {joint: markers.index(joint) for joint in H36M17.joints if markers.count(joint) == 1}
    exact = set(place)
    for at, marker in enumerate(markers):
        joint = joint_of(marker)
        if not joint or joint in exact:
            continue
        if joint in place:
            raise ValueError(f"both {markers[place[joint]]!r} and {marker!r} are {joint}")
        place[joint] = at
    return {joint: place[joint] for joint in H36M17.joints if joint in place}
