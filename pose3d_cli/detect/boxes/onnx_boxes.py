"""YOLOX and RTMDet: people's boxes from ONNX files, as their authors or MMDeploy export them.

Source: Ge et al. 2021 (arXiv 2107.08430), Lyu et al. 2022 (arXiv 2212.07784); outputs read off the
files. Those of YOLOX's authors are raw, one row a cell of three grids; MMDeploy's have suppressed
doubles already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from pose3d_cli.detect.boxes.base import PictureNet, letterbox, surest_first
from pose3d_cli.errors import WeightsError
from pose3d_cli.pose.boxes import keep_best

_STRIDES = (8, 16, 32)
_MAX_OVERLAP = 0.45
_PERSON = 0  # of COCO's classes


@dataclass(frozen=True)
class Scaling:
    """What is taken out of a picture before it is shown, blue first, from 0 to 255."""

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spread: tuple[float, float, float] = (1.0, 1.0, 1.0)


NETWORKS: Mapping[str, Scaling] = {
    "yolox": Scaling(),
    "rtmdet": Scaling((103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
}
"""Both want BGR, though RTMPose wants RGB."""


class OnnxBoxes:
    """Finds people with a network of any size.

    Args:
        net: The network.
        kind: One of `NETWORKS`.
        name: What it is called in results.
        min_score: Least confidence, in [0, 1].
    """

    def __init__(
        self, net: PictureNet, kind: str, *, name: str = "", min_score: float = 0.4
    ) -> None:
        self.name = name or kind
        self._net, self._scaling, self._min_score = net, NETWORKS[kind], min_score

    def boxes(self, image: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "persons 5"]:
        """Return boxes in pixels and confidence, the surest first."""
        width, height = self._net.input_size
        picture, scale = letterbox(image, width, height)
        mean, spread = (np.array(v, np.float32) for v in (self._scaling.mean, self._scaling.spread))
        shown = (picture[..., ::-1].astype(np.float32) - mean) / spread
        outputs = self._net.run(shown.transpose(2, 0, 1)[None])
        found = people_of(outputs, width, height, self._net.where)
        found[:, :4] /= scale
        kept = surest_first(found, self._min_score)
        is_raw = len(outputs) == 1
        return kept[keep_best(kept[:, :4], kept[:, 4], _MAX_OVERLAP)] if is_raw else kept


def people_of(
    outputs: Sequence[np.ndarray], width: int, height: int, where: str
) -> Float32[np.ndarray, "persons 5"]:
    """Return every person an output of a detection network tells of, in pixels of its input.

    Args:
        outputs: Boxes with scores (1, n, 5) and classes (1, n); or one raw table (1, n, 85).
        width: Of the input.
        height: Of the input.
        where: File, for the message.

    Raises:
        WeightsError: Outputs of no known shape.
    """
    shapes = [output.shape for output in outputs]
    if len(outputs) == 2 and shapes[0][-1] == 5 and outputs[0].ndim == 3:
        box, kind = outputs[0][0], outputs[1].reshape(-1)
        return box[kind == _PERSON].astype(np.float32)
    if len(outputs) == 1 and outputs[0].ndim == 3 and shapes[0][-1] > 5:
        return _decoded(outputs[0][0], width, height, where)
    raise WeightsError(f"{where}: its outputs are {shapes}; expected those of YOLOX or RTMDet")


def _decoded(
    raw: Float32[np.ndarray, "cells numbers"], width: int, height: int, where: str
) -> Float32[np.ndarray, "cells 5"]:
    corner, stride = [], []
    for step in _STRIDES:
        y, x = np.mgrid[: height // step, : width // step]
        corner.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        stride.append(np.full((corner[-1].shape[0], 1), step))
    if sum(map(len, corner)) != len(raw):
        raise WeightsError(f"{where}: {len(raw)} rows do not fit an input of {width}x{height}")
    scale = np.concatenate(stride)
    centre = (raw[:, :2] + np.concatenate(corner)) * scale
    half = np.exp(np.minimum(raw[:, 2:4], 20.0)) * scale / 2
    score = raw[:, 4:5] * raw[:, 5 + _PERSON, None]
    return np.concatenate([centre - half, centre + half, score], axis=1).astype(np.float32)
