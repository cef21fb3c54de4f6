"""Training checkpoints: all that a killed run needs to go on exactly as it would have."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.learn.settings import TrainSettings

FORMAT = "pose3d-checkpoint/2"
CHECKPOINT = "checkpoint.pt"
"""Name of a run's checkpoint in its folder."""
# What a run needs to go on; the settings say whether it is the same run.
_KEYS = (
    "settings",
    "origin",
    "network",
    "optimiser",
    "objective",
    "step",
    "smooth",
    "held_out",
)
_MAY_CHANGE = {"validate_every", "checkpoint_every", "compile", "tensorboard"}


def save_checkpoint(
    path: Path, settings: TrainSettings, origin: Mapping[str, str], state: dict[str, Any]
) -> None:
    """Write a checkpoint; the one it replaces stays whole until the new one is.

    Raises:
        OutputError: It cannot be written; the disk may be full.
    """
    run = {"format": FORMAT, "settings": asdict(settings), "origin": dict(origin)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save({**run, **state}, file)
        except RuntimeError as error:
            # torch says only that it lost its place in the file; the file said why.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint. Only tensors, numbers and words are ever unpickled.

    Raises:
        InputError: Not a checkpoint of ours, or damaged.
    """
    try:
        with path.open("rb") as file:
            # Anything else torch takes for its oldest format, and stumbles over it in many ways.
            if not zipfile.is_zipfile(file):
                raise zipfile.BadZipFile
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: cannot be read as a checkpoint ({type(error).__name__}); "
            "delete it to start the run anew"
        ) from error
    told = state.get("format") if isinstance(state, dict) else None
    if told != FORMAT and str(told).startswith(FORMAT.rpartition("/")[0]):
        raise InputError(
            f"{path}: of another version of pose3d ({told}); delete it to start the run anew"
        )
    if told != FORMAT:
        raise InputError(f"{path}: not a pose3d training checkpoint ({FORMAT})")
    missing = [key for key in _KEYS if key not in state]
    if missing:
        raise InputError(f"{path}: lacks {', '.join(missing)}; delete it to start the run anew")
    return state


def check_same_run(
    path: Path, state: dict[str, Any], settings: TrainSettings, origin: Mapping[str, str]
) -> None:
    """Refuse to go on with other settings, data or first weights than the run began with.

    Raises:
        SettingsError: Something differs; the message says what.
    """
    stage = state["settings"].get("stage")
    if stage != settings.stage:
        raise SettingsError(
            f"{path}: this is a run of --stage {stage}; "
            f"--stage {settings.stage} needs another --out folder"
        )
    other = [f"another {what}" for what in origin if state["origin"].get(what) != origin[what]]
    if other:
        raise SettingsError(
            f"{path}: this run began with {' and '.join(other)}; "
            "give the same again, or another --out folder"
        )
    # A setting that came later was, as its default is, off when the run began.
    old, new = {**asdict(TrainSettings()), **state["settings"]}, asdict(settings)
    changed = [key for key in new if key not in _MAY_CHANGE and old.get(key) != new[key]]
    if changed:
        told = ", ".join(f"{key} {old.get(key)} -> {new[key]}" for key in changed)
        raise SettingsError(
            f"{path}: this run began with other settings ({told}); "
            "use them again, or another --out folder"
        )
