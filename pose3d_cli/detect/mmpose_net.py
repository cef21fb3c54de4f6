"""Any top-down model of MMPose 1.x, run by MMPose itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from torch import nn

from pose3d_cli.detect.mmpose_config import (
    dataset_of,
    in_a_line,
    quiet,
    read_config,
    skeleton_of,
)
from pose3d_cli.detect.mmpose_install import import_mmpose
from pose3d_cli.detect.torch_checkpoint import read_state
from pose3d_cli.detect.torch_run import device_called, with_threads
from pose3d_cli.errors import SettingsError, WeightsError
from pose3d_cli.pose.skeleton import Skeleton

_FEW = 3


class MMPoseNet:
    """Finds the keypoints of people whose boxes are known; nothing is ever downloaded.

    Args:
        config: A config file of MMPose. It is a Python program and is run.
        checkpoint: The weights that belong to it. Only their tensors are read.
        threads: Of the CPU.
        device: cpu, cuda or mps; `auto` is cuda where there is one, and never mps, for which
            MMPose was not made.

    Raises:
        MissingExtraError: MMPose is not installed; the message holds the lines that do it.
        SettingsError: A config that cannot be used; the message says why.
        WeightsError: A checkpoint that cannot be read or does not fit the config.
        DeviceError: The device is not there.
    """

    def __init__(
        self, config: Path, checkpoint: Path, *, threads: int = 1, device: str = "auto"
    ) -> None:
        self._threads = threads
        apis = import_mmpose()
        settings = read_config(config)
        meta = dataset_of(config, settings)
        names = [meta["keypoint_id2name"][place] for place in range(meta["num_keypoints"])]
        self._skeleton = skeleton_of(config, names)
        self._model = _build(apis, config, settings)
        self._model.dataset_meta = meta
        n_out = getattr(self._model.head, "out_channels", len(names))
        if n_out != len(names):
            raise SettingsError(f"{config}: {n_out} keypoints, but its data set has {len(names)}")
        _fill(self._model, config, checkpoint)
        self._model.to(device_called(device))
        self._infer = apis.inference_topdown

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the data set that the config names."""
        return self._skeleton

    def keypoints(
        self,
        image: UInt8[np.ndarray, "height width 3"],
        box: Float32[np.ndarray, "persons 4"],
    ) -> tuple[Float32[np.ndarray, "persons joints 2"], Float32[np.ndarray, "persons joints"]]:
        """Return keypoints in pixels and their scores; see `PoseNet`."""
        if not len(box):  # MMPose would take the whole picture for a box
            n_joints = len(self._skeleton.joints)
            return np.zeros((0, n_joints, 2), np.float32), np.zeros((0, n_joints), np.float32)
        blue_first = np.ascontiguousarray(image[..., ::-1])  # as MMPose reads pictures itself
        with quiet(), with_threads(self._threads):
            found = self._infer(self._model, blue_first, box)
        people = [one.pred_instances for one in found]
        xy = np.concatenate([person.keypoints for person in people])
        score = np.concatenate([person.keypoint_scores for person in people])
        xy = np.where((score > 0)[..., None], xy, np.nan)
        return xy.astype(np.float32), np.clip(score, 0, 1).astype(np.float32)


def _build(apis: Any, config: Path, settings: Any) -> Any:
    """Return the model of a config, its weights not yet filled in, on the CPU."""
    from mmengine.dataset import Compose

    try:
        with quiet():
            model = apis.init_model(settings, None, device="cpu")
            Compose(settings.test_dataloader.dataset.pipeline)
    except Exception as error:  # a missing package, a setting that makes no sense
        raise SettingsError(f"{config}: MMPose cannot build it: {in_a_line(error)}") from error
    return model


def _fill(model: nn.Module, config: Path, checkpoint: Path) -> None:
    """Fill in every tensor of a model, or say which do not fit."""
    try:
        # Not strict, so as to tell all that is wrong in words; older names are mapped on the way.
        missing, unexpected = model.load_state_dict(read_state(checkpoint), strict=False)
    except RuntimeError as error:
        shapes = [line.strip() for line in str(error).splitlines() if "size mismatch" in line]
        told = shapes[0] if shapes else in_a_line(error)
        raise WeightsError(f"{checkpoint}: does not fit {config}: {told}") from error
    wrong = {"missing": missing, "unexpected": unexpected}
    if missing or unexpected:
        told = "; ".join(f"{what} {_some(names)}" for what, names in wrong.items() if names)
        raise WeightsError(f"{checkpoint}: does not fit {config}: {told}")


def _some(names: list[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")
