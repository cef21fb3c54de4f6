"""Settings of exporting results; flags and `--config run.toml` have the same names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pose3d_cli.files.export.base import ExportOptions


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """How results are exported."""

    to: str = ""
    """Formats, with commas: angles, bvh, c3d, csv, glb, html, json, mot, nc, parquet, trc."""
    output: str = ""
    """Folder for the files; empty: beside each result."""
    preset: str = "blender"
    """Names and units of a BVH: blender (metres), mixamo (centimetres) or cmu."""
    fill: Literal["lines", "hold"] = "lines"
    """Where a person is out of sight: even lines from pose to pose, or the last pose held."""
    fps: float = 0.0
    """Rate of BVH and C3D, in frames a second; 0: the clip's own."""
    person: str = "all"
    """Whom to export: all, or numbers of people with commas between."""

    def __post_init__(self) -> None:
        _ = self.options

    @property
    def options(self) -> ExportOptions:
        """The same for an exporter.

        Raises:
            ValueError: A setting that makes no sense.
        """
        from pose3d_cli.files.export.base import ExportOptions  # loads NumPy

        people: tuple[int, ...] = ()
        if self.person != "all":
            try:
                people = tuple(int(number) for number in self.person.split(","))
            except ValueError:
                raise ValueError(
                    f"person ({self.person}) must be all, or numbers such as 0,2"
                ) from None
        return ExportOptions(preset=self.preset, fill=self.fill, fps=self.fps, people=people)
