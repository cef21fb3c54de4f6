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
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pose3d_cli.config import build, nearest
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.learn.loop import Watch
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.train import TrainReport, train

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
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--recipe {path}: not a readable TOML file: {error}") from error
    common = values.get("common", {})
    runs = [_run({**common, **table}, path) for table in values.get("run", [])]
    seeds = values.get("seeds")
    if seeds is not None:
        runs = [_with_seed(run, seed) for seed in seeds for run in runs]
    _check(runs, path)
    compare = [str(variant) for variant in values.get("compare", [])]
    made = sorted({run.variant for run in runs})
    for variant in compare:
        if variant not in made:
            raise SettingsError(f"{path}: compare: no run {variant!r}{nearest(variant, made)}")
    return Recipe(name=name, about=str(values.get("about", "")), runs=runs, compare=compare)


def _run(table: Mapping[str, Any], path: Path) -> RecipeRun:
    settings = dict(table)
    name, init = str(settings.pop("name", "")), str(settings.pop("init", ""))
    where = f"{path}: run {name!r}"
    pretrain = build(PretrainSettings, settings.pop("pretrain", {}), where=f"{where}, pretrain")
    return RecipeRun(
        name=name,
        variant=name,
        init=init,
        settings=build(TrainSettings, settings, where=where),
        pretrain=pretrain,
    )


def _with_seed(run: RecipeRun, seed: int) -> RecipeRun:
    return replace(
        run,
        name=f"{run.name}-seed{seed}",
        init=f"{run.init}-seed{seed}" if run.init else "",
        settings=replace(run.settings, seed=seed),
    )


def _check(runs: Sequence[RecipeRun], path: Path) -> None:
    made: set[str] = set()
    for run in runs:
        if not run.name or run.name in made:
            raise SettingsError(f"{path}: each run needs a name of its own; found {run.name!r}")
        if run.init and run.init not in made:
            raise SettingsError(f"{path}: run {run.name!r} begins with {run.init!r}, made by none")
        made.add(run.name)
    if not runs:
        raise SettingsError(f"{path}: a recipe without a [[run]]")


def follow(
    recipe: Recipe,
    *,
    data: Path,
    out: Path,
    watch: Callable[[str], Watch],
    device: str = "auto",
    time_budget_s: float = math.inf,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, TrainReport]:
    """Make the runs of a recipe; called again with the same folder, go on where it stopped.

    Args:
        recipe: What to do.
        data: Packed motion.
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
