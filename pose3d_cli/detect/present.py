"""Which networks of the catalogue can be run here and now."""

from __future__ import annotations

from pose3d_cli.detect.onnx_net import onnx_engine
from pose3d_cli.files.catalogue import Model, catalogue
from pose3d_cli.files.model_cache import cached

# Feet help more than a little accuracy does; faces and fingers help lifting nothing.
_PREFERRED = ("wholebody133", "coco17", "halpe26")


def best_there(kind: str) -> Model | None:
    """Return the best network of a kind whose weights are here and can be run; None if none is.

    The set of keypoints counts first, then the published figure, which is not comparable between
    sets.

    Args:
        kind: `keypoints` or `boxes`.
    """
    there = [model for model in catalogue().values() if model.kind == kind and _can_run(model)]
    return max(there, key=_rank, default=None)


def _can_run(model: Model) -> bool:
    return cached(model) is not None and (model.file.endswith(".pth") or onnx_engine() != "")


def _rank(model: Model) -> tuple[int, float]:
    rank = _PREFERRED.index(model.keypoints) if model.keypoints in _PREFERRED else -1
    return rank, model.ap or 0.0
