"""Flags that choose a detector, said once for the commands that have no settings class."""

from __future__ import annotations

from typing import Annotated

import typer


def _option(flag: str, metavar: str, text: str) -> typer.models.OptionInfo:
    return typer.Option(flag, metavar=metavar, help=text)


DetectorName = Annotated[
    str,
    _option("--detector", "NAME", "rtmpose, blazepose, mmpose; auto: the best that is here."),
]
DetectorWeights = Annotated[
    str,
    _option("--detector-weights", "NAME|FILE", "Weights of rtmpose (see `weights list --all`)."),
]
Boxes = Annotated[
    str,
    _option("--boxes", "NAME|FILE", "What finds people for it: auto, blazepose, yolox-nano..."),
]
MMPoseConfig = Annotated[str, _option("--mmpose-config", "FILE", "Configuration for mmpose.")]
MMPoseWeights = Annotated[str, _option("--mmpose-weights", "FILE", "Weights that belong to it.")]
