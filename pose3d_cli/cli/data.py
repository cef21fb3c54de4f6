"""`pose3d data import`, `detect`, `render` and `check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pose3d_cli.cli.screen import Screen, facts
from pose3d_cli.pipeline.settings import DetectorSettings

if TYPE_CHECKING:
    from pose3d_cli.pipeline.gather import Gathered

EXAMPLES = {
    "import": [
        "pose3d data import recordings -o mocap",
        "pose3d data import cmu/subjects -o mocap --amc-fps 120 --licence 'free for all uses'",
    ],
    "detect": [
        "pose3d data detect videos -o keypoints",
        "pose3d train --stage pretrain --data mocap --keypoints keypoints -o runs/pre",
    ],
    "check": [
        "pose3d data check data_3d_h36m.npz",
        "pose3d data check data/ --dataset h36m --keypoints gt",
    ],
    "render": [
        "pose3d data render --data mocap --split test -o rendered",
        "pose3d lift rendered/person0000.mp4 --intrinsics rendered/person0000.toml",
        "pose3d bench detector rendered",
    ],
}


def _option(text: str, metavar: str | None = None) -> Any:
    return typer.Option(help=text, metavar=metavar)


def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Searched with all in it.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the packed motion.")
    ],
    screen: Screen,
    licence: Annotated[str, _option("Terms of the motions, kept with each clip.")] = "unknown",
    fps: Annotated[float, _option("Frames a second of the packed clips.")] = 50.0,
    amc_fps: Annotated[float, _option("Frames a second of AMC files.")] = 120.0,
    metres_per_unit: Annotated[float, _option("Length of the files' unit; 0: as they say.")] = 0.0,
    held_out: Annotated[float, _option("Share of subjects for val, and again for test.")] = 0.1,
) -> None:
    """Convert BVH or ASF/AMC files for training.

    The subject of a file is the first folder below FOLDER, or what stands before the first
    underscore of its name; subjects are held out whole.
    """
    from pose3d_cli.config import build
    from pose3d_cli.learn.import_mocap import ImportSettings, import_folder

    values = {"licence": licence, "fps": fps, "amc_fps": amc_fps, "held_out": held_out}
    values["metres_per_unit"] = metres_per_unit
    report = import_folder(folder, output, build(ImportSettings, values, where="command line"))
    minutes = f"{len(report.done)} clips, {report.seconds / 60:.1f} minutes, in {output}"
    screen.show(report.to_json(), [minutes, *facts({"subjects": report.subjects})])
    for path, why in report.skipped.items():
        screen.warn(f"{path}: left out: {why}")
    for split, use in (("val", "training"), ("test", "eval --dataset mocap")):
        if split not in report.subjects.values():
            screen.warn(
                f"no subject is held out for {split}, which {use} needs: import more people"
            )
    for name, notes in report.done.items():
        screen.detail(f"{name}: {'; '.join(notes) or 'as it is'}")


def detect(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Videos, or folders of videos.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the keypoint files.")
    ],
    settings: DetectorSettings,
    screen: Screen,
) -> None:
    """Write the 2D keypoints of videos, to pre-train on.

    Each CLIP becomes CLIP_keypoints.npz, in folders as the clips lie in theirs. Given again, the
    same command goes on where it was stopped: a file that is younger than its clip stays as it is.
    """
    from pose3d_cli.pipeline.gather import gather

    report = gather(
        inputs,
        output,
        screen,
        lambda clip, outcome: _tell(clip, outcome, screen),
        detector=settings,
    )
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _tell(clip: Path, outcome: Gathered | Exception, screen: Screen) -> None:
    if isinstance(outcome, Exception):
        screen.error(outcome, clip=str(clip))
        return
    screen.show(outcome.as_json(), [outcome.keypoints])
    people = "1 person" if outcome.people == 1 else f"{outcome.people} people"
    told = "was there already" if outcome.people is None else f"{people}, {outcome.frames} rows"
    screen.note(f"{clip}: {told}")


def render(
    screen: Screen,
    data: Annotated[Path, _option("Folder of packed motion (`pose3d data import`).", "DIR")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the clips.")
    ],
    split: Annotated[str, _option("Subjects who move: train, val or test.")] = "test",
    clips: Annotated[int, _option("How many clips.")] = 40,
    seconds: Annotated[float, _option("Length of each.")] = 2.0,
    fps: Annotated[float, _option("Frames a second.")] = 25.0,
    longer_side: Annotated[int, _option("Longer side of the pictures.", "PX")] = 960,
    seed: Annotated[int, _option("Start of the random numbers.")] = 0,
) -> None:
    """Render videos of people whose every joint is known, to measure detectors and lifters on.

    Each clip is three files: PERSON.mp4, PERSON.toml (its camera, for --intrinsics) and
    PERSON_truth.npz (for `pose3d eval --truth`). Given again, the same command goes on where it
    was stopped. Needs the extra `rendered`: pip install 'pose3d[rendered]'.
    """
    from pose3d_cli.config import build
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.rendered.anny_body import AnnyBodies
    from pose3d_cli.learn.rendered.clips import RenderSettings, render_clips
    from pose3d_cli.pipeline.outputs import writable

    values = {"clips": clips, "seconds": seconds, "fps": fps, "longer_side_px": longer_side}
    settings = build(RenderSettings, {**values, "seed": seed}, where="command line")
    motion = read_pack(data, split)
    with writable(output):
        screen.stage("prepare", None)
        bodies = AnnyBodies()
        screen.stage("render", clips)
        for video, is_new in render_clips(motion, bodies, output, settings):
            screen.advance()
            told = "rendered" if is_new else "was there already"
            screen.show({"clip": str(video), "rendered": is_new}, [f"{video}: {told}"])


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File or folder of a data set.")],
    screen: Screen,
    dataset: Annotated[
        str | None, _option("What it should be (default: what it looks like).", "NAME")
    ] = None,
    keypoints: Annotated[str, _option("2D to check, of those the set has.", "NAME")] = "",
) -> None:
    """Say what a data set's file is, and all that is wrong with it.

    Wrong units, joint orders, missing keys, files taken for each other. Ends with code 3 if
    something is wrong, 11 if nothing is there.
    """
    from pose3d_cli.learn.benchmark.check import check_data

    report = check_data(path, dataset, keypoints)
    screen.show(report.to_json(), report.lines())
    raise typer.Exit(report.exit_code)
