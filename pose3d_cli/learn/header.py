"""What trained weights say of themselves: what they learnt from, all of it, and how well."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from torch import nn

from pose3d_cli import __version__
from pose3d_cli.learn.material import TEST_2D
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.stages import StageMaker
from pose3d_cli.learn.upright.objective import MEASURED_ON
from pose3d_cli.lift import weights
from pose3d_cli.lift.about import UPRIGHT


def header(
    network: nn.Module,
    settings: TrainSettings,
    make: StageMaker,
    *,
    init: Path | None,
    steps: int,
    measured: Mapping[str, float],
) -> weights.WeightsAbout:
    """Return the header of a finished run's weights.

    Args:
        network: The lifter.
        settings: Of the run.
        make: Knows the data it learnt from.
        init: Weights it began with; what these had seen, it has seen too.
        steps: Steps that were done, perhaps fewer than the settings say.
        measured: Errors on held-out subjects, in millimetres, or degrees of what is up.
    """
    is_pretrained, is_upright = (settings.stage == name for name in ("pretrain", "upright"))
    pretrain = make.pretrain if is_pretrained else None
    before = weights.describe(init) if init else None
    origin = make.material.provenance(settings, pretrain)
    licence = f"the user's own; the data's: {origin.licence}"
    more = {"steps": str(steps), "settings": repr(settings), "stage": settings.stage}
    more |= origin.more
    data = origin.data
    if pretrain is not None:
        more["pretrain"] = repr(pretrain)
    if init is not None and before is not None:
        more["init_sha256"] = weights.sha256(init)
        more |= {key: before.more[key] for key in ("pretrain",) if key in before.more}
        data += f"; before that: {before.data}"
        if before.licence != licence:
            licence += f"; of the weights it began with: {before.licence}"
    windows = MEASURED_ON if is_upright else origin.measured_on
    config = asdict(network.config)  # type: ignore[call-overload]
    source = inspect.getdoc(inspect.getmodule(type(network))) or ""
    return weights.WeightsAbout(
        lifter=UPRIGHT if is_upright else settings.lifter,
        config=config,
        input=make.material.input,
        units="direction" if is_upright else make.material.units,
        rate_hz=config["rate_hz"] if is_upright else settings.rate_hz,
        stature_m=origin.stature_m,
        licence=licence,
        data=data,
        protocol=f"linear probe from tokens to 3D, {windows}" if is_pretrained else windows,
        measured={name: round(float(value), 2) for name, value in measured.items()},
        made_by=f"pose3d {__version__}",
        source=source.partition("Source: ")[2].partition(",")[0],
        more=more,
    )


def notes_on_test_2d(files: Iterable[Path], split: str) -> list[str]:
    """Return a warning for weights that have seen the 2D of those they are measured on."""
    return [
        f"{file}: pre-trained on {TEST_2D} it is measured on; do not compare it with others"
        for file in files
        if split == "test" and TEST_2D in weights.describe(file).data
    ]
