"""RTMPose: the keypoints of MMPose's best fast networks, without MMPose.

`.pth` files go through PyTorch, `.onnx` files through ONNX Runtime or OpenCV.

Source: Jiang et al. 2023 (arXiv 2303.07399). Differs from MMPose in: people between two searches
are followed by their keypoints, and the mirror image is not looked at.
"""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.detect.base import Detector
from pose3d_cli.detect.boxes.shelf import person_detector
from pose3d_cli.detect.onnx_net import OnnxNet
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.present import best_there
from pose3d_cli.detect.shelf import register_detector
from pose3d_cli.detect.topdown import PoseNet, TopDown
from pose3d_cli.errors import UnknownNameError, WeightsError
from pose3d_cli.files.catalogue import Model, catalogue, find_model
from pose3d_cli.files.model_cache import require

_SUFFIXES = (".pth", ".onnx")
_SUGGESTED = "rtmpose-m-halpe26"


@register_detector("rtmpose")
def rtmpose(options: DetectorOptions) -> Detector:
    """Return RTMPose with a person detector before it.

    Raises:
        UnknownNameError: Weights that are neither a name of the catalogue nor a file.
        WeightsError: Weights that are not there, damaged, or of another network.
        MissingExtraError: Nothing here can run them.
    """
    path, model = _weights(options.weights)
    net = _net(path, model, options)
    people = person_detector(options)
    called = model.name if model else path.name
    return TopDown(f"rtmpose ({called}, boxes {people.name})", people, net)


def _weights(name: str) -> tuple[Path, Model | None]:
    known = {m.name: m for m in catalogue().values() if m.network == "rtmpose"}
    if not name:
        best = best_there("keypoints")
        if best is None:
            raise WeightsError(
                "--detector rtmpose: no weights of it are here; get some with "
                f"`pose3d weights download {_SUGGESTED}`, or give a file with --detector-weights"
            )
        return require(best.name), best
    if name in known:
        return require(name), known[name]
    if Path(name).suffix in _SUFFIXES:
        return Path(name), None
    model = find_model(name)  # raises where there is no such name at all
    raise UnknownNameError(
        f"--detector-weights: {model.name} finds {model.kind}, not as RTMPose does"
    )


def _net(path: Path, model: Model | None, options: DetectorOptions) -> PoseNet:
    if path.suffix == ".pth":
        from pose3d_cli.detect.rtmpose_torch import RTMPoseTorch  # loads torch

        return RTMPoseTorch(path, threads=options.many_threads, device=options.device)
    from pose3d_cli.detect.rtmpose_onnx import RTMPoseOnnx

    size = model.input_size if model else None
    net = OnnxNet(path, threads=options.many_threads, device=options.device, input_size=size)
    return RTMPoseOnnx(net)
