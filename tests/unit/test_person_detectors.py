"""Person detectors: what their networks are shown, and what is made of the answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.detect.boxes.base import PersonDetector, letterbox
from pose3d_cli.detect.boxes.blaze import BlazeBoxes
from pose3d_cli.detect.boxes.onnx_boxes import OnnxBoxes
from pose3d_cli.detect.boxes.shelf import person_detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.errors import SettingsError, UnknownNameError, WeightsError
from pose3d_cli.files.video import open_video
from pose3d_cli.pose.boxes import iou, keep_best

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.mp4"
RED = np.array([255, 0, 0], np.uint8)


class Net:
    """Stands for a network: keeps what it is shown and gives what it was told to."""

    def __init__(self, *outputs, size=(64, 64)):
        self.input_size, self.where, self.outputs = size, "toy.onnx", outputs

    def run(self, pictures):
        self.shown = pictures
        return [np.array(output, np.float32) for output in self.outputs]


def suppressed(*rows, kinds=None):
    """Return outputs as MMDeploy's exports give them."""
    return np.array([rows], np.float32).reshape(1, -1, 5), [kinds or [0] * len(rows)]


def raw_yolox(cells: dict[int, list[float]], size=64):
    """Return a raw table of YOLOX with numbers in some of its cells and confidence nowhere else."""
    n_cells = sum((size // step) ** 2 for step in (8, 16, 32))
    table = np.zeros((1, n_cells, 85), np.float32)
    for cell, (x, y, width, height, thing, person) in cells.items():
        table[0, cell, :6] = [x, y, np.log(width), np.log(height), thing, person]
    return table


def test_boxes_share_ground():
    one = np.array([[0, 0, 10, 10], [100, 100, 110, 110]], float)
    other = np.array([[0, 0, 10, 10], [5, 0, 15, 10]], float)
    np.testing.assert_allclose(iou(one, other), [[1, 1 / 3], [0, 0]])
    assert iou(one, np.zeros((0, 4))).shape == (2, 0)
    assert keep_best(other, np.array([0.5, 0.9]), 0.3).tolist() == [1]


@pytest.mark.parametrize("shape", [(100, 200), (200, 100), (1, 1), (64, 64)])
def test_a_letterbox_keeps_the_picture_s_shape_in_the_upper_left(shape):
    image = np.full((*shape, 3), 200, np.uint8)
    canvas, scale = letterbox(image, 64, 64)
    assert canvas.shape == (64, 64, 3)
    assert scale == pytest.approx(64 / max(shape))
    inside = (canvas == 200).all(-1)
    assert inside.sum() == round(shape[0] * scale) * round(shape[1] * scale)
    assert inside[0, 0]
    assert set(np.unique(canvas[~inside])) <= {114}


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("yolox", [0, 0, 255]), ("rtmdet", [-103.53 / 57.375, -116.28 / 57.12, 131.325 / 58.395])],
)
def test_networks_are_shown_blue_green_red(kind, shown):
    net = Net(*suppressed())
    found = OnnxBoxes(net, kind).boxes(np.broadcast_to(RED, (64, 64, 3)).copy())
    assert found.shape == (0, 5)
    np.testing.assert_allclose(net.shown[0, :, 3, 3], shown, rtol=1e-5)


@pytest.mark.parametrize("kind", ["yolox", "rtmdet"])
def test_boxes_come_back_in_pixels_the_surest_first(kind):
    rows = [1, 2, 11, 22, 0.5], [20, 20, 40, 60, 0.9], [0, 0, 9, 9, 0.1], [5, 5, 30, 30, 0.8]
    net = Net(*suppressed(*rows, kinds=[0, 0, 0, 56]))
    found = OnnxBoxes(net, kind).boxes(np.zeros((128, 128, 3), np.uint8))
    np.testing.assert_allclose(found, [[40, 40, 80, 120, 0.9], [2, 4, 22, 44, 0.5]], rtol=1e-5)
    assert isinstance(OnnxBoxes(net, kind), PersonDetector)


def test_raw_answers_of_yolox_are_decoded_and_doubles_dropped():
    cells = {
        9: [0.5, 0.25, 3.0, 4.0, 0.9, 0.8],  # second row of the grid of 8 px: cell (1, 1)
        10: [-0.5, 0.25, 3.0, 4.0, 0.9, 0.7],  # the same box from the next cell
        64 + 16 + 3: [0.0, 0.0, 1.0, 1.0, 1.0, 1.0],  # the grid of 32 px: cell (1, 1)
        40: [0.0, 0.0, 2.0, 2.0, 0.9, 0.3],  # unsure
    }
    found = OnnxBoxes(Net(raw_yolox(cells)), "yolox").boxes(np.zeros((64, 64, 3), np.uint8))
    expected = [[16, 16, 48, 48, 1.0], [0, -6, 24, 26, 0.72]]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ([np.zeros((1, 10, 85))], "10 rows do not fit an input of 64x64"),
        ([np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(3)], "expected those of YOLOX or RTMDet"),
    ],
)
def test_answers_of_another_network_are_told(outputs, why):
    with pytest.raises(WeightsError, match=f"toy.onnx: .*{why}"):
        OnnxBoxes(Net(*outputs), "yolox").boxes(np.zeros((64, 64, 3), np.uint8))


def test_the_embedded_detector_boxes_the_people_of_the_sample():
    with open_video(SAMPLE) as video:
        image = next(iter(video)).image
    found = BlazeBoxes().boxes(image)
    height, width = image.shape[:2]
    middle = (found[:, :2] + found[:, 2:4]) / 2
    woman = np.array([0.84 * width, 0.72 * height])
    nearest = np.hypot(*(middle - woman).T).argmin()
    assert np.hypot(*(middle[nearest] - woman)) < 0.1 * width
    side = found[nearest, 2:4] - found[nearest, :2]
    assert side[0] == pytest.approx(side[1])
    assert 0.3 * height < side[0] < 0.6 * height
    assert np.all(np.diff(found[:, 4]) <= 0)
    assert np.all((found[:, 4] >= 0.5) & (found[:, 4] <= 1))
    assert len(BlazeBoxes().boxes(np.zeros((200, 300, 3), np.uint8))) == 0


def test_without_weights_auto_is_the_embedded_one():
    assert person_detector(DetectorOptions()).name == "blazepose"


@pytest.mark.parametrize(
    ("boxes", "error", "why"),
    [
        ("yolox-nan", UnknownNameError, "did you mean 'yolox-nano'"),
        ("yolox-nano", WeightsError, "pose3d weights download yolox-nano"),
        ("people.onnx", SettingsError, "does not tell what it is"),
        ("my-yolox.onnx", WeightsError, "no such file"),
    ],
)
def test_a_person_detector_that_cannot_be_had_is_told(boxes, error, why):
    with pytest.raises(error, match=why):
        person_detector(DetectorOptions(boxes=boxes))
