"""What made a result: program, weights, settings, input; a JSON file beside each output."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pose3d_cli import __version__
from pose3d_cli.files.atomic import replacing
from pose3d_cli.pipeline.settings import LiftSettings

RUN_FILE = "run.json"
"""Written last: it tells a finished clip."""

_SAMPLED_BYTES = 1 << 20


def fingerprint(path: Path) -> str:
    """Return a digest of a file's size, first and last megabyte: cheap for any length of video."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLED_BYTES))
        file.seek(max(size - _SAMPLED_BYTES, 0))
        digest.update(file.read(_SAMPLED_BYTES))
    return digest.hexdigest()


def write_run(path: Path, clip: Path, settings: LiftSettings, facts: dict[str, Any]) -> None:
    """Write `run.json`: what ran on what, how long it took and what it warned of."""
    record = {
        "format": "pose3d-run/1",
        "program_version": __version__,
        "input": {"path": str(clip), "fingerprint": fingerprint(clip)},
        "settings": asdict(settings),
        **facts,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
