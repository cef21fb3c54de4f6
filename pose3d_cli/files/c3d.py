"""Read the points of a C3D, the binary file of motion-capture laboratories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli.errors import InputError, MissingExtraError
from pose3d_cli.files.c3d_header import check_whole
from pose3d_cli.files.marker_table import UNITS_M, MarkerTable

_USUAL_UNIT = "mm"


def read_c3d(path: Path) -> MarkerTable:
    """Read the points of a C3D; what a program computed (angles, forces) comes along as points.

    The unit is that of `POINT:UNITS`, the rate that of `POINT:RATE`, and time 0 is the instant of
    frame 1, whether the file begins with it or was cut. A negative residual, NaN, and a point
    exactly at the origin are markers that were not seen. Z is up unless `POINT:Y_SCREEN` says Y.

    Raises:
        InputError: No such file, no C3D, no points, or an unknown unit.
        MissingExtraError: The package ezc3d is not installed.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    file = _open(path)
    about, head = file["parameters"].get("POINT", {}), file["header"]["points"]
    points = file["data"]["points"]
    names = tuple(_labels(about))[: points.shape[1]]
    rate = float(head["frame_rate"])
    if not names or not points.shape[2] or not rate > 0:
        raise InputError(f"{path}: a C3D without points that have names and a rate")
    unit = _words(about, "UNITS") or _USUAL_UNIT
    if unit.lower() not in UNITS_M:
        raise InputError(f"{path}: POINT:UNITS is {unit!r}; expected m, cm or mm")
    xyz = points[:3, : len(names)].transpose(2, 1, 0).astype(np.float64)
    residual = file["data"]["meta_points"]["residuals"][0, : len(names)].T
    is_lost = (residual < 0) | (xyz == 0).all(-1) | ~np.isfinite(xyz).all(-1)
    return MarkerTable(
        path=path,
        names=names,
        xyz=np.where(is_lost[..., None], np.nan, xyz) * UNITS_M[unit.lower()],
        time_s=(int(head["first_frame"]) + np.arange(len(xyz))) / rate,
        frame=None,
        axes="y up" if "Y" in _words(about, "Y_SCREEN").upper() else "z up",
        metres=UNITS_M[unit.lower()],
        unit=f"its POINT:UNITS is {unit}",
    )


def _open(path: Path) -> Any:
    try:
        import ezc3d
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: a C3D needs a package that is not installed: pip install 'pose3d[c3d]'"
        ) from error
    check_whole(path)
    try:
        return ezc3d.c3d(str(path))
    except (OSError, RuntimeError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path}: not a readable C3D: {error}") from error


def _labels(about: Mapping[str, Any]) -> Iterator[str]:
    """Yield all names; beyond 255 points they go on in LABELS2, LABELS3 and so on."""
    for key in ("LABELS", *(f"LABELS{number}" for number in range(2, 20))):
        if key in about:
            yield from (str(name).strip() for name in about[key]["value"])


def _words(about: Mapping[str, Any], key: str) -> str:
    value = about[key]["value"] if key in about else []
    return str(value[0]).strip() if len(value) else ""
