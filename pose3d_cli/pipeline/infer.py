"""Video in, 3D people out: one clip through the whole chain, to files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pose3d_cli import __version__
from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files.camera_file import read_camera
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.results import ClipResult, write_result
from pose3d_cli.files.tables import write_csv
from pose3d_cli.lift.about import WeightsAbout, sha256
from pose3d_cli.pipeline.draw import draw_video
from pose3d_cli.pipeline.observe import Mended, Observation, mend, observe
from pose3d_cli.pipeline.place import Placed, lift_people
from pose3d_cli.pipeline.provenance import write_run
from pose3d_cli.pipeline.report import ClipReport, Reporter
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.stock import find_weights
from pose3d_cli.pose.camera import (
    Camera,
    camera_from_focal35,
    camera_from_fov,
    camera_record,
    default_camera,
)
from pose3d_cli.pose.skeleton import H36M17

if TYPE_CHECKING:
    from pose3d_cli.lift.windowed import WindowedLifter


class ClipLifter:
    """Lifts one clip after another with models that are loaded once."""

    def __init__(self, settings: LiftSettings) -> None:
        self.settings = settings

    @cached_property
    def detector(self) -> Detector | None:
        """The detector; None if keypoints come from a file."""
        return None if self.settings.from_2d else DETECTORS.get(self.settings.detector)()

    @cached_property
    def lifter(self) -> WindowedLifter:
        """The lifter, on its device."""
        from pose3d_cli.lift.device import resolve  # loads torch
        from pose3d_cli.lift.windowed import WindowedLifter

        return WindowedLifter.from_file(
            self._weights, resolve(self.settings.device), mirror=self.settings.mirror
        )

    @property
    def _weights(self) -> Path:
        return find_weights(self.settings.weights)

    @cached_property
    def _weights_record(self) -> dict[str, str]:
        return {"name": self._weights.stem, "sha256": sha256(self._weights)}

    def lift(self, clip: Path, reporter: Reporter) -> ClipReport:
        """Lift `clip` and write its results.

        Raises:
            Pose3DError: What is wrong with the clip, the settings or the output folder.
        """
        settings, watch = self.settings, _Watch(reporter)
        folder = output_folder(clip, settings)
        about = self.lifter.about  # bad weights are told before any work
        with watch.timed("detect"):
            seen = observe(clip, settings, self.detector, watch)
            people = mend(seen, settings)
        camera = camera_of(settings, seen.image_size)
        if not (settings.fov or settings.focal35 or settings.intrinsics):
            watch.warn(f"camera: {camera.source}")
        with watch.timed("lift"):
            scale = (settings.height or about.stature_m) / about.stature_m
            placed = lift_people(people, self.lifter, camera, scale, watch)
        meta = _meta(seen, people, camera, settings, about, self._weights_record)
        result = assemble(seen, placed, meta)
        outputs = self._write(clip, folder, seen, result, watch)
        report = ClipReport(
            clip=clip,
            outputs=outputs,
            people=len(result.person_id),
            frames=len(result.frame),
            seconds=watch.seconds,
            warnings=watch.warnings,
        )
        facts = {**report.as_json(), "meta": meta}
        write_run(folder / "run.json", clip, settings, facts)
        outputs["run"] = folder / "run.json"
        return report

    def _write(
        self, clip: Path, folder: Path, seen: Observation, result: ClipResult, watch: _Watch
    ) -> dict[str, Path]:
        outputs = {
            "npz": folder / f"{clip.stem}.npz",
            "csv": folder / f"{clip.stem}.csv",
            "keypoints": folder / f"{clip.stem}_keypoints.npz",
        }
        with watch.timed("write"):
            make_folder(folder)
            write_keypoints(outputs["keypoints"], seen.people, {"detector": seen.detector})
            write_result(outputs["npz"], result)
            write_csv(outputs["csv"], result)
        if self.settings.render != "off":
            outputs["video"] = folder / f"{clip.stem}.mp4"
            with watch.timed("draw"):
                codec = draw_video(clip, result, outputs["video"], self.settings, watch)
            if codec != "h264":
                watch.warn(
                    f"{outputs['video']} is MPEG-4 part 2, which browsers do not play; "
                    "`pip install 'pose3d[video]'` gives H.264"
                )
        return outputs


class _Watch:
    """A reporter that also keeps times and warnings."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []

    def stage(self, name: str, total: int | None) -> None:
        self.reporter.stage(name, total)

    def advance(self) -> None:
        self.reporter.advance()

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            self.reporter.warn(text)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[stage] = time.monotonic() - started


def lift_clip(path: Path, settings: LiftSettings, reporter: Reporter) -> ClipReport:
    """Lift one clip; see `ClipLifter.lift`."""
    return ClipLifter(settings).lift(path, reporter)


def output_folder(clip: Path, settings: LiftSettings) -> Path:
    """Return the folder of a clip's results, refusing one that must not be replaced."""
    base = Path(settings.output) if settings.output else clip.parent
    folder = base / f"{clip.stem}_pose3d"
    if not settings.overwrite and (folder / "run.json").exists():
        raise InputError(f"{folder}: has results already; use --overwrite or another -o")
    return folder


def make_folder(folder: Path) -> None:
    """Create `folder` and those above it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be created ({error.strerror}); choose another folder with -o"
        ) from error


def camera_of(settings: LiftSettings, image_size: tuple[int, int]) -> Camera:
    """Return the camera the settings tell of, or the stated default."""
    if settings.intrinsics:
        return read_camera(Path(settings.intrinsics), image_size)
    if settings.fov:
        return camera_from_fov(settings.fov, image_size)
    if settings.focal35:
        return camera_from_focal35(settings.focal35, image_size)
    return default_camera(image_size)


def assemble(seen: Observation, placed: Sequence[Placed], meta: dict[str, Any]) -> ClipResult:
    """Lay everybody's stretches on the clip's own frames."""
    ids = sorted({piece.person for piece in placed})
    shape = (len(ids), len(seen.frames), len(H36M17.joints))
    arrays = {
        "xyz_camera": np.full((*shape, 3), np.nan, np.float32),
        "xyz_root": np.full((*shape, 3), np.nan, np.float32),
        "keypoints_px": np.full((*shape, 2), np.nan, np.float32),
        "score": np.zeros(shape, np.float32),
    }
    for piece in placed:
        where = ids.index(piece.person), np.searchsorted(seen.frames, piece.keypoints.frames)
        arrays["xyz_camera"][where] = piece.xyz_camera
        arrays["xyz_root"][where] = piece.xyz_root
        arrays["keypoints_px"][where] = piece.keypoints.xy
        arrays["score"][where] = piece.keypoints.score
    return ClipResult(
        **arrays,
        time_s=seen.time_s,
        frame=seen.frames,
        joint_names=H36M17.joints,
        parents=H36M17.parent_index.astype(np.int64),
        person_id=np.array(ids, np.int64),
        meta=meta,
    )


def _meta(
    seen: Observation,
    people: Sequence[Mended],
    camera: Camera,
    settings: LiftSettings,
    about: WeightsAbout,
    weights_record: dict[str, str],
) -> dict[str, Any]:
    if settings.height:
        scale = f"--height {settings.height:g} m, for everybody"
    else:
        scale = f"assumed: everybody is {about.stature_m:.2f} m tall"
    return {
        "fps": seen.fps,
        "camera": camera_record(camera),
        "scale_source": scale,
        "detector": seen.detector,
        "weights": weights_record,
        "program_version": __version__,
        "flips_mended": {str(person.person): person.flipped for person in people},
    }
