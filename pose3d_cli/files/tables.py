"""A result as a tidy table: one row a joint, person and frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.results import ClipResult, PersonResult

_PLACES = [f"{axis}_{frame}_m" for frame in ("world", "camera", "root") for axis in "xyz"]
NUMBERS = (*_PLACES, "u_px", "v_px", "score")
COLUMNS = ("frame", "time_s", "person", "joint", *NUMBERS)

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


def numbers_of(
    result: ClipResult, person: PersonResult, own: slice
) -> Float64[np.ndarray, "rows joints numbers"]:
    """Return the numbers of some of a person's own rows, as `COLUMNS` has them after the joint."""
    parts = (
        result.world.from_camera(person.xyz_camera[own]),
        person.xyz_camera[own],
        person.xyz_root[own],
        person.keypoints_px[own],
        person.score[own, :, None],
    )
    return np.concatenate(parts, axis=-1, dtype=np.float64)


def _rows(result: ClipResult) -> Iterator[str]:
    """Yield the rows, by frame, then person, then joint."""
    for row, (frame, time_s) in enumerate(zip(result.frame, result.time_s, strict=True)):
        for person, own in result.present(row):
            head = f"{frame},{time_s:.6f},{person.person},"
            values = numbers_of(result, person, slice(own, own + 1))[0].tolist()
            for joint, numbers in zip(result.joint_names, values, strict=True):
                cells = (_NUMBERS % tuple(numbers)).replace("nan", "")
                yield f"{head}{joint},{cells}\n"
