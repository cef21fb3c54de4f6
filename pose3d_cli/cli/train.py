"""`pose3d train`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose3d_cli.cli.flags import Given
from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table
from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings

if TYPE_CHECKING:
    from pose3d_cli.learn.loop import Progress
    from pose3d_cli.learn.recipe import Recipe
    from pose3d_cli.learn.train import TrainReport

EXAMPLES = {
    "train": [
        "pose3d train --data mocap --preset xs --steps 6000 -o runs/xs",
        "pose3d train --data mocap --stage pretrain --steps 3000 -o runs/pre",
        "pose3d train --data mocap --stage finetune --init runs/pre -o runs/fine",
        "pose3d train --data mocap --preset xs --time-budget 90m -o runs/xs",
        "pose3d train --data mine --init weights.safetensors --lr 1e-4 -o runs/mine",
        "pose3d train --data h36m:H36M --data-2d cpn --preset base --passes 60 -o runs/cpn",
        "pose3d train --recipe h36m-sh-base-243 --data h36m-sh:FILE.pkl -o runs/h36m",
        "pose3d train --data mocap --stage upright --batch 64 -o runs/upright",
        "pose3d train --config run.toml --set velocity_loss=10",
        "pose3d train --recipe xs-27-cpu --data mocap -o runs/xs",
        "torchrun --nproc-per-node 2 -m pose3d_cli train --data mocap --preset s -o runs/s",
    ]
}

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Where a training run takes place."""

    recipe: str = ""
    """Runs that follow from one another, by name (see the README) or as a .toml file; it says all
    settings but where to read and write"""
    data: str = ""
    """Folder of packed motion, as `pose3d data import` writes it; or a data set as NAME:PATH, such
    as h36m:FOLDER, h36m-sh:FILE, 3dhp:FOLDER, humaneva:FOLDER, 3dpw:FOLDER or, of your own
    recordings, folder:FOLDER"""
    data_2d: str = ""
    """Which 2D of a data set to learn from, such as cpn or gt; the usual one if not given"""
    out: str = "runs/pose3d"
    """Folder for checkpoint, log, curves and weights; a run that was stopped in it goes on"""
    init: str = ""
    """Weights to start from, by name or as a file, or the folder of a run that wrote some"""
    device: str = "auto"
    """auto, cpu, cuda or mps; one that is asked for and absent is an error"""
    time_budget: str = ""
    """Longest time, such as 90m, 1h30m or 45s; without --steps it also sets their number"""

    finish: bool = False
    """Write the weights of where the stopped run in --out has got to, and train no further"""

    def __post_init__(self) -> None:
        self.time_budget_s  # noqa: B018  (refuses what is no time)

    @property
    def time_budget_s(self) -> float:
        """Seconds of the time budget; infinite if there is none."""
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", self.time_budget)
        if "".join(number + unit for number, unit in parts) != self.time_budget:
            raise ValueError(f"time_budget ({self.time_budget}) must be such as 90m, 1h30m or 45s")
        if not parts:
            return math.inf
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        if seconds <= 0:
            raise ValueError(f"time_budget ({self.time_budget}) must be above 0")
        return seconds


def train(
    run: RunSettings,
    settings: TrainSettings,
    pretrain: PretrainSettings,
    given: Given,
    screen: Screen,
) -> None:
    """Train a lifter on packed motion or on a data set.

    Given again, the same command goes on where the run stopped; with --finish it writes the
    weights of where it stopped, though they are better once the learning rate has come down.
    """
    if run.recipe:
        _follow(run, settings, given, screen)
        return
    from pose3d_cli.learn.team import is_first
    from pose3d_cli.learn.train import train as train_network

    report = train_network(
        settings,
        **_places(run),
        pretrain=pretrain,
        finish=run.finish,
        plan=bool(run.time_budget) and not {"steps", "passes"} & given,
        watch=_Watch(screen),
    )
    if is_first():
        _tell(report, screen)


_WITH_RECIPE = {"compile", "validate_every", "checkpoint_every", "tensorboard"}
"""Settings that change nothing in what a run learns."""


def _check_alone(run: RunSettings, given: Given) -> None:
    """Refuse what a recipe says itself."""
    said = sorted(given - {f.name for f in fields(RunSettings)} - _WITH_RECIPE)
    if said:
        told = ", ".join("--" + name.replace("_", "-") for name in said)
        raise SettingsError(f"--recipe says this itself: {told}; leave it out, or copy the recipe")
    if run.finish:
        raise SettingsError("--finish ends a single run; a recipe goes on with the same command")
    if run.init:
        raise SettingsError("--recipe says itself what its runs begin with; leave out --init")


def _follow(run: RunSettings, settings: TrainSettings, given: Given, screen: Screen) -> None:
    """Make the runs of a recipe."""
    from pose3d_cli.files.mocap_pack import read_pack
    from pose3d_cli.learn.data_choice import packed_folder
    from pose3d_cli.learn.recipe import follow, read_recipe
    from pose3d_cli.learn.team import is_first

    _check_alone(run, given)
    recipe = read_recipe(run.recipe)
    places = _places(run)
    if recipe.compare:
        read_pack(packed_folder(places["data"]), "test")  # missed now, not when all runs are done
    del places["init"]
    reports = follow(
        recipe,
        **places,
        watch=lambda name: _Watch(screen, name),
        changes={name: getattr(settings, name) for name in _WITH_RECIPE & given},
    )
    if not is_first():
        return
    for name, report in reports.items():
        figures = ", ".join(f"{key} {value:.1f}" for key, value in report.held_out.items())
        screen.note(f"{name}: step {report.step} of {report.steps}; {figures}")
    record: dict[str, Any] = {name: vars(report) for name, report in reports.items()}
    last = reports.get(recipe.runs[-1].name)
    if last is None or last.weights is None:
        screen.show(record, [])
        screen.note("the time is up; the same command goes on")
    elif recipe.compare:
        screen.show(*_compared(recipe, reports, places["data"].path, run, screen))
    else:
        screen.show(record, [last.weights])


def _compared(
    recipe: Recipe,
    reports: Mapping[str, TrainReport],
    motion: Path,
    run: RunSettings,
    screen: Screen,
) -> tuple[dict[str, Any], list[str]]:
    """Measure what the recipe compares; return a record and a table."""
    from pose3d_cli.learn.ablation import measure_variants, rows, write_variants
    from pose3d_cli.learn.header import notes_on_test_2d

    weights: dict[str, list[Path]] = {variant: [] for variant in recipe.compare}
    for step in recipe.runs:
        made = reports[step.name].weights
        if step.variant in weights and made is not None:
            weights[step.variant].append(made)
    variants = measure_variants(
        weights, motion, device=run.device, tell=lambda what: screen.stage(what, None)
    )
    notes = notes_on_test_2d(chain.from_iterable(weights.values()), "test")
    about = {"recipe": recipe.name, "about": recipe.about}
    path = write_variants(Path(run.out), variants, about, notes)
    for note in notes:
        screen.warn(note)
    screen.note(f"written to {path}")
    return {v.name: v.mpjpe_mm for v in variants}, [*table(rows(variants))]


def _places(run: RunSettings) -> dict[str, Any]:
    """Return where to read, write and compute, as `learn.train` names it."""
    if not run.data:
        raise SettingsError(
            "give --data: a folder of packed motion (`pose3d data import`), or a data set as "
            "NAME:PATH, such as h36m:FOLDER"
        )
    from pose3d_cli.learn.data_choice import chosen_data
    from pose3d_cli.pipeline.stock import find_weights

    init = Path(run.init) if run.init else None
    return {
        "data": chosen_data(run.data, run.data_2d),
        "out": Path(run.out),
        "init": find_weights(run.init) if init and not init.is_dir() else init,
        "device": run.device,
        "time_budget_s": run.time_budget_s,
    }


class _Watch:
    """Shows each step on the screen."""

    def __init__(self, screen: Screen, name: str = "train") -> None:
        self._screen, self._name = screen, name
        self._is_begun = False

    def __call__(self, progress: Progress) -> None:
        if not self._is_begun:
            self._screen.stage(self._name, progress.steps)
            self._is_begun = True
        self._screen.at(progress.step, _note(progress))


def _note(progress: Progress) -> str:
    words = [f"{progress.steps_per_s:.2f} steps/s"]
    if "position" in progress.losses:
        words.append(f"loss {progress.losses['position'] * 1000:.1f} mm")
    elif "screen_position" in progress.losses:
        words.append(f"loss {progress.losses['screen_position']:.4f} of half a picture's width")
    elif "loss_over_variance" in progress.losses:
        words.append(f"loss {progress.losses['loss_over_variance']:.3f} of the variance")
    elif "along_deg" in progress.losses:
        words.append(f"off by {progress.losses['along_deg']:.1f} degrees along the view")
    shown = (("mpjpe_mm", "held out", "mm"), ("probe_mm", "linear probe", "mm"))
    for key, name, unit in (*shown, ("up_deg", "held out", "degrees")):
        if key in progress.held_out:
            words.append(f"{name} {progress.held_out[key]:.1f} {unit}")
    return ", ".join(words)


def _tell(report: TrainReport, screen: Screen) -> None:
    lines = [] if report.weights is None else [report.weights]
    screen.show(vars(report), lines)
    for name, value in report.held_out.items():
        screen.note(f"{name}: {value:.1f}")
    if report.weights is None:
        screen.note(
            f"step {report.step} of {report.steps}: the time is up; the same command goes on"
        )
