"""`pose3d train`: from a folder of motion to a weights file, resumable at any moment."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pose3d_cli import __version__, config
from pose3d_cli.errors import OutputError, SettingsError
from pose3d_cli.files.mocap_pack import MocapClip, read_pack
from pose3d_cli.learn.checkpoint import load_checkpoint
from pose3d_cli.learn.loop import Loop, Watch
from pose3d_cli.learn.memory import keep_freed_memory
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.pace import steps_within
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.bodies import STATURE_M
from pose3d_cli.learn.validate import held_out_batch, held_out_error
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.shelf import LIFTERS, window_frames

VALIDATION_WINDOWS = 64


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a run came to.

    Attributes:
        weights: The file written; None if the time ran out first.
        step: Steps done.
        steps: Steps of the whole run.
        resumed: Whether it went on from a checkpoint.
        held_out: Errors on held-out subjects, in millimetres.
    """

    weights: Path | None
    step: int
    steps: int
    resumed: bool
    held_out: dict[str, float]


def train(
    settings: TrainSettings,
    *,
    data: Path,
    out: Path,
    watch: Watch,
    device: str = "auto",
    init: Path | None = None,
    time_budget_s: float = math.inf,
    plan: bool = False,
) -> TrainReport:
    """Train a lifter; called again with the same folder, go on where the last call stopped.

    Args:
        settings: Lifter, steps, rates.
        data: Packed motion, as `pose3d data import` writes it.
        out: Folder for the checkpoint, the log, the curves and at last the weights.
        watch: Told of every step.
        device: auto, cpu, cuda or mps.
        init: Weights to start from.
        time_budget_s: Stop, resumably, after so many seconds.
        plan: Set the number of steps such that the whole run takes the time budget.

    Raises:
        InputError: No training or no held-out clips in `data`; a checkpoint that is damaged.
        SettingsError: A folder that holds a run of other settings, data or first weights.
        WeightsError: Weights to start from that do not fit.
    """
    where = resolve(device)
    keep_freed_memory()
    torch.manual_seed(settings.seed)
    clips, held_out = read_pack(data, "train"), read_pack(data, "val")
    network = _network(settings, init).to(where)
    if plan and not (out / "checkpoint.pt").exists():
        settings = replace(settings, steps=steps_within(network, clips, settings, time_budget_s))
    elif plan:
        settings = replace(
            settings, steps=load_checkpoint(out / "checkpoint.pt")["settings"]["steps"]
        )
    torch.manual_seed(settings.seed)
    loop = _loop(network, clips, held_out, settings, out, where)
    loop.origin = {"data": _digest(clips), "init": weights.sha256(init) if init else ""}
    resumed = loop.resume()
    finished = loop.run(watch, time_budget_s=time_budget_s)
    path = out / "weights.safetensors"
    if finished:
        weights.save(path, network, _about(network, settings, loop, clips, init), half=True)
    return TrainReport(
        weights=path if finished else None,
        step=loop.step,
        steps=settings.steps,
        resumed=resumed,
        held_out=loop.held_out,
    )


def _network(settings: TrainSettings, init: Path | None) -> nn.Module:
    entry = LIFTERS.get(settings.lifter)
    if settings.preset not in entry.presets:
        known = sorted(entry.presets)
        raise SettingsError(
            f"--preset: {settings.lifter} has no {settings.preset!r}"
            f"{config.nearest(settings.preset, known)}"
        )
    wanted = entry.presets[settings.preset]
    if init is None:
        return entry.network(wanted)
    network = weights.load(init)
    if getattr(network, "config", None) != wanted:
        raise SettingsError(
            f"--init {init}: holds another network than --preset {settings.preset}; "
            "see `pose3d weights describe`"
        )
    return network


def _loop(
    network: nn.Module,
    clips: Sequence[MocapClip],
    held_out: Sequence[MocapClip],
    settings: TrainSettings,
    out: Path,
    device: torch.device,
) -> Loop:
    frames = window_frames(network)
    called = torch.compile(network, dynamic=False) if settings.compile else network
    batch = held_out_batch(held_out, frames, settings.rate_hz, VALIDATION_WINDOWS)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be created ({error.strerror}); choose --out") from error
    return Loop(
        network=network,
        objective=Supervised.from_clips(called, clips, frames, settings),  # type: ignore[arg-type]
        settings=settings,
        folder=out,
        device=device,
        validate=lambda step: held_out_error(
            network, batch, device, over_time=step > settings.single_steps
        ),
    )


def _digest(clips: Sequence[MocapClip]) -> str:
    """Return a hash of which clips there are, their lengths and where each one goes."""
    told = [(clip.name, len(clip), clip.fps, clip.xyz[::100].tobytes()) for clip in clips]
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()


def _about(
    network: nn.Module,
    settings: TrainSettings,
    loop: Loop,
    clips: Sequence[MocapClip],
    init: Path | None,
) -> weights.WeightsAbout:
    licences = sorted({clip.licence for clip in clips})
    more = {"steps": str(settings.steps), "settings": repr(settings)}
    if init is not None:
        more["init_sha256"] = weights.sha256(init)
    source = inspect.getdoc(inspect.getmodule(type(network))) or ""
    return weights.WeightsAbout(
        lifter=settings.lifter,
        config=asdict(network.config),  # type: ignore[call-overload]
        input="rays",
        rate_hz=settings.rate_hz,
        stature_m=STATURE_M,
        licence=f"the user's own; the data's: {'; '.join(licences)}",
        data=f"{len(clips)} motion clips through the pose3d generator",
        protocol=f"generated windows of held-out subjects, {VALIDATION_WINDOWS} windows, seed 1234",
        measured=_plain(loop.held_out),
        made_by=f"pose3d {__version__}",
        source=next((line for line in source.splitlines() if line.startswith("Source")), ""),
        more=more,
    )


def _plain(values: dict[str, Any]) -> dict[str, float]:
    return {name: round(float(value), 2) for name, value in values.items()}
