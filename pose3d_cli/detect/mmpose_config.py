"""What a config of MMPose must be for us: a 2D top-down model, of keypoints we know.

A config is a Python program and runs when it is read: only its owner can say that it is harmless.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pose3d_cli.errors import SettingsError
from pose3d_cli.pose.skeleton import SKELETONS, Skeleton

# Skeletons by their number of keypoints, and how many of them, from the first on, go by names
# that we share with MMPose: faces and hands have a fixed order, but names of their own.
_KNOWN = {17: ("coco17", 17), 26: ("halpe26", 26), 133: ("wholebody133", 23)}
_OUR_NAME = {"hip": "pelvis"}
_DATASETS = ("train", "val", "test")


def read_config(path: Path) -> Any:
    """Return a config made ready for looking at pictures; `import_mmpose` has been called.

    Raises:
        SettingsError: No such file, no config, or one of another kind of model.
    """
    from mmengine.config import Config

    if not path.is_file():
        raise SettingsError(
            f"{path}: no such file. A config of MMPose is a file; names that MMPose itself would "
            "look up, and download for, are not taken"
        )
    try:
        with quiet():
            config = Config.fromfile(path)
    except Exception as error:  # a program may raise anything
        raise SettingsError(
            f"{path}: not a readable config of MMPose: {in_a_line(error)}"
        ) from error
    model = config.get("model")
    pipeline = config.get("test_dataloader", {}).get("dataset", {}).get("pipeline")
    if not isinstance(model, dict) or pipeline is None:
        raise SettingsError(f"{path}: not a config of MMPose 1.x: no `model` or `test_dataloader`")
    _check_top_down(path, model)
    _take_over(model)
    model["test_cfg"] = {**(model.get("test_cfg") or {}), "flip_test": False}  # twice the time
    return config


def dataset_of(path: Path, config: Any) -> dict[str, Any]:
    """Return what MMPose calls the meta of the data set that a config trains or tests on.

    Raises:
        SettingsError: It names no data set whose keypoints are known.
    """
    from mmpose.apis.inference import dataset_meta_from_config

    for mode in _DATASETS:
        try:
            with quiet():
                meta = dataset_meta_from_config(config, dataset_mode=mode)
        except Exception as error:  # of files that are not there, or hold something else
            raise SettingsError(f"{path}: its data set is unknown: {in_a_line(error)}") from error
        if meta is not None:
            return meta
    raise SettingsError(f"{path}: names no data set, so what its keypoints are is unknown")


def skeleton_of(path: Path, names: list[str]) -> Skeleton:
    """Return the skeleton of keypoints with the names of MMPose.

    Raises:
        SettingsError: No skeleton of ours; the message says which there are.
    """
    ours, n_named = _KNOWN.get(len(names), ("", 0))
    skeleton = SKELETONS.get(ours)
    named = tuple(_OUR_NAME.get(name, name) for name in names[:n_named])
    if skeleton is None or named != skeleton.joints[:n_named]:
        known = ", ".join(ours for ours, _ in _KNOWN.values() if ours in SKELETONS)
        raise SettingsError(
            f"{path}: its {len(names)} keypoints ({', '.join(names[:3])}, ...) are none of {known}"
        )
    return skeleton


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings that MMPose gives its own developers, some of them on stdout."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def in_a_line(error: Exception) -> str:
    """Return what an error of another program says, in a line that can be read."""
    told = " ".join(str(error).split())
    return f"{type(error).__name__}: {told[:200]}{'...' if len(told) > 200 else ''}"


def _check_top_down(path: Path, model: Mapping[str, Any]) -> None:
    from mmpose.models import TopdownPoseEstimator
    from mmpose.registry import MODELS

    kind = model.get("type")
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not isinstance(found, type) or not issubclass(found, TopdownPoseEstimator):
        raise SettingsError(
            f"{path}: its model is a {getattr(kind, '__name__', kind)}; only top-down models "
            "(TopdownPoseEstimator) find keypoints in boxes"
        )


def _take_over(part: Any) -> None:
    """Let MMPose build what a config wants of MMDetection, where it has the same itself."""
    from mmpose.registry import MODELS

    if isinstance(part, dict):
        if part.get("_scope_") == "mmdet" and MODELS.get(part.get("type")) is not None:
            del part["_scope_"]
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for inner in part:
            _take_over(inner)
