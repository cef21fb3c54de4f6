"""CSV: a row a frame, person and joint, for spreadsheets and statistics."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.files.export.base import Exported, ExportOptions, chosen, with_end
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.tables import write_csv


@register_exporter("csv")
class Csv:
    """Writes CSV."""

    suffix = ".csv"
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one table with everybody."""
        path = with_end(stem, self.suffix)
        write_csv(path, chosen(result, options))
        return Exported(files=(path,))
