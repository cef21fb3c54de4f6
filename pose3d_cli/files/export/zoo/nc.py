"""NetCDF in the layout of `movement`, the toolbox for the analysis of movement.

Dimensions `time`, `space`, `keypoint` and `individual`, as `movement` names them since 0.17;
variables `position` in metres (world axes, z up) and `confidence`. The classic format with 64-bit
offsets, which SciPy writes and every netCDF library reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli import __version__
from pose3d_cli.errors import OutputError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.export.track import rate_of
from pose3d_cli.files.results import AXES, ClipResult

MOST_BYTES = 2**32 - 4
"""Of one variable in the classic format."""


@register_exporter("nc")
class NetCdf:
    """Writes netCDF."""

    suffix = ".nc"
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one file with everybody, laid out over all frames of the clip.

        Raises:
            OutputError: A folder or disk that cannot be written, or more than the format holds.
        """
        path = with_end(stem, self.suffix)
        kept = chosen(result, options)
        n_bytes = 4 * 3 * len(kept.frame) * len(kept.joint_names) * len(kept.people)
        if n_bytes > MOST_BYTES:
            raise OutputError(
                f"{path}: positions of {len(kept.people)} people in {len(kept.frame)} frames take "
                f"{n_bytes / 1e9:.1f} GB, and netCDF holds {MOST_BYTES / 1e9:.1f}; "
                "choose some with --person"
            )
        if not kept.people:
            return Exported(files=(), notes=("netCDF is left out: there is nobody to write",))
        with replacing(path) as new:
            _write(new, kept)
        return Exported(files=(path,))


def _write(path: Path, result: ClipResult) -> None:
    from scipy.io import netcdf_file

    sizes = {
        "time": len(result.frame),
        "space": 3,
        "keypoint": len(result.joint_names),
        "individual": len(result.people),
    }
    with netcdf_file(path, "w", version=2) as file:
        for dimension, size in sizes.items():
            file.createDimension(dimension, size)
        file.createVariable("time", "f8", ("time",))[:] = result.time_s
        _add_names(file, "space", ["x", "y", "z"])
        _add_names(file, "keypoint", list(result.joint_names))
        _add_names(file, "individual", [f"person{person.person}" for person in result.people])
        file.createVariable("position", "f4", tuple(sizes)).units = "m"
        file.createVariable("confidence", "f4", ("time", "keypoint", "individual")).units = "1"
        for place, person in enumerate(result.people):
            camera = person.laid_out("xyz_camera", len(result.frame))
            world = result.world.from_camera(camera).astype(np.float32)
            file.variables["position"][:, :, :, place] = world.swapaxes(1, 2)
            score = person.laid_out("score", len(result.frame))
            file.variables["confidence"][:, :, place] = score
        for key, value in _attributes(result).items():
            setattr(file, key, value)


def _add_names(file: Any, dimension: str, names: Sequence[str]) -> None:
    """Add the coordinate of a dimension; the classic format has characters and no words."""
    words = [name.encode() for name in names]
    longest = max(map(len, words))
    if f"string{longest}" not in file.dimensions:
        file.createDimension(f"string{longest}", longest)
    variable = file.createVariable(dimension, "S1", (dimension, f"string{longest}"))
    variable[:] = np.array(words, f"S{longest}").view("S1").reshape(len(words), longest)
    variable._Encoding = b"utf-8"


def _attributes(result: ClipResult) -> dict[str, Any]:
    """Return what `movement` asks for, and how the result was made; text as UTF-8."""
    text = {
        "source_software": "pose3d",
        "source_file": "",
        "ds_type": "poses",
        "time_unit": "seconds",
        "axes": AXES,
        "pose3d_version": __version__,
        "pose3d_meta": json.dumps(dict(result.meta), ensure_ascii=False),
    }
    return {"fps": rate_of(result)} | {key: value.encode() for key, value in text.items()}
