"""Whether everything is there that pose3d needs on this machine: `pose3d doctor`."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from pose3d_cli import __version__
from pose3d_cli.errors import (
    ExitCode,
    MissingExtraError,
    OutputError,
    Pose3DError,
    WeightsError,
)
from pose3d_cli.files.video import open_video
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.models import count_here
from pose3d_cli.pipeline.stock import DEFAULT_LIFTER, find_weights, list_weights

_NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "torch": "torch",
    "safetensors": "safetensors",
    "jaxtyping": "jaxtyping",
    "typer": "typer",
    "rich": "rich",
    "opencv-python": "cv2",
    "matplotlib": "matplotlib",
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "filelock": "filelock",
    "platformdirs": "platformdirs",
}
_OPTIONAL = {"av": "av", "onnxruntime": "onnxruntime"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        is_ok: Whether it works.
        is_needed: Whether nothing goes without it.
        found: What was found, or what is wrong and what to do.
        exit_code: Of a needed thing that does not work.
    """

    name: str
    is_ok: bool
    found: str
    is_needed: bool = True
    exit_code: int = ExitCode.OK


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Everything that was looked at."""

    checks: list[Check]

    @property
    def exit_code(self) -> int:
        """OK, or the code of the first needed thing that does not work."""
        broken = (c.exit_code for c in self.checks if c.is_needed and not c.is_ok)
        return int(next(broken, ExitCode.OK))

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"ok": not self.exit_code, "checks": [asdict(check) for check in self.checks]}

    def lines(self) -> list[str]:
        """Return a line a check."""
        width = max(len(check.name) for check in self.checks)
        verdict = "broken: see above" if self.exit_code else "everything needed is there"
        return [*(f"{_mark(c):7} {c.name:{width}}  {c.found}" for c in self.checks), verdict]


def _mark(check: Check) -> str:
    if check.is_ok:
        return "ok"
    return "BROKEN" if check.is_needed else "absent"


def examine() -> Examination:
    """Look at this machine and this installation; nothing is left behind."""
    checks = [
        Check(name="pose3d", is_ok=True, found=f"{__version__} in {Path(__file__).parents[1]}"),
        Check(name="python", is_ok=True, found=f"{platform.python_version()} {sys.executable}"),
        Check(name="platform", is_ok=True, found=f"{platform.platform()}, {os.cpu_count()} CPUs"),
        *(_package(name, module, is_needed=True) for name, module in _NEEDED.items()),
        *(_package(name, module, is_needed=False) for name, module in _OPTIONAL.items()),
        _tried("devices", _devices),
        *_weights(),
        _tried("detector", _detector),
        _tried("lifter", lambda: f"{find_weights(DEFAULT_LIFTER)} by default"),
        _tried("networks", count_here),
        _tried("write here", _write),
        _tried("video", _video),
    ]
    return Examination(checks=checks)


def _package(name: str, module: str, *, is_needed: bool) -> Check:
    try:
        importlib.import_module(module)
        found, is_ok = version(name), True
    except (ImportError, OSError, PackageNotFoundError) as error:
        found, is_ok = f"{error}; `pip install {name}`", False
    code = MissingExtraError.exit_code
    return Check(name=name, is_ok=is_ok, found=found, is_needed=is_needed, exit_code=code)


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, is_ok=True, found=look())
    except Pose3DError as error:
        return Check(name=name, is_ok=False, found=str(error), exit_code=error.exit_code)
    except ImportError as error:
        code = MissingExtraError.exit_code
        return Check(name=name, is_ok=False, found=str(error), exit_code=code)


def _devices() -> str:
    from pose3d_cli.lift.device import DEVICES, resolve  # loads torch

    there = []
    for name in DEVICES[1:]:
        try:
            there.append(str(resolve(name)))
        except Pose3DError:
            continue
    return f"{', '.join(there)}; auto takes {resolve('auto')}"


def _weights() -> Iterator[Check]:
    code = WeightsError.exit_code
    for weights in list_weights():
        found = f"{weights.n_bytes:,} bytes, sha256 {weights.sha256}"
        if not weights.is_ok:
            found = f"{weights.path}: {weights.what}" if weights.path else weights.what
        yield Check(name=weights.name, is_ok=weights.is_ok, found=found, exit_code=code)


def _detector() -> str:
    from pose3d_cli.detect.make import AUTO, make_detector
    from pose3d_cli.detect.options import DetectorOptions

    return f"{make_detector(AUTO, DetectorOptions()).name} by default"


def _write() -> str:
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()) as file:
            file.write(b"pose3d")
    except OSError as error:
        raise OutputError(
            f"{Path.cwd()}: cannot be written to ({error.strerror}); results need -o elsewhere"
        ) from error
    return str(Path.cwd())


def _video() -> str:
    """Write a short video and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.mp4"
        with VideoWriter(path, size_px=(64, 64), fps=25.0) as writer:
            for number in range(3):
                writer.write(np.full((64, 64, 3), 80 * number, np.uint8), number / 25)
        with open_video(path) as video:
            n_frames = sum(1 for _ in video)
    hint = (
        "" if writer.codec == "h264" else " (browsers do not play it: pip install 'pose3d[video]')"
    )
    return f"writes {writer.codec}{hint}, reads {n_frames} frames back"
