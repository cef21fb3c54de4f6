"""Which person detector is meant, and where its weights lie."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.config import nearest
from pose3d_cli.detect.boxes.base import PersonDetector
from pose3d_cli.detect.boxes.blaze import BlazeBoxes
from pose3d_cli.detect.boxes.onnx_boxes import NETWORKS, OnnxBoxes
from pose3d_cli.detect.onnx_net import OnnxNet
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.present import best_there
from pose3d_cli.errors import SettingsError, UnknownNameError
from pose3d_cli.files.catalogue import catalogue
from pose3d_cli.files.model_cache import require

_SIZES = (320, 416, 640)
_SMALL = {"yolox": 416, "rtmdet": 320}
_EMBEDDED = "blazepose"


def person_detector(options: DetectorOptions) -> PersonDetector:
    """Return the person detector that `options.boxes` means.

    Raises:
        UnknownNameError: Neither a name known nor a file.
        SettingsError: A file whose name does not tell what network it is.
        WeightsError: Weights that are not there, or damaged.
        MissingExtraError: Nothing here can run them.
    """
    name = options.boxes
    if name == "auto":
        best = best_there("boxes")
        name = best.name if best else _EMBEDDED
    if name == _EMBEDDED:
        return BlazeBoxes(threads=options.few_threads)
    known = {model.name: model for model in catalogue().values() if model.kind == "boxes"}
    if name in known:
        model = known[name]
        return _network(require(name), model.network, options, model.input_size, name)
    if not name.endswith(".onnx"):
        near = nearest(name, ["auto", _EMBEDDED, *known])
        raise UnknownNameError(f"--boxes: no person detector {name!r}{near}")
    path = Path(name)
    told = [network for network in NETWORKS if network in path.name.lower()]
    if len(told) != 1:
        raise SettingsError(
            f"--boxes {name}: the file's name does not tell what it is; "
            f"have it say one of {', '.join(NETWORKS)}"
        )
    size = _usual_size(path.name.lower(), told[0])
    return _network(path, told[0], options, size, path.stem)


def _usual_size(name: str, network: str) -> tuple[int, int]:
    """Return the input that files of this name have, for those that do not say it themselves."""
    said = [size for size in _SIZES if str(size) in name]
    small = "nano" in name or "tiny" in name
    side = said[0] if said else _SMALL[network] if small else _SIZES[-1]
    return side, side


def _network(
    path: Path, network: str, options: DetectorOptions, size: tuple[int, int], name: str
) -> PersonDetector:
    net = OnnxNet(path, threads=options.many_threads, device=options.device, input_size=size)
    return OnnxBoxes(net, network, name=name)
