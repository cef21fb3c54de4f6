"""`pose3d weights list`, `pose3d weights describe` and `pose3d weights convert`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen, facts
from pose3d_cli.cli.table import table
from pose3d_cli.errors import InputError, SettingsError

EXAMPLES = {
    "list": ["pose3d weights list", "pose3d weights list --all", "pose3d weights list --json"],
    "describe": [
        "pose3d weights describe dualstream-xs-27",
        "pose3d weights describe runs/xs/weights.safetensors",
        "pose3d weights describe rtmpose-m-halpe26",
    ],
    "convert": [
        "pose3d weights convert motionagformer-b-h36m.pth.tr",
        "pose3d weights convert motionagformer-b-mpi.pth.tr --trained-on 3dhp -o mpi.safetensors",
        "pose3d lift clip.mp4 --weights motionagformer-b-h36m.safetensors",
    ],
}

_SUFFIX = ".safetensors"


def list_(
    screen: Screen,
    every: Annotated[
        bool, typer.Option("--all", help="Also networks that are yet to be downloaded.")
    ] = False,
) -> None:
    """List the weights that came with the program and the networks that were downloaded.

    AP is average precision as published, in per cent, and on what; `weights describe NAME` says by
    whom. `--json` always lists every network.
    """
    from pose3d_cli.files.catalogue import catalogue
    from pose3d_cli.files.model_cache import here
    from pose3d_cli.pipeline import models
    from pose3d_cli.pipeline.stock import list_weights

    found = list_weights()
    head = ("name", "what", "bytes", "sha256")
    rows = [(w.name, w.what, f"{w.n_bytes:,}", w.sha256[:16]) for w in found]
    shown = [models.row(model) for model in (catalogue().values() if every else here())]
    more = ["", *table([models.HEAD, *shown])] if shown else []
    every_one = [models.describe_model(model) for model in catalogue().values()]
    record = {"weights": [vars(w) for w in found], "models": every_one}
    screen.show(record, [*table([head, *rows]), *more, "", models.hint()])


def describe(
    weights: Annotated[
        str,
        typer.Argument(metavar="WEIGHTS", help="Shipped name, .safetensors file, or a network."),
    ],
    screen: Screen,
) -> None:
    """Say what weights are.

    Lifter, settings, origin, licence and measured figures.
    """
    from pose3d_cli.files.catalogue import catalogue

    if weights in catalogue():
        from pose3d_cli.pipeline.models import describe_model

        about = describe_model(catalogue()[weights])
    else:
        from pose3d_cli.pipeline.info import describe_file
        from pose3d_cli.pipeline.stock import find_weights

        about = describe_file(find_weights(weights))
    screen.show(about, facts(about))


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="MotionAGFormer's .pth.tr file.")
    ],
    screen: Screen,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Weights to write (default: CHECKPOINT's name)."
        ),
    ] = None,
    trained_on: Annotated[
        str, typer.Option(metavar="h36m|3dhp", help="Data set that the checkpoint learnt from.")
    ] = "h36m",
    half: Annotated[
        bool, typer.Option("--half/--no-half", help="Half the size, three digits of each number.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite/--no-overwrite", help="Replace a file that is there.")
    ] = False,
) -> None:
    """Convert a published MotionAGFormer checkpoint, which is the same network as `dualstream`.

    The weights give what the original gives, to rounding. A checkpoint does not say what it learnt
    from, nor under which terms it may be used: ask its authors.
    """
    from pose3d_cli.lift import weights
    from pose3d_cli.lift.foreign import convert, doubts
    from pose3d_cli.pipeline.info import describe_file

    network, about = convert(checkpoint, trained_on=trained_on)
    path = _target(checkpoint, output, overwrite=overwrite)
    weights.save(path, network, about, half=half)
    for doubt in doubts(checkpoint, trained_on):
        screen.warn(doubt)
    screen.note(f"{checkpoint}: {about.lifter}, {about.config['frames']} frames; {about.licence}")
    screen.show(describe_file(path), [path])


def _target(checkpoint: Path, output: Path | None, *, overwrite: bool) -> Path:
    """Return the file to write, refusing one that must not be replaced."""
    stem = re.sub(r"(\.(pth|pt|tr|tar|bin|ckpt))+$", "", checkpoint.name)
    path = output or checkpoint.with_name(stem + _SUFFIX)
    if path.suffix != _SUFFIX:
        raise SettingsError(f"-o {path}: weights are written as *{_SUFFIX}; give such a name")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already; use --overwrite or another -o")
    return path
