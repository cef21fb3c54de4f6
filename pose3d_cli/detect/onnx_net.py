"""An ONNX network through ONNX Runtime or, where that is not installed, through OpenCV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import DeviceError, MissingExtraError, WeightsError

_OLDEST_OPENCV = 5  # before, its dnn module fails on RTMDet


def onnx_engine() -> str:
    """Return what runs ONNX files here: `onnxruntime`, else `opencv`, or nothing."""
    if find_spec("onnxruntime") is not None:
        return "onnxruntime"
    return "opencv" if int(cv2.__version__.split(".")[0]) >= _OLDEST_OPENCV else ""


class OnnxNet:
    """A network with pictures as its input.

    Args:
        path: An `.onnx` file.
        threads: Of the CPU.
        device: `auto` and `cuda` use a CUDA build of ONNX Runtime where there is one.
        input_size: Width and height of its input, for OpenCV, which does not tell; None where
            the file alone is known.

    Attributes:
        engine: `onnxruntime` or `opencv`.
        input_size: Width and height of the input.
        any_batch: Whether several pictures may go through at once.
        where: The file, for messages.

    Raises:
        WeightsError: The file is no network that can be read.
        MissingExtraError: Neither runtime can run it; the message says what to install.
        DeviceError: `cuda` was asked for and cannot be had.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        device: str = "auto",
        input_size: tuple[int, int] | None = None,
    ) -> None:
        self.where = str(path)
        if not path.is_file():
            raise WeightsError(f"{path}: no such file")
        self.engine = onnx_engine()
        shape: list[Any] | None = None
        if self.engine == "onnxruntime":
            self._run, shape = _with_onnxruntime(path, threads, device)
        else:
            self._run = _with_opencv(path, device, input_size)
        self.any_batch = shape is not None and not isinstance(shape[0], int)
        self.input_size = _size(path, shape, input_size)

    def run(self, pictures: Float32[np.ndarray, "batch 3 height width"]) -> Sequence[np.ndarray]:
        """Return what the network makes of pictures, scaled and in the colours it wants."""
        if self.any_batch or len(pictures) == 1:
            return self._run(np.ascontiguousarray(pictures))
        alone = [self._run(np.ascontiguousarray(picture[None])) for picture in pictures]
        return [np.concatenate(parts) for parts in zip(*alone, strict=True)]


_Run = Callable[[np.ndarray], Sequence[np.ndarray]]


def _with_onnxruntime(path: Path, threads: int, device: str) -> tuple[_Run, list[Any]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=_providers(onnxruntime, device)
        )
    # Its errors have no common class but Exception.
    except Exception as error:
        raise _unreadable(path, error) from error
    entrance = session.get_inputs()
    if len(entrance) != 1 or len(entrance[0].shape) != 4:
        raise WeightsError(f"{path}: not a network of one picture; expected RTMPose, YOLOX, RTMDet")
    name = entrance[0].name
    return (lambda pictures: session.run(None, {name: pictures})), list(entrance[0].shape)


def _providers(onnxruntime: Any, device: str) -> list[str]:
    there = onnxruntime.get_available_providers()
    has_cuda = "CUDAExecutionProvider" in there
    if device == "cuda" and not has_cuda:
        raise DeviceError(
            "--device cuda: this build of ONNX Runtime has no CUDA; `pip install onnxruntime-gpu`, "
            "or use --device cpu"
        )
    use_cuda = has_cuda and device in ("auto", "cuda")
    return [*(["CUDAExecutionProvider"] if use_cuda else []), "CPUExecutionProvider"]


def _with_opencv(path: Path, device: str, input_size: tuple[int, int] | None) -> _Run:
    if onnx_engine() != "opencv" or input_size is None:
        raise MissingExtraError(
            f"{path}: running it needs ONNX Runtime: `pip install 'pose3d[onnx]'`"
        )
    if device == "cuda":
        raise DeviceError(
            "--device cuda: OpenCV runs ONNX files on the CPU only; `pip install onnxruntime-gpu`"
        )
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise _unreadable(path, error) from error
    # In the order of their names: those of these networks sort as the file has them.
    names = sorted(net.getUnconnectedOutLayersNames())

    def run(pictures: np.ndarray) -> Sequence[np.ndarray]:
        net.setInput(pictures)
        return list(net.forward(names))

    return run


def _unreadable(path: Path, error: Exception) -> WeightsError:
    told = " ".join(str(error).split())[:200]
    return WeightsError(f"{path}: not a readable ONNX network ({told}); download it again")


def _size(path: Path, shape: list[Any] | None, told: tuple[int, int] | None) -> tuple[int, int]:
    """Return width and height of the input, as the file says or else as was told."""
    if shape is not None and all(isinstance(n, int) for n in shape[2:]):
        return int(shape[3]), int(shape[2])
    if told is None:
        raise WeightsError(f"{path}: takes pictures of any size, so its own is not known here")
    return told
