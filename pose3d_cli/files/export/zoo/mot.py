"""MOT: joint angles as coordinates of an OpenSim model, degrees, in the video's own times.

Coordinates are those of the full-body models of Rajagopal 2016 and its successors; gait2392 has the
same for pelvis, hips and back, and knees with the other sign. A file a person. What stands in no
column is not knowable from these joints: ankles, subtalar joints, wrists, the turn of the forearm.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.animation import NO_POSE
from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, person_file
from pose3d_cli.files.export.body_track import BodyTrack, body_track
from pose3d_cli.files.export.ground import ground_axes
from pose3d_cli.files.export.joint_angles import SIDES
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import ClipResult

_ABOUT = (
    "Angles in degrees, translations in metres.",
    "Ground: X forward (away from the camera), Y up, Z right.",
    "pelvis_tilt, pelvis_list, pelvis_rotation: turns about Z, then X, then Y.",
    "pelvis_tx, pelvis_ty, pelvis_tz: middle of the hips.",
    "Zero: upright with hanging arms, facing away from the camera. A bent knee is positive.",
)


@register_exporter("mot")
class Mot:
    """Writes MOT."""

    suffix = ".mot"
    module = ""
    extra = ""
    is_personal = True

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write a file for each person; frames without a pose have `NaN`."""
        files: list[Path] = []
        notes: list[str] = []
        for person in chosen(result, options).people:
            track = body_track(result, person, options)
            if track is None:
                notes.append(f"person {person.person} is left out: {NO_POSE}")
                continue
            n_gaps = int(track.is_filled.sum())
            if n_gaps:
                notes.append(
                    f"person {person.person}: in {n_gaps} of {len(track.row)} frames joints have "
                    "no place; their angles are NaN"
                )
            path = person_file(stem, person.person, self.suffix)
            write_mot(path, result.time_s[track.row], coordinates(track))
            files.append(path)
        return Exported(files=tuple(files), notes=tuple(notes))


def coordinates(track: BodyTrack) -> Mapping[str, np.ndarray]:
    """Return the coordinates of a model by name; degrees and metres, NaN without a pose."""
    body, place = track.body, ground_axes(track.pelvis)
    pelvis, back = body.pelvis("ZXY"), body.back()
    found = {"pelvis_tilt": pelvis.z, "pelvis_list": pelvis.x, "pelvis_rotation": pelvis.y}
    found |= {f"pelvis_t{axis}": place[:, i] for i, axis in enumerate("xyz")}
    for side in SIDES:
        hip, end = body.hip(side), side[0]
        found |= {
            f"hip_flexion_{end}": hip.z,
            f"hip_adduction_{end}": hip.x,
            f"hip_rotation_{end}": hip.y,
            f"knee_angle_{end}": body.knee(side),
        }
    found |= {"lumbar_extension": back.z, "lumbar_bending": back.x, "lumbar_rotation": back.y}
    for side in SIDES:
        arm, end = body.shoulder(side), side[0]
        found |= {
            f"arm_flex_{end}": arm.z,
            f"arm_add_{end}": arm.x,
            f"arm_rot_{end}": arm.y,
            f"elbow_flex_{end}": body.elbow(side),
        }
    return {name: track.own(values) for name, values in found.items()}


def write_mot(path: Path, time_s: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    """Write coordinates over time.

    Args:
        path: The file.
        time_s: Seconds, rising.
        columns: Name to values, one a time.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    head = (
        " ".join(path.stem.split()),
        "version=1",
        f"nRows={len(time_s)}",
        f"nColumns={len(columns) + 1}",
        "inDegrees=yes",
        *_ABOUT,
        "endheader",
    )
    rows = np.stack([time_s, *columns.values()], axis=1)
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(head) + "\n" + "\t".join(("time", *columns)) + "\n")
        for row in rows.tolist():
            file.write("\t".join(f"{value:.6f}" for value in row).replace("nan", "NaN") + "\n")
