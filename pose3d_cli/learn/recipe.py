"""Recipes: training runs that follow from one another, told in one TOML file.

about = "what it makes, on what machine, in what time"
seeds = [0, 1]            # optional: everything once for each
compare = ["windows"]     # optional: runs to measure side by side at the end

[common]                  # optional: settings of every run that does not say otherwise
preset = "xs"

[[run]]
name = "pretrain"
stage = "pretrain"        # any setting of `TrainSettings`
steps = 3000
pretrain.mask = "mixed"   # any of `PretrainSettings`

[[run]]
name = "windows"
init = "pretrain"         # begins with that run's weights
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pose3d_cli.config import build, nearest, read_toml
from pose3d_cli.errors import SettingsError, UnknownNameError
from pose3d_cli.learn.data_choice import DataChoice
from pose3d_cli.learn.loop import Watch
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.team import joined, own_device
from pose3d_cli.learn.train import TrainReport, train
from pose3d_cli.lift.device import resolve

_SHIPPED = Path(__file__).with_name("recipes")


@dataclass(frozen=True, kw_only=True)
class RecipeRun:
    """One run of a recipe.

    Attributes:
        name: Names its folder.
        variant: The name without the seed.
        init: Name of the run whose weights it begins with; empty if with none.
        settings: Of the run.
        pretrain: Of its pre-training, if that is what it does.
    """

    name: str
    variant: str
    init: str
    settings: TrainSettings
    pretrain: PretrainSettings


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Runs in the order in which they are made; the last one gives the weights.

    Attributes:
        name: As the user gave it.
        about: What it is for.
        runs: At least one.
        compare: Variants to measure side by side.
    """

    name: str
    about: str
    runs: Sequence[RecipeRun]
    compare: Sequence[str] = ()


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with the program."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def read_recipe(name: str) -> Recipe:
    """Return a recipe that comes with the program, or one of the user's own.

    Args:
        name: One of `shipped_recipes`, or a path that ends in `.toml`.

    Raises:
        InputError: A file that is missing or no TOML.
        SettingsError: An unknown name, no run, two of one name, or one that begins with what no
            earlier one made; a comparison of what no run makes.
        UnknownNameError: A setting that there is not.
    """
    path = Path(name) if name.endswith(".toml") else _SHIPPED / f"{name}.toml"
    if not path.is_file():
        known = shipped_recipes()
        raise SettingsError(f"--recipe: there is no {name!r}{nearest(name, known)}")
    values = read_toml(path, flag="--recipe")
    _check_shape(values, path)
    common = values.get("common", {})
    runs = [_run(_with_common(table, common), path) for table in values.get("run", [])]
    if "seeds" in values:
        runs = [_with_seed(run, seed, path) for seed in values["seeds"] for run in runs]
    _check(runs, path)
    compare = values.get("compare", [])
    made = sorted({run.variant for run in runs})
    for variant in compare:
        if variant not in made:
            raise SettingsError(f"{path}: compare: no run {variant!r}{nearest(variant, made)}")
    return Recipe(name=name, about=str(values.get("about", "")), runs=runs, compare=compare)


_NAME = re.compile(r"\w[\w-]*")  # names a folder
_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "about": (lambda value: isinstance(value, str), 'words, such as "two stages"'),
    "seeds": (lambda value: _all(value, int), "whole numbers, such as [0, 1]"),
    "compare": (lambda value: _all(value, str), 'names of runs, such as ["scratch"]'),
    "common": (lambda value: isinstance(value, dict), "settings under [common]"),
    "run": (lambda value: _all(value, dict), "runs, each under [[run]]"),
}


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(one) is kind for one in value)


def _check_shape(values: Mapping[str, Any], path: Path) -> None:
    for key, value in values.items():
        if key not in _SHAPES:
            raise UnknownNameError(f"{path}: no setting {key!r}{nearest(key, list(_SHAPES))}")
        is_fit, words = _SHAPES[key]
        if not is_fit(value):
            raise SettingsError(f"{path}: {key} is {value!r}; expected {words}")


def _with_common(table: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run: its own, and for what it does not say those of all."""
    both = {**common, **table}
    own, shared = table.get("pretrain", {}), common.get("pretrain", {})
    if own and shared and isinstance(own, dict) and isinstance(shared, dict):
        both["pretrain"] = {**shared, **own}
    return both


def _run(table: Mapping[str, Any], path: Path) -> RecipeRun:
    settings = dict(table)
    name, init = str(settings.pop("name", "")), str(settings.pop("init", ""))
    where = f"{path}: run {name!r}"
    told = settings.pop("pretrain", {})
    if not isinstance(told, dict):
        raise SettingsError(f"{where}: pretrain is {told!r}; expected such as pretrain.copies = 2")
    pretrain = build(PretrainSettings, told, where=f"{where}, pretrain")
    return RecipeRun(
        name=name,
        variant=name,
        init=init,
        settings=build(TrainSettings, settings, where=where),
        pretrain=pretrain,
    )


def _with_seed(run: RecipeRun, seed: int, path: Path) -> RecipeRun:
    settings = build(TrainSettings, {**asdict(run.settings), "seed": seed}, where=f"{path}: seeds")
    return replace(
        run,
        name=f"{run.name}-seed{seed}",
        init=f"{run.init}-seed{seed}" if run.init else "",
        settings=settings,
    )


def _check(runs: Sequence[RecipeRun], path: Path) -> None:
    made: set[str] = set()
    for run in runs:
        if run.name in made or not _NAME.fullmatch(run.name):
            raise SettingsError(
                f"{path}: each run needs a name of its own, of letters, digits, - and _; "
                f"found {run.name!r}"
            )
        if run.init and run.init not in made:
            raise SettingsError(f"{path}: run {run.name!r} begins with {run.init!r}, made by none")
        made.add(run.name)
    if not runs:
        raise SettingsError(f"{path}: a recipe without a [[run]]")


def follow(
    recipe: Recipe,
    *,
    data: Path | DataChoice,
    out: Path,
    watch: Callable[[str], Watch],
    device: str = "auto",
    time_budget_s: float = math.inf,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, TrainReport]:
    """Make the runs of a recipe; called again with the same folder, go on where it stopped.

    Args:
        recipe: What to do.
        data: Packed motion, or a data set.
        out: Gets a folder for each run.
        watch: Makes what is told of the steps of the run with this name.
        device: auto, cpu, cuda or mps.
        time_budget_s: Stop, resumably, after so many seconds.
        changes: Settings to change in every run, such as `compile`.

    Returns:
        What each run came to, in order; the last one is not finished if the time ran out.

    Raises:
        Pose3DError: As `train` does.
    """
    started = time.monotonic()
    reports: dict[str, TrainReport] = {}
    with joined(own_device(resolve(device))):
        for run in recipe.runs:
            reports[run.name] = train(
                replace(run.settings, **(changes or {})),
                data=data,
                out=out / run.name,
                watch=watch(run.name),
                device=device,
                init=out / run.init if run.init else None,
                pretrain=run.pretrain,
                time_budget_s=time_budget_s - (time.monotonic() - started),
            )
            if reports[run.name].weights is None:
                break
    return reports
