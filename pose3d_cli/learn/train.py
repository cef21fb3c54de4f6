"""`pose3d train`: from motion or a data set to a weights file, resumable at any moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.learn.checkpoint import CHECKPOINT, load_checkpoint
from pose3d_cli.learn.data_choice import DataChoice, open_material
from pose3d_cli.learn.header import header
from pose3d_cli.learn.keypoint_windows import content_of
from pose3d_cli.learn.loop import Loop, Watch
from pose3d_cli.learn.material import Material
from pose3d_cli.learn.memory import keep_freed_memory
from pose3d_cli.learn.pace import steps_within
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.stages import StageMaker
from pose3d_cli.learn.start import WEIGHTS, check_start, first_network, weights_of
from pose3d_cli.learn.synthetic.noise_file import find_noise
from pose3d_cli.learn.team import joined, own_device
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve
from pose3d_cli.lift.shelf import window_frames


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a run came to.

    Attributes:
        weights: The file written; None if the time ran out first.
        step: Steps done.
        steps: Steps of the whole run.
        resumed: Whether it went on from a checkpoint.
        held_out: Errors on held-out subjects, in millimetres, or degrees of up.
    """

    weights: Path | None
    step: int
    steps: int
    resumed: bool
    held_out: dict[str, float]


def train(
    settings: TrainSettings,
    *,
    data: Path | DataChoice,
    out: Path,
    watch: Watch,
    device: str = "auto",
    init: Path | None = None,
    pretrain: PretrainSettings | None = None,
    time_budget_s: float = math.inf,
    plan: bool = False,
    finish: bool = False,
) -> TrainReport:
    """Train a lifter; called again with the same folder, go on where the last call stopped.

    Under `torchrun` several processes train together, each with batches of its own: as one process
    with `accumulate` times as many. The first one writes; all must see `data`, `out` and `init`.

    Args:
        settings: Lifter, steps, rates.
        data: Packed motion, as `pose3d data import` writes it, or a data set.
        out: Folder for the checkpoint, the log, the curves and at last the weights.
        watch: Told of every step.
        device: auto, cpu, cuda or mps.
        init: Weights to start from, or the folder of a run that wrote some.
        pretrain: Settings of the stage `pretrain`.
        time_budget_s: Stop, resumably, after so many seconds.
        plan: Set the number of steps such that the whole run takes the time budget.
        finish: Do no further step; write the weights of where the run in `out` has got to.

    Raises:
        InputError: Clips that are lacking or unsound; a damaged checkpoint, or none to finish.
        SettingsError: A folder that holds another run; settings or first weights that do not go
            with the data.
        WeightsError: Weights to start from that do not fit.
    """
    if finish and not (out / CHECKPOINT).exists():
        raise InputError(f"{out}: holds no stopped run to take weights from; see --out")
    where, pretrain = own_device(resolve(device)), pretrain or PretrainSettings()
    init = weights_of(init) if init else None
    keep_freed_memory()
    torch.manual_seed(settings.seed)
    with joined(where) as team:
        network = first_network(settings, init).to(where)
        material = _material(data, network, init, test_2d=pretrain.test_2d)
        settings = material.fitted(settings, team.size)
        make = StageMaker(material=material, pretrain=pretrain, device=where, team=team)
        if plan:
            settings = _planned(network, make, settings, out / CHECKPOINT, time_budget_s)
        _make_folder(out)
        told = pretrain if settings.stage == "pretrain" else None
        loop = _loop(make, network, settings, out, _origin(make, init, told, settings))
        resumed = loop.resume()
        if finish:
            loop.measure_here()
        finished = finish or loop.run(watch, time_budget_s=time_budget_s)
        if finished and team.is_first:
            _save(loop, network, make, init)
        team.wait()
    return _report(loop, finished=finished, resumed=resumed)


def _material(
    data: Path | DataChoice, network: nn.Module, init: Path | None, *, test_2d: bool
) -> Material:
    choice = DataChoice(path=data) if isinstance(data, Path) else data
    material = open_material(choice, window_frames(network), test_2d=test_2d)
    if init is not None:
        check_start(init, material)
    return material


def _planned(
    network: nn.Module, make: StageMaker, settings: TrainSettings, checkpoint: Path, seconds: float
) -> TrainSettings:
    """Set the number of steps: that of the run to go on with, or what fits into the time."""
    if checkpoint.exists():
        return replace(settings, steps=load_checkpoint(checkpoint)["settings"]["steps"])
    steps = steps_within(network, make, settings, seconds)
    return replace(settings, steps=make.team.of_first(steps))


def _loop(
    make: StageMaker,
    network: nn.Module,
    settings: TrainSettings,
    out: Path,
    origin: Mapping[str, str],
) -> Loop:
    torch.manual_seed(settings.seed)  # planning has drawn from it
    stage = make(network, settings)
    return Loop(
        network=stage.trained,
        objective=stage.objective,
        settings=settings,
        folder=out,
        device=make.device,
        validate=stage.validate,
        origin=origin,
        team=make.team,
    )


def _report(loop: Loop, *, finished: bool, resumed: bool) -> TrainReport:
    return TrainReport(
        weights=loop.folder / WEIGHTS if finished else None,
        step=loop.step,
        steps=loop.settings.steps,
        resumed=resumed,
        held_out=loop.held_out,
    )


def _save(loop: Loop, network: nn.Module, make: StageMaker, init: Path | None) -> None:
    about = header(network, loop.settings, make, init=init, steps=loop.step, measured=loop.held_out)
    weights.save(loop.folder / WEIGHTS, network, about, half=True)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be created ({error.strerror}); choose --out") from error


def _origin(
    make: StageMaker,
    init: Path | None,
    pretrain: PretrainSettings | None,
    settings: TrainSettings,
) -> dict[str, str]:
    """Return what makes a run another one, beside its settings, by the name of the flag."""
    origin = {
        "--data": make.material.digest(),
        "--init": weights.sha256(init) if init else "",
        "number of processes": str(make.team.size),
    }
    if settings.detector_noise.endswith(".toml"):  # what comes with the program stays as it is
        origin["--detector-noise"] = repr(find_noise(settings.detector_noise))
    told = asdict(pretrain) if pretrain else {}
    if told.get("keypoints"):
        told["keypoints"] = content_of(Path(told["keypoints"]))
    flags = {f"--{name.replace('_', '-')}": str(value) for name, value in told.items()}
    return origin | flags
