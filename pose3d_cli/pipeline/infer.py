"""Video in, 3D people out: one clip through the whole chain, to files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from pose3d_cli import __version__
from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.make import AUTO, make_detector
from pose3d_cli.errors import NobodyFoundError
from pose3d_cli.files.camera_file import read_camera
from pose3d_cli.files.results import ClipResult, PersonResult
from pose3d_cli.files.video import open_video
from pose3d_cli.lift.about import WeightsAbout, sha256
from pose3d_cli.pipeline.observe import Mended, Observation, mend, observe
from pose3d_cli.pipeline.outputs import clean, writable, write_outputs
from pose3d_cli.pipeline.place import Placed, lift_people
from pose3d_cli.pipeline.provenance import RUN_FILE, fingerprint_of, write_run
from pose3d_cli.pipeline.report import ClipReport, Reporter
from pose3d_cli.pipeline.resume import made_with
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.stock import find_weights
from pose3d_cli.pipeline.watch import Watch
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
        self._is_told = False

    @cached_property
    def detector(self) -> Detector | None:
        """The detector; None if keypoints come from a file."""
        if self.settings.from_2d:
            return None
        return make_detector(self.settings.detector, self.settings.detector_options)

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

    @cached_property
    def _made_with(self) -> dict[str, Any]:
        return made_with(self.settings)

    def lift(self, clip: Path, folder: Path, reporter: Reporter) -> ClipReport:
        """Lift `clip` and write its results into `folder`.

        Raises:
            Pose3DError: What is wrong with the clip, the settings or the output folder.
        """
        watch = Watch(reporter)
        _ = self.lifter  # bad weights are told before any work
        self._tell_detector(watch)
        with writable(folder):
            clean(clip, folder)
            return self._lift_into(folder, clip, watch)

    def _tell_detector(self, watch: Watch) -> None:
        """Say what `auto` chose, once for all clips."""
        if self.detector is not None and self.settings.detector == AUTO and not self._is_told:
            watch.note(f"detector: {self.detector.name}; --detector chooses another")
        self._is_told = True

    def _lift_into(self, folder: Path, clip: Path, watch: Watch) -> ClipReport:
        settings, about, lifted = self.settings, self.lifter.about, fingerprint_of(clip)
        span = {"start_s": settings.start or None, "end_s": settings.end or None}
        with open_video(clip, **span) as video:
            camera = camera_of(settings, video.size_px)
            if not (settings.fov or settings.focal35 or settings.intrinsics):
                watch.warn(f"camera: {camera.source}")
            with watch.timed("detect"):
                seen = observe(video, settings, self.detector, watch)
        people = mend(seen, settings, watch)
        if not any(person.stretches for person in people):
            raise NobodyFoundError(
                f"{clip}: {seen.detector} shows nobody whose hips are known, so nobody can be "
                "lifted; keypoints with both hips are needed"
            )
        with watch.timed("lift"):
            scale = (settings.height or about.stature_m) / about.stature_m
            placed = lift_people(people, self.lifter, camera, scale, watch)
        meta = _meta(seen, people, camera, settings, about, self._weights_record)
        result = assemble(seen, placed, meta)
        report = ClipReport(
            clip=clip,
            outputs=write_outputs(clip, folder, seen, result, settings, watch),
            people=len(result.people),
            frames=len(result.frame),
            seconds=watch.seconds,
            warnings=watch.warnings,
        )
        write_run(
            folder / RUN_FILE,
            clip,
            settings,
            {**report.as_json(), "meta": meta},
            clip_fingerprint=lifted,
            made_with=self._made_with,
            files=report.outputs.values(),
        )
        report.outputs["run"] = folder / RUN_FILE
        return report


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
    """Put everybody's stretches on the clip's own time axis."""
    ids = sorted({piece.person for piece in placed})
    return ClipResult(
        people=[
            _joined(person, [piece for piece in placed if piece.person == person], seen.frames)
            for person in ids
        ],
        time_s=seen.time_s,
        frame=seen.frames,
        joint_names=H36M17.joints,
        parents=H36M17.parent_index.astype(np.int64),
        meta=meta,
    )


def _joined(
    person: int, pieces: Sequence[Placed], frames: Int64[np.ndarray, " frames"]
) -> PersonResult:
    """Return one person's stretches as one, in the order of time."""
    pieces = sorted(pieces, key=lambda piece: int(piece.keypoints.frames[0]))
    seen = np.concatenate([piece.keypoints.frames for piece in pieces])
    return PersonResult(
        person=person,
        rows=np.searchsorted(frames, seen).astype(np.int64),
        xyz_camera=np.concatenate([piece.xyz_camera for piece in pieces]),
        xyz_root=np.concatenate([piece.xyz_root for piece in pieces]),
        keypoints_px=np.concatenate([piece.keypoints.xy for piece in pieces]),
        score=np.concatenate([piece.keypoints.score for piece in pieces]),
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
        "detector_joints": list(seen.joints),
        "weights": weights_record,
        "program_version": __version__,
        "flips_mended": {str(person.person): person.flipped for person in people},
    }
