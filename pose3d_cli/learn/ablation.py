"""What the runs of a recipe come to side by side: each variant over its seeds, by what is seen."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose3d_cli.files.atomic import replacing
from pose3d_cli.learn.evaluate import SEEN, evaluate_mocap

TAKES = 128
"""How many takes everything is measured on."""

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
    weights: Mapping[str, Sequence[Path]],
    data: Path,
    *,
    split: str = "test",
    device: str = "auto",
    tell: Callable[[str], None] = lambda _what: None,
) -> list[Variant]:
    """Measure all variants on the same takes.

    Args:
        weights: Files of each variant, one a seed.
        data: Packed motion.
        split: Of the held-out subjects.
        device: auto, cpu, cuda or mps.
        tell: Told what is measured now.

    Raises:
        Pose3DError: As `evaluate_mocap` does.
    """
    files = [file for group in weights.values() for file in group]
    errors: dict[str, dict[Path, float]] = {title: {} for title in _TITLES}
    for seen in SEEN:
        tell(_TITLES[seen])
        found = evaluate_mocap(
            files, data, split=split, takes=TAKES, seam_takes=2, seen=seen, device=device
        )
        for score in found.scores:
            errors[seen][score.weights] = score.mpjpe_mm
            if score.hidden_mm is not None:
                errors["hidden_joints"][score.weights] = score.hidden_mm
    return [
        Variant(
            name=name,
            mpjpe_mm={title: [errors[title][file] for file in group] for title in _TITLES},
        )
        for name, group in weights.items()
    ]


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


def write_variants(folder: Path, variants: Sequence[Variant], about: Mapping[str, Any]) -> Path:
    """Write `results.json` and, as a Markdown table, `results.md`; return the latter.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    record = {**about, "variants": {v.name: dict(v.mpjpe_mm) for v in variants}}
    with replacing(folder / "results.json") as new:
        new.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    header, *body = rows(variants)
    lines = [header, tuple("---" for _ in header), *body]
    with replacing(folder / "results.md") as new:
        new.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), "utf-8")
    return folder / "results.md"
