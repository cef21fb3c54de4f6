"""Joint angles as a table: a row a frame and person, a column an angle, in degrees.

A column's name says which way counts as positive; all are 0 in who stands upright with hanging
arms, facing away from the camera. They never jump by 360 degrees, so a full turn reads 360. What
stands in no column is not knowable from these joints: ankles, wrists, the turn of the forearm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.animation import NO_POSE
from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.export.body_track import body_track
from pose3d_cli.files.export.joint_angles import SIDES, Body, shows_twist
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import ClipResult, PersonResult

_TRUNK = (
    "pelvis_left_turn", "pelvis_right_drop", "pelvis_forward_tilt",
    "trunk_left_turn", "trunk_right_lean", "trunk_forward_lean",
    "back_extension", "back_right_bending", "back_left_rotation",
)  # fmt: skip
_LIMBS = (
    "hip_flexion", "hip_adduction", "hip_internal_rotation", "knee_flexion",
    "shoulder_elevation", "shoulder_flexion", "shoulder_adduction", "shoulder_internal_rotation",
    "elbow_flexion",
)  # fmt: skip
COLUMNS = tuple(
    f"{name}_deg" for name in (*_TRUNK, *(f"{side}_{limb}" for side in SIDES for limb in _LIMBS))
)


@register_exporter("angles")
class Angles:
    """Writes a table of joint angles."""

    suffix = "_angles.csv"
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one table with everybody; a frame in which a joint is missing has empty cells."""
        path = with_end(stem, self.suffix)
        notes: list[str] = []
        kept = chosen(result, options)
        with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
            file.write(",".join(("frame", "time_s", "person", *COLUMNS)) + "\n")
            tables = {}
            for person in kept.people:
                angles = angles_of(result, person, options)
                if np.isnan(angles).all():
                    notes.append(f"person {person.person} has no angles: {NO_POSE}")
                tables[person.person] = angles
            file.writelines(_rows(kept, tables))
        return Exported(files=(path,), notes=tuple(notes))


def angles_of(
    result: ClipResult, person: PersonResult, options: ExportOptions
) -> Float64[np.ndarray, "rows angles"]:
    """Return the angles of a person's own rows in degrees, as `COLUMNS` has them; NaN in gaps."""
    angles = np.full((len(person.rows), len(COLUMNS)), np.nan)
    track = body_track(result, person, options)
    if track is None:
        return angles
    named = _named(track.body)
    values = np.stack([named[column.removesuffix("_deg")] for column in COLUMNS], axis=1)
    is_within = (person.rows >= track.row[0]) & (person.rows <= track.row[-1])
    angles[is_within] = track.own(values)[person.rows[is_within] - track.row[0]]
    return angles


def _named(body: Body) -> Mapping[str, np.ndarray]:
    pelvis, trunk, back = body.pelvis("YXZ"), body.trunk(), body.back()
    named = {
        "pelvis_left_turn": pelvis.y,
        "pelvis_right_drop": pelvis.x,
        "pelvis_forward_tilt": -pelvis.z,
        "trunk_left_turn": trunk.y,
        "trunk_right_lean": trunk.x,
        "trunk_forward_lean": -trunk.z,
        "back_extension": back.z,
        "back_right_bending": back.x,
        "back_left_rotation": back.y,
    }
    for side in SIDES:
        named |= {f"{side}_{limb}": values for limb, values in _limbs(body, side).items()}
    return named


def _limbs(body: Body, side: str) -> Mapping[str, np.ndarray]:
    """Return the angles of a side; a straight limb does not show how its first bone is turned."""
    hip, knee = body.hip(side), body.knee(side)
    shoulder, elbow = body.shoulder(side), body.elbow(side)
    return {
        "hip_flexion": hip.z,
        "hip_adduction": hip.x,
        "hip_internal_rotation": np.where(shows_twist(knee), hip.y, np.nan),
        "knee_flexion": knee,
        "shoulder_elevation": body.elevation(side),
        "shoulder_flexion": shoulder.z,
        "shoulder_adduction": shoulder.x,
        "shoulder_internal_rotation": np.where(shows_twist(elbow), shoulder.y, np.nan),
        "elbow_flexion": elbow,
    }


def _rows(result: ClipResult, tables: Mapping[int, np.ndarray]) -> Iterator[str]:
    """Yield the rows, by frame, then person."""
    numbers = ",".join(["%.3f"] * len(COLUMNS))
    for row, (frame, time_s) in enumerate(zip(result.frame, result.time_s, strict=True)):
        for person, own in result.present(row):
            cells = (numbers % tuple(tables[person.person][own].tolist())).replace("nan", "")
            yield f"{frame},{time_s:.6f},{person.person},{cells}\n"
