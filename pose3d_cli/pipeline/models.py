"""The networks that can be downloaded, as `pose3d weights` tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pose3d_cli.errors import WeightsError
from pose3d_cli.files.catalogue import Model, catalogue, find_model
from pose3d_cli.files.model_cache import cache_folder, cached, here, remembered, require
from pose3d_cli.files.model_store import Verdict, verify_model
from pose3d_cli.files.shipped import shipped, shipped_all
from pose3d_cli.pipeline.stock import DETECTOR_SHA256, SUFFIX, Stocked, list_weights

HEAD = ("name", "finds", "keypoints", "w x h", "AP", "on", "MB", "here")


def describe_model(model: Model) -> dict[str, Any]:
    """Return what is known of a model, and where its file is."""
    path = cached(model)
    return {
        "name": model.name,
        "kind": model.kind,
        "network": model.network,
        "keypoints": model.keypoints or None,
        "input_size": list(model.input_size),
        "ap": model.ap,
        "ap_of": model.ap_of or None,
        "speed": model.speed or None,
        "licence": model.licence,
        "urls": list(model.urls),
        "n_bytes": model.n_bytes or None,
        "sha256": model.file_sha256 or remembered(model) or None,
        "path": str(path) if path else None,
    }


def row(model: Model) -> tuple[str, ...]:
    """Return a model as a row of the table whose header is `HEAD`."""
    path = cached(model)
    n_bytes = path.stat().st_size if path else model.n_bytes
    return (
        model.name,
        model.kind,
        model.keypoints,
        "x".join(map(str, model.input_size)),
        "" if model.ap is None else f"{model.ap:.1f}",
        model.ap_of.split(";")[0],
        f"{n_bytes / 1e6:.1f}" if n_bytes else "",
        "yes" if path else "",
    )


def hint() -> str:
    """Say in a line how many models there are and where the others come from."""
    return (
        f"{len(here())} of {len(catalogue())} networks that can be downloaded are in "
        f"{cache_folder()}; `pose3d weights list --all` names them, "
        "`pose3d weights download NAME` gets one"
    )


def find_file(name: str) -> Path:
    """Return the file of weights that came with the program, or of a model in the cache.

    Raises:
        UnknownNameError: Neither has this name.
        WeightsError: The model is not in the cache; the message says how to get it.
    """
    lifters = shipped_all(SUFFIX)
    if name in lifters:
        return lifters[name]
    return shipped(name) if name in DETECTOR_SHA256 else require(name)


def verify(names: Sequence[str]) -> list[Verdict]:
    """Check files against what is known of them.

    Args:
        names: Of shipped weights or of models; none means everything that is here.

    Raises:
        UnknownNameError: A name of neither.
        WeightsError: A model that is not here.
    """
    stock = {weights.name: _verdict(weights) for weights in list_weights()}
    if not names:
        return [*stock.values(), *map(verify_model, here())]
    return [stock[name] if name in stock else verify_model(find_model(name)) for name in names]


def count_here() -> str:
    """Say in words where models are kept and how many there are.

    Raises:
        WeightsError: The catalogue is damaged.
    """
    n_models = len(here())
    return f"{cache_folder()}: {n_models} of {len(catalogue())} networks downloaded"


def _verdict(weights: Stocked) -> Verdict:
    try:
        path = weights.path or shipped(weights.name)
    except WeightsError:
        path = Path(weights.name)
    return Verdict(name=weights.name, path=path, is_ok=weights.is_ok, what=weights.what)
