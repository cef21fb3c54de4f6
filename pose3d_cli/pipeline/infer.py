"""Video in, 3D people out: one clip through the whole chain, to files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.make import AUTO, make_detector
from pose3d_cli.errors import Pose3DError
from pose3d_cli.files.camera_file import read_camera
from pose3d_cli.files.results import ClipResult
from pose3d_cli.files.video import open_video
from pose3d_cli.lift.about import sha256
from pose3d_cli.pipeline.assemble import assemble, meta_of
from pose3d_cli.pipeline.mend import mend
from pose3d_cli.pipeline.observe import Observation, observe_parts
from pose3d_cli.pipeline.outputs import Writer, clean, writable
from pose3d_cli.pipeline.place import lift_people
from pose3d_cli.pipeline.polish import polish
from pose3d_cli.pipeline.provenance import RUN_FILE, fingerprint_of, write_run
from pose3d_cli.pipeline.report import ClipReport, Reporter
from pose3d_cli.pipeline.resume import made_with
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.stand import Ground, ReadUp
from pose3d_cli.pipeline.stock import find_weights, upright_weights
from pose3d_cli.pipeline.tally import Tally
from pose3d_cli.pipeline.watch import Watch
from pose3d_cli.pose.camera import (
    Camera,
    camera_from_focal35,
    camera_from_fov,
    default_camera,
)
from pose3d_cli.pose.clean.chain import Known
from pose3d_cli.pose.spans import MARGIN_S, Parting

if TYPE_CHECKING:
    from pose3d_cli.lift.upright_reader import UprightReader
    from pose3d_cli.lift.windowed import WindowedLifter


@dataclass(eq=False)
class _SoFar:
    """What is known of a clip from its parts so far.

    Attributes:
        camera: Of the whole clip.
        ground: Its world.
        tally: Who was in it.
        known: Bones and feet of each person, where the part before left them.
    """

    camera: Camera
    ground: Ground
    tally: Tally
    known: dict[int, Known] = field(default_factory=dict)


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

    @cached_property
    def upright(self) -> UprightReader:
        """What reads up from how people go about, on the lifter's device."""
        from pose3d_cli.lift.upright_reader import UprightReader

        return UprightReader.from_file(upright_weights(), self.lifter.device)

    @property
    def _weights(self) -> Path:
        return find_weights(self.settings.weights)

    @cached_property
    def _weights_record(self) -> dict[str, str]:
        return _named(self._weights)

    @cached_property
    def _up_record(self) -> dict[str, dict[str, str]]:
        reads = self.settings.up != "camera"
        return {"up_weights": _named(upright_weights())} if reads else {}

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
        if self.settings.up != "camera":
            _ = self.upright
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
        settings, lifted = self.settings, fingerprint_of(clip)
        tally, writer = Tally(clip, settings), Writer(clip, folder, settings, watch)
        span = {"start_s": settings.start or None, "end_s": settings.end or None}
        with open_video(clip, **span) as video, closing(writer):
            camera = camera_of(settings, video.size_px)
            if not (settings.fov or settings.focal35 or settings.intrinsics):
                watch.warn(f"camera: {camera.source}")
            so_far = _SoFar(camera, Ground(settings.up, self._read_up(camera)), tally)
            parts = observe_parts(video, settings, self.detector, watch, self._parting())
            try:
                for seen in watch.timed_each("detect", parts):
                    writer.write(seen, self._lift_part(seen, so_far, watch))
            except Pose3DError:
                if writer.outputs and not tally.people:  # parts of nothing
                    writer.remove()
                raise
        report = ClipReport(
            clip=clip,
            outputs=writer.outputs,
            people=len(tally.people),
            frames=tally.n_frames,
            seconds=watch.seconds,
            warnings=watch.warnings,
        )
        write_run(
            folder / RUN_FILE,
            clip,
            settings,
            {**report.as_json(), **tally.as_json()},
            clip_fingerprint=lifted,
            made_with=self._made_with,
            files=report.outputs.values(),
        )
        report.outputs["run"] = folder / RUN_FILE
        return report

    def _read_up(self, camera: Camera) -> ReadUp:
        return lambda people: self.upright.read(people, camera)

    def _parting(self) -> Parting:
        """Return how a clip is cut: neighbours see all that the lifter or a gap may need."""
        settings, about = self.settings, self.lifter.about
        if not settings.part_minutes:
            return Parting()
        margin_s = max(MARGIN_S, self.lifter.window / about.rate_hz, settings.max_gap + 1)
        return Parting(part_s=60 * settings.part_minutes, margin_s=margin_s)

    def _lift_part(self, seen: Observation, clip: _SoFar, watch: Watch) -> ClipResult:
        settings, about, camera = self.settings, self.lifter.about, clip.camera
        clip.tally.see(seen)
        if seen.span.number == 1 and not seen.span.is_whole:
            _tell_of_parts(settings, watch)
        people = mend(seen, settings, watch)
        clip.tally.refuse_nobody(seen, people)
        with watch.timed("lift"):
            scale = (settings.height or about.stature_m) / about.stature_m
            placed = lift_people(people, self.lifter, camera, scale, watch)
            world = clip.ground.world(placed, seen.motion, watch)
            span = seen.span
            polished = polish(placed, world, settings, span.frames, span.time_s, clip.known)
            clip.known = polished.known
        meta = meta_of(seen, people, camera, settings, about, self._weights_record)
        meta |= self._up_record
        meta["clean_up"] = polished.record
        result = assemble(seen, polished.placed, meta, world)
        clip.tally.add(seen, result)
        return result


def _named(weights: Path) -> dict[str, str]:
    return {"name": weights.stem, "sha256": sha256(weights)}


def _tell_of_parts(settings: LiftSettings, watch: Watch) -> None:
    """Say that a clip is done in parts, and what of the settings that concerns."""
    told = f"in parts of {settings.part_minutes:g} minutes"
    watch.note(f"a long clip, lifted {told}; --part-minutes changes that")
    if settings.person in ("largest", "longest") or settings.max_people:
        watch.warn(
            f"lifted {told}: --person {settings.person} and --max-people choose in each of them "
            "anew; --part-minutes 0 chooses over the whole clip"
        )


def camera_of(settings: LiftSettings, image_size: tuple[int, int]) -> Camera:
    """Return the camera the settings tell of, or the stated default."""
    if settings.intrinsics:
        return read_camera(Path(settings.intrinsics), image_size)
    if settings.fov:
        return camera_from_fov(settings.fov, image_size)
    if settings.focal35:
        return camera_from_focal35(settings.focal35, image_size)
    return default_camera(image_size)
