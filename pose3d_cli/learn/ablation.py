"""What the runs of a recipe come to side by side: each variant over its seeds, by what is seen."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.takes import SEEN, seen_as
from pose3d_cli.learn.validate import joint_errors_mm
from pose3d_cli.lift import weights
from pose3d_cli.lift.device import resolve

WINDOWS = 1024
"""How many windows everything is measured on: single ones, each of another moment, tell networks
apart more sharply than as many frames of a few long takes."""

_SEED = 1234

View = tuple[Batch, Bool[Tensor, "windows joints"] | None]

_TITLES = {
    "noisy": "noisy 2D",
    "clean": "clean 2D",
    "hidden": "hidden limbs",
    "hidden_joints": "their joints alone",
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Errors of one variant.

    Attributes:
        name: Of the runs, without their seed.
        mpjpe_mm: By what was seen, one value a seed; `hidden_joints` is of those joints alone.
    """

    name: str
    mpjpe_mm: Mapping[str, Sequence[float]]


def measure_variants(
    files: Mapping[str, Sequence[Path]],
    data: Path,
    *,
    split: str = "test",
    device: str = "auto",
    tell: Callable[[str], None] = lambda _what: None,
) -> list[Variant]:
    """Measure all variants on the same windows of held-out subjects, each lifted by itself.

    Args:
        files: Weights of each variant, one a seed.
        data: Packed motion.
        split: Of the held-out subjects.
        device: auto, cpu, cuda or mps.
        tell: Told what is measured now.

    Raises:
        InputError: No clips in the split.
        WeightsError: Weights that cannot be loaded.
    """
    where, clips = resolve(device), read_pack(data, split)

    @cache  # all networks of one length see the same windows
    def draw(seen: str, frames: int, rate_hz: float) -> View:
        return seen_as(seen, clips, frames, rate_hz, WINDOWS, _SEED)

    measured: dict[str, list[dict[str, float]]] = {}
    for name, group in files.items():
        tell(name)
        measured[name] = [_errors(file, draw, where) for file in group]
    return [
        Variant(name=name, mpjpe_mm={title: [seed[title] for seed in seeds] for title in _TITLES})
        for name, seeds in measured.items()
    ]


def _errors(
    file: Path, draw: Callable[[str, int, float], View], device: torch.device
) -> dict[str, float]:
    """Return the MPJPE of a weights file by what it sees."""
    network: nn.Module = weights.load(file, device)
    about = weights.describe(file)
    errors: dict[str, float] = {}
    for seen in SEEN:
        batch, hidden = draw(seen, int(about.config["frames"]), about.rate_hz)
        apart = joint_errors_mm(network, batch, device).mean(1)
        errors[seen] = float(apart.mean())
        if hidden is not None:
            errors["hidden_joints"] = float(apart[hidden].mean())
    return errors


def rows(variants: Sequence[Variant]) -> list[tuple[str, ...]]:
    """Return a table: a header, then a row a variant: mean, and half the range over the seeds."""
    header = ("variant", "seeds", *(f"{title}, mm" for title in _TITLES.values()))
    return [
        header,
        *(
            (v.name, str(len(v.mpjpe_mm["noisy"])), *(_spread(v.mpjpe_mm[t]) for t in _TITLES))
            for v in variants
        ),
    ]


def _spread(values: Sequence[float]) -> str:
    half = (max(values) - min(values)) / 2
    return f"{statistics.mean(values):.1f}" + (f" ± {half:.1f}" if len(values) > 1 else "")


def write_variants(
    folder: Path, variants: Sequence[Variant], about: Mapping[str, Any], notes: Sequence[str] = ()
) -> Path:
    """Write `results.json` and, as a Markdown table, `results.md`; return the latter.

    Args:
        folder: Where.
        variants: What was measured.
        about: Of the recipe, for the record.
        notes: What a reader should know before believing the numbers.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    errors = {v.name: dict(v.mpjpe_mm) for v in variants}
    record = {**about, "notes": list(notes), "variants": errors}
    with replacing(folder / "results.json") as new:
        new.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    header, *body = rows(variants)
    lines = [header, tuple("---" for _ in header), *body]
    with replacing(folder / "results.md") as new:
        told = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        new.write_text(told + "".join(f"\n{note}\n" for note in notes), "utf-8")
    return folder / "results.md"
