"""A result as a tidy table: one row a joint, person and frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.results import ClipResult

_PLACES = [f"{axis}_{frame}_m" for frame in ("world", "camera", "root") for axis in "xyz"]
COLUMNS = ("frame", "time_s", "person", "joint", *_PLACES, "u_px", "v_px", "score")

# A hundredth of a millimetre, a hundredth of a pixel.
_NUMBERS = ",".join(["%.5f"] * len(_PLACES) + ["%.2f"] * 2 + ["%.4f"])


def write_csv(path: Path, result: ClipResult) -> None:
    """Write `result` as CSV: joints in the world, before the camera, from the pelvis; pixels.

    Lengths are metres: `_world` z up, `_camera` and `_root` x right, y down, z forward. Frames in
    which a person is absent have no row; a value that is unknown is an empty cell.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(_rows(result))


def _rows(result: ClipResult) -> Iterator[str]:
    """Yield the rows, by frame, then person, then joint."""
    for row, (frame, time_s) in enumerate(zip(result.frame, result.time_s, strict=True)):
        for person, own in result.present(row):
            head = f"{frame},{time_s:.6f},{person.person},"
            values = np.concatenate(
                [
                    result.world.from_camera(person.xyz_camera[own]),
                    person.xyz_camera[own],
                    person.xyz_root[own],
                    person.keypoints_px[own],
                    person.score[own, :, None],
                ],
                1,
            ).tolist()
            for joint, numbers in zip(result.joint_names, values, strict=True):
                cells = (_NUMBERS % tuple(numbers)).replace("nan", "")
                yield f"{head}{joint},{cells}\n"
