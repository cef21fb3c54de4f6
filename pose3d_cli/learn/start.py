"""What a run starts from: a new network, or the weights of an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from pose3d_cli import config
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.material import Material
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.lift import weights
from pose3d_cli.lift.about import UPRIGHT
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.upright import UprightConfig, UprightNet

WEIGHTS = "weights.safetensors"
"""Name of a run's weights in its folder."""


def first_network(settings: TrainSettings, init: Path | None) -> nn.Module:
    """Return the network of the settings, new or filled from a weights file.

    Raises:
        SettingsError: No such preset or setting, or weights of another network.
        WeightsError: Weights that cannot be loaded.
    """
    if settings.stage == "upright":
        _check_upright(settings)
        return _filled(init, UprightNet, _changed(UprightConfig(), settings.network), "--network")
    entry = LIFTERS.get(settings.lifter)
    if settings.preset not in entry.presets:
        known = sorted(entry.presets)
        raise SettingsError(
            f"--preset: {settings.lifter} has no {settings.preset!r}"
            f"{config.nearest(settings.preset, known)}"
        )
    wanted = _changed(entry.presets[settings.preset], settings.network)
    told = f"--preset {settings.preset}{f' with {settings.network}' if settings.network else ''}"
    return _filled(init, entry.network, wanted, told)


def _check_upright(settings: TrainSettings) -> None:
    """Refuse what only lifters have a use for."""
    for name in _OF_LIFTERS:
        if getattr(settings, name) != getattr(TrainSettings, name):
            raise SettingsError(
                f"--{name.replace('_', '-')}: --stage upright makes no use of it; --network "
                "changes its network"
            )


def _filled(
    init: Path | None, make: Callable[[Any], nn.Module], wanted: Any, told: str
) -> nn.Module:
    """Return a network of these settings, new or filled from a weights file."""
    if init is None:
        return make(wanted)
    network = weights.load(init)
    if getattr(network, "config", None) != wanted:
        raise SettingsError(
            f"--init {init}: holds another network than {told}; see `pose3d weights describe`"
        )
    return network


def _changed(preset: Any, changes: str) -> Any:
    """Return a network's settings with `key=value,key=value` put in."""
    values = asdict(preset)
    for text in filter(None, changes.split(",")):
        values |= config.assignment(text, where="--network")
    return config.build(type(preset), values, where="--network")


_OF_LIFTERS = (
    "lifter", "preset", "rate_hz", "short_clips", "hidden_limbs", "precision", "scale_loss",
    "score_loss", "velocity_loss",
)  # fmt: skip
_INPUTS = {"rays": "rays turned to the person", "screen": "coordinates of the screen"}
_UNITS = {"m,root": "metres", "screen,root": "units of the screen"}


def check_start(init: Path, material: Material) -> None:
    """Refuse to go on from weights that see or answer something else than what is learnt now.

    Args:
        init: Weights. Of those that were only pre-trained no answer has been learnt yet.
        material: What is learnt from.

    Raises:
        SettingsError: Weights of another input, or of another unit.
        WeightsError: A file that cannot be read.
    """
    about = weights.describe(init)
    if about.lifter == UPRIGHT:  # that it is the network of this stage has been seen to
        return
    is_pretrained = about.more.get("stage") == "pretrain"
    if about.input != material.input:
        has, wants, see = _INPUTS[about.input], _INPUTS[material.input], "see"
    elif about.units != material.units and not is_pretrained:
        has, wants = (_UNITS.get(units, units) for units in (about.units, material.units))
        see = "answer in"
    else:
        return
    raise SettingsError(
        f"--init {init}: these weights {see} {has}, and what --data teaches is {wants}; "
        "begin with others, or with none"
    )


def weights_of(init: Path) -> Path:
    """Return the weights file that a path means: itself, or that of a run's folder.

    Raises:
        InputError: A run that wrote none yet.
    """
    if not init.is_dir():
        return init
    path = init / WEIGHTS
    if not path.exists():
        raise InputError(
            f"--init {init}: that run wrote no weights yet; let it finish first, or repeat its "
            "command with --finish to take them as they are"
        )
    return path
