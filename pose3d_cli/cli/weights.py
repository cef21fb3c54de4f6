"""`pose3d weights list` and `pose3d weights describe`."""

from __future__ import annotations

from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen, facts, table

EXAMPLES = {
    "list": ["pose3d weights list", "pose3d weights list --json"],
    "describe": [
        "pose3d weights describe dualstream-xs-27",
        "pose3d weights describe runs/xs/weights.safetensors",
    ],
}


def list_(screen: Screen) -> None:
    """List the weights that came with the program."""
    from pose3d_cli.pipeline.stock import list_weights

    found = list_weights()
    head = ("name", "what", "bytes", "sha256")
    rows = [(w.name, w.what, f"{w.n_bytes:,}", w.sha256[:16]) for w in found]
    screen.show({"weights": [vars(w) for w in found]}, table([head, *rows]))


def describe(
    weights: Annotated[
        str, typer.Argument(metavar="WEIGHTS", help="Shipped name or .safetensors file.")
    ],
    screen: Screen,
) -> None:
    """Say what weights are.

    Lifter, settings, origin, licence and measured figures.
    """
    from pose3d_cli.pipeline.info import describe_file
    from pose3d_cli.pipeline.stock import find_weights

    about = describe_file(find_weights(weights))
    screen.show(about, facts(about))
