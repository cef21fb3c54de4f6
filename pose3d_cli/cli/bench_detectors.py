"""`pose3d bench detect` and `pose3d bench detector`: how fast detectors are, and how they err."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.flags import Given
from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table
from pose3d_cli.errors import SettingsError
from pose3d_cli.pipeline.settings import DetectorSettings

if TYPE_CHECKING:
    from pose3d_cli.learn.rendered.detector_error import Finder, Found
    from pose3d_cli.learn.rendered.truth import Rendered
    from pose3d_cli.pipeline.bench_detect import DetectCost

EXAMPLES = {
    "detect": [
        "pose3d bench detect clip.mp4",
        "pose3d bench detect folder --detector rtmpose --detector-weights rtmpose-m-halpe26",
    ],
    "detector": [
        "pose3d data render --data mocap -o rendered",
        "pose3d bench detector rendered",
        "pose3d bench detector rendered --write-noise mine.toml",
        "pose3d bench detector --generator mocap --detector-noise mine.toml",
    ],
}
_GENERATED_CLIPS = 400
_NAMES_ONE = {"detector", "detector_weights", "mmpose_config", "mmpose_weights"}
_MEASURED = "measured"


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar)


def detect(
    screen: Screen,
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Videos, or folders of videos.")
    ],
    settings: DetectorSettings,
    given: Given,
    threads: Annotated[
        list[int] | None, _option("Threads; may be repeated (default: 1 and 2).", "N")
    ] = None,
    frames: Annotated[int, _option("First frames of each clip.", "N")] = 100,
    detect_every: Annotated[
        int, _option("Frames between two searches for people; 0: as lifting does.", "N")
    ] = 0,
) -> None:
    """Measure how fast detectors are on this machine, and how many people they find.

    Of every detector that can be run here, unless one is named.
    Detecting and following alone: pictures are decoded before the clock starts. People are tracks
    that would be lifted; more a frame is better where there are more, and worse where a chair is
    taken for one. Person detectors that are here are measured too, on every picture by themselves
    (`boxes NAME`): their people are boxes, which nobody follows.
    """
    from itertools import chain

    from pose3d_cli.pipeline.bench_detect import (
        bench_boxes,
        bench_detect,
        detectors_here,
        person_detectors_here,
    )
    from pose3d_cli.pipeline.clips import find_clips, readable

    if frames < 1 or detect_every < 0 or min(threads or [1]) < 1:
        raise SettingsError("--frames and --threads must be at least 1, --detect-every at least 0")
    chosen, finders = [(settings.detector, settings.detector_options)], []
    if not given & _NAMES_ONE:
        chosen = detectors_here(settings.detector_options)
        finders = person_detectors_here()
    clips, counts = readable(find_clips(inputs)), threads or [1, 2]
    screen.stage("detect", len(clips) * (len(chosen) + len(finders)) * len(counts))
    costs = []
    measured = bench_detect(
        clips, chosen, threads=counts, frames=frames, detect_every=detect_every or None
    )
    for cost in chain(measured, bench_boxes(clips, finders, threads=counts, frames=frames)):
        costs.append(cost)
        screen.advance()
    screen.show({"costs": [vars(cost) for cost in costs]}, table(_rows(costs)))


def _rows(costs: list[DetectCost]) -> list[tuple[str, ...]]:
    head = ("clip", "detector", "threads", "frames/s", "tracks", "people a frame", "score")
    body = [
        (
            cost.clip,
            cost.detector,
            f"{cost.threads}",
            f"{cost.frames_per_s:.1f}",
            f"{cost.people or ''}",
            f"{cost.people_a_frame:.2f}",
            f"{cost.score:.2f}",
        )
        for cost in costs
    ]
    return [head, *body]


def detector(
    screen: Screen,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="Clips of `data render`, or videos with 3D truth as `eval --dataset folder` has.",
        ),
    ] = None,
    *,
    settings: DetectorSettings,
    from_2d: Annotated[
        Path | None, _option("Folder of PERSON_keypoints.npz to measure instead.", "DIR")
    ] = None,
    generator: Annotated[
        Path | None, _option("Packed motion: measure the training generator's noise.", "DIR")
    ] = None,
    detector_noise: Annotated[
        str, _option("Which noise of the generator, as in `train`.", "NAME|FILE")
    ] = _MEASURED,
    write_noise: Annotated[
        Path | None, _option("Write it for `train --detector-noise FILE` (.toml).", "FILE")
    ] = None,
) -> None:
    """Measure how a 2D detector errs on people whose joints are known.

    By joint: where the point it marks lies from the joint, how much that differs between clips
    (an axis), its noise in a clip as a share of the person's extent in the picture, and how much
    of that noise is the same 0.2 s later. Then percentiles of the limb joints' error, as a share
    of the person's extent too, and whether scores tell it. Joints of unknown truth are left out.
    """
    from pose3d_cli.learn.rendered.report import report

    if (folder is None) == (generator is None) or (generator and from_2d):
        raise SettingsError(
            "give FOLDER, of `pose3d data render`, or --generator DIR alone; see --help"
        )
    if generator is None and detector_noise != _MEASURED:
        raise SettingsError("--detector-noise is the generator's: give --generator DIR with it")
    if write_noise is not None and write_noise.suffix != ".toml":
        raise SettingsError(f"--write-noise {write_noise}: name a file that ends in .toml")
    if folder is None:
        name = f"the generator, noise {detector_noise}"
        pairs = _generated(generator or Path(), detector_noise)
    else:
        name, find = _finder(settings, from_2d)
        pairs = _find_people(screen, folder, find)
    found = report(name, pairs)
    tables = [*table(found.joint_rows()), "", *table(found.percentile_rows())]
    tables += ["", *table(found.score_rows()), found.scores_in_words()]
    screen.show(found.to_json(), [found.in_words(), "", *tables])
    if write_noise is not None:
        _write_noise(screen, write_noise, name, pairs)


def _write_noise(
    screen: Screen, path: Path, name: str, pairs: list[tuple[Rendered, Found | None]]
) -> None:
    """Write the noise of a detector that was found on clips."""
    from pose3d_cli.learn.rendered.fit_noise import FEWEST_CLIPS, fit_noise
    from pose3d_cli.learn.rendered.report import found_ones
    from pose3d_cli.learn.synthetic.noise_file import write_noise

    clips = found_ones(pairs)
    about = f"{name}, measured on {len(clips)} clips by `pose3d bench detector`"
    fitted = fit_noise(clips, path.stem, about)
    write_noise(path, fitted.noise, fitted.assumed)
    if len(clips) < FEWEST_CLIPS:
        screen.warn(
            f"{path}: {len(clips)} clips ({FEWEST_CLIPS} would do) say too little of where joints "
            "are marked and of how clips differ; both are taken from `measured`"
        )
    screen.note(f"written to {path}")


def _finder(settings: DetectorSettings, from_2d: Path | None) -> tuple[str, Finder]:
    """Return what finds people, in words and as a function of a video."""
    from functools import partial

    from pose3d_cli.detect.make import make_detector
    from pose3d_cli.detect.video import people_in
    from pose3d_cli.learn.rendered.detector_error import read_from

    if from_2d is not None:
        return f"files in {from_2d}", read_from(from_2d)
    made = make_detector(settings.detector, settings.detector_options)
    return made.name, partial(people_in, detector=made)


def _find_people(screen: Screen, folder: Path, find: Finder) -> list[tuple[Rendered, Found | None]]:
    """Return the clips of a folder, and what was found in each."""
    from pose3d_cli.learn.rendered.detector_error import nearest
    from pose3d_cli.learn.rendered.recorded import read_known

    clips = read_known(folder)
    screen.stage("detect", len(clips))
    pairs = []
    for clip in clips:
        pairs.append((clip, nearest(find(clip.video), clip)))
        screen.advance()
        if pairs[-1][1] is None:
            screen.detail(f"{clip.video}: the person was not found")
    return pairs


def _generated(data: Path, noise: str) -> list[tuple[Rendered, Found | None]]:
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.rendered.generated import generated
    from pose3d_cli.learn.synthetic.noise_file import find_noise

    return generated(read_pack(data, "train"), _GENERATED_CLIPS, noise=find_noise(noise))
