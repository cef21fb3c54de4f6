"""Networks of the RTMPose kind for tests: random ones of toy width, and one that really finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pose3d_cli.detect.rtmpose_network import RTMPoseNetwork
from pose3d_cli.pose.skeleton import Skeleton

SIZE = (192, 256)
_WIDTHS = (8, 16, 32, 64, 128)
_BLOCKS = (1, 2, 2, 1)
_COLUMNS, _ROWS = 5, 6  # of the grid on which the dots of a figure are
_INNER, _HIDDEN, _KEY = 32, 64, 16


def rtmpose_sizes(joints: int = 17, size=SIZE) -> dict[str, torch.Size]:
    """Return the shapes of an RTMPose an eighth as wide as `m`, as its file would name them."""
    shapes: dict[str, tuple[int, ...]] = {}

    def unit(name, outer, inner, kernel):
        shapes[f"{name}.conv.weight"] = (outer, inner, kernel, kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = (outer,)
        shapes[f"{name}.bn.num_batches_tracked"] = ()

    half = _WIDTHS[0] // 2
    for number, (outer, inner) in enumerate(((half, 3), (half, half), (_WIDTHS[0], half))):
        unit(f"backbone.stem.{number}", outer, inner, 3)
    for stage, blocks in enumerate(_BLOCKS, start=1):
        inner, outer, name = _WIDTHS[stage - 1], _WIDTHS[stage], f"backbone.stage{stage}"
        unit(f"{name}.0", outer, inner, 3)
        layer = f"{name}.1"
        if stage == len(_BLOCKS):
            unit(f"{name}.1.conv1", outer // 2, outer, 1)
            unit(f"{name}.1.conv2", outer, 2 * outer, 1)
            layer = f"{name}.2"
        unit(f"{layer}.main_conv", outer // 2, outer, 1)
        unit(f"{layer}.short_conv", outer // 2, outer, 1)
        unit(f"{layer}.final_conv", outer, outer, 1)
        shapes[f"{layer}.attention.fc.weight"] = (outer, outer, 1, 1)
        shapes[f"{layer}.attention.fc.bias"] = (outer,)
        for block in range(blocks):
            part = f"{layer}.blocks.{block}"
            unit(f"{part}.conv1", outer // 2, outer // 2, 3)
            unit(f"{part}.conv2.depthwise_conv", outer // 2, 1, 5)
            unit(f"{part}.conv2.pointwise_conv", outer // 2, outer // 2, 1)
    shapes |= _head_sizes(joints, size)
    return {name: torch.Size(shape) for name, shape in shapes.items()}


def _head_sizes(joints: int, size) -> dict[str, tuple[int, ...]]:
    return {
        "head.final_layer.weight": (joints, _WIDTHS[-1], 7, 7),
        "head.final_layer.bias": (joints,),
        "head.mlp.0.g": (1,),
        "head.mlp.1.weight": (_INNER, (size[0] // 32) * (size[1] // 32)),
        "head.gau.gamma": (2, _KEY),
        "head.gau.beta": (2, _KEY),
        "head.gau.ln.g": (1,),
        "head.gau.uv.weight": (2 * _HIDDEN + _KEY, _INNER),
        "head.gau.o.weight": (_INNER, _HIDDEN),
        "head.gau.res_scale.scale": (_INNER,),
        "head.cls_x.weight": (2 * size[0], _INNER),
        "head.cls_y.weight": (2 * size[1], _INNER),
    }


def rtmpose_state(joints: int = 17, size=SIZE) -> dict[str, torch.Tensor]:
    """Return weights under which answers depend on the picture.

    They look like chance and come from a formula, since chance may change with versions.
    """
    state = {}
    for number, (name, shape) in enumerate(rtmpose_sizes(joints, size).items()):
        kind = name.rpartition(".")[2]
        place = torch.arange(max(1, int(np.prod(shape))), dtype=torch.float64)
        even = (torch.sin(12.9898 * place + 78.233 * number) * 43758.5453).frac().abs()
        if kind == "num_batches_tracked":
            state[name] = torch.tensor(1)
        elif kind in ("running_var", "scale", "g") or name.endswith("bn.weight"):
            state[name] = (0.5 + even).float().view(shape)
        else:
            spread = (2 / max(1, int(np.prod(shape[1:])))) ** 0.5
            state[name] = (spread * 12**0.5 * (even - 0.5)).float().view(shape)
    return state


def rtmpose_network(joints: int = 17, size=SIZE) -> RTMPoseNetwork:
    """Return such a network, ready to run."""
    network = RTMPoseNetwork(rtmpose_sizes(joints, size))
    network.load_state_dict(rtmpose_state(joints, size))
    return network.eval()


def colours(n: int) -> np.ndarray:
    """Return so many colours, far apart and far from grey as long as there are such: RGB (n, 3)."""
    levels = (0, 75, 150, 225)
    cube = [(r, g, b) for r in levels for g in levels for b in levels]
    brightest_first = sorted(cube, key=lambda c: max(c) - min(c), reverse=True)
    return np.array(brightest_first[:n], np.uint8)


def dot_colours(n: int) -> np.ndarray:
    """Return the colours as RTMPose sees them, mean and spread taken out."""
    mean, spread = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    return ((colours(n) - mean) / spread).astype(np.float32)


def draw_figure(
    image: np.ndarray, skeleton: Skeleton, box: tuple[float, float, float, float]
) -> np.ndarray:
    """Draw a dot in its own colour for each joint, each somewhere in the box; return where."""
    left, top, right, bottom = box
    n = len(skeleton.joints)
    place = np.random.default_rng(7).permutation(_COLUMNS * _ROWS)[:n]
    share = np.stack([place % _COLUMNS + 0.5, place // _COLUMNS + 0.5], axis=-1) / [_COLUMNS, _ROWS]
    xy = np.array([left, top]) + share * [right - left, bottom - top]
    radius = round(0.03 * (bottom - top))
    for (x, y), colour in zip(xy.round().astype(int), colours(n), strict=True):
        rows = slice(max(y - radius, 0), max(y + radius + 1, 0))
        columns = slice(max(x - radius, 0), max(x + radius + 1, 0))
        image[rows, columns] = colour
    return xy


def write_finder(path: Path, joints: int = 17, size=SIZE, *, batch: int | str = "batch") -> None:
    """Write an ONNX network that finds the dots of `draw_figure`, shaped as RTMPose is.

    Its input is what RTMPose's is (RGB, mean and spread taken out); a score is 1 where a dot's
    colour is met and below 0 where another colour is.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    width, height = size
    wanted = dot_colours(joints)
    tolerance = 1.5
    constants = {
        "weight": (2 * wanted / tolerance)[:, :, None, None],
        "bias": 1 - (wanted**2).sum(1) / tolerance,
        "tolerance": np.array(1 / tolerance),
        "twice_x": np.arange(2 * width) // 2,
        "twice_y": np.arange(2 * height) // 2,
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "three": np.array([3], np.int64),
    }
    tensors = [
        numpy_helper.from_array(v if v.dtype == np.int64 else v.astype(np.float32), k)
        for k, v in constants.items()
    ]
    node = helper.make_node
    nodes = [
        # The mean over a dot: noise then has no colour.
        node("AveragePool", ["input"], ["smooth"], kernel_shape=[7, 7], pads=[3, 3, 3, 3]),
        node("Conv", ["smooth", "weight", "bias"], ["met"], kernel_shape=[1, 1]),
        node("Mul", ["smooth", "smooth"], ["square"]),
        node("ReduceSum", ["square", "one"], ["length"], keepdims=1),
        node("Mul", ["length", "tolerance"], ["far"]),
        node("Sub", ["met", "far"], ["score"]),
        node("ReduceMax", ["score", "two"], ["along_x"], keepdims=0),
        node("ReduceMax", ["score", "three"], ["along_y"], keepdims=0),
        node("Gather", ["along_x", "twice_x"], ["simcc_x"], axis=2),
        node("Gather", ["along_y", "twice_y"], ["simcc_y"], axis=2),
    ]
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "finder",
        [helper.make_tensor_value_info("input", floats, [batch, 3, height, width])],
        [
            helper.make_tensor_value_info("simcc_x", floats, [batch, joints, 2 * width]),
            helper.make_tensor_value_info("simcc_y", floats, [batch, joints, 2 * height]),
        ],
        tensors,
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))


PANEL = 180
"""Grey on which `write_box_finder` looks for a figure."""


def draw_person(image: np.ndarray, skeleton: Skeleton, box) -> np.ndarray:
    """Draw a figure on a panel that `write_box_finder` finds; return where its joints are."""
    left, top, right, bottom = (int(n) for n in box)
    image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = PANEL
    inset = 0.06 * (bottom - top)
    return draw_figure(image, skeleton, (left + inset, top + inset, right - inset, bottom - inset))


def write_box_finder(path: Path, side: int = 640) -> None:
    """Write an ONNX network that gives the box of what is bright, as MMDeploy's detectors do.

    Input as YOLOX's: BGR from 0 to 255.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    last = side - 1
    constants = {
        "least": np.array(150, np.float32),
        "back": np.arange(side)[::-1].copy(),
        "channel": np.array([1]),
        "down": np.array([2]),
        "across": np.array([3]),
        "last": np.array(last, np.float32),
        "shape": np.array([1, 1, 1]),
        "kind": np.zeros((1, 1), np.int64),
    }
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    node = helper.make_node
    nodes = [
        node("ReduceMin", ["images", "channel"], ["lightness"], keepdims=1),
        node("Greater", ["lightness", "least"], ["is_bright"]),
        node("Cast", ["is_bright"], ["bright"], to=TensorProto.FLOAT),
    ]
    parts = []
    for name, over, axis in (("x", "down", 2), ("y", "across", 3)):
        nodes += [
            node("ReduceMax", ["bright", over], [f"{name}_any"], keepdims=1),
            node("ArgMax", [f"{name}_any"], [f"{name}_low"], axis=5 - axis, keepdims=1),
            node("Gather", [f"{name}_any", "back"], [f"{name}_back"], axis=5 - axis),
            node("ArgMax", [f"{name}_back"], [f"{name}_rest"], axis=5 - axis, keepdims=1),
            node("Cast", [f"{name}_low"], [f"{name}_from"], to=TensorProto.FLOAT),
            node("Cast", [f"{name}_rest"], [f"{name}_rest_f"], to=TensorProto.FLOAT),
            node("Sub", ["last", f"{name}_rest_f"], [f"{name}_to"]),
        ]
        parts.append((f"{name}_from", f"{name}_to"))
    nodes += [
        node("ReduceMax", ["x_any", "across"], ["sure"], keepdims=1),
        *(
            node("Reshape", [part, "shape"], [f"{part}_1"])
            for part in ("sure", *parts[0], *parts[1])
        ),
        node(
            "Concat",
            [f"{p}_1" for p in ("x_from", "y_from", "x_to", "y_to", "sure")],
            ["dets"],
            axis=2,
        ),
        node("Identity", ["kind"], ["labels"]),
    ]
    graph = helper.make_graph(
        nodes,
        "boxes",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [
            helper.make_tensor_value_info("dets", TensorProto.FLOAT, [1, 1, 5]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, 1]),
        ],
        tensors,
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
