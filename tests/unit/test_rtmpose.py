"""RTMPose: crop, answer, weights, and that every runtime says the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pose3d_cli.detect import simcc
from pose3d_cli.detect.onnx_net import OnnxNet
from pose3d_cli.detect.rtmpose_onnx import RTMPoseOnnx
from pose3d_cli.detect.rtmpose_torch import RTMPoseTorch
from pose3d_cli.errors import WeightsError
from pose3d_cli.pose.skeleton import HALPE26
from tests.pose_nets import SIZE, draw_figure, rtmpose_network, rtmpose_state, write_finder

BOX = np.array([[200, 60, 420, 440], [30, 100, 130, 400]], np.float32)


@pytest.fixture(scope="module")
def pth(tmp_path_factory):
    """Weights as OpenMMLab publishes them: tensors, and what training left behind."""
    path = tmp_path_factory.mktemp("pth") / "toy.pth"
    meta = {"epoch": np.int64(420), "seed": np.array([1, 2])}
    torch.save({"meta": meta, "state_dict": rtmpose_state()}, path)
    return path


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "toy.onnx"
    picture = torch.zeros(1, 3, SIZE[1], SIZE[0])
    names = {"input_names": ["input"], "output_names": ["simcc_x", "simcc_y"]}
    with pytest.warns(DeprecationWarning, match="TorchScript"):
        torch.onnx.export(
            rtmpose_network(),
            (picture,),
            path,
            dynamo=False,
            dynamic_axes={name: {0: "batch"} for name in ("input", "simcc_x", "simcc_y")},
            **names,
        )
    return path


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(3).integers(0, 256, (480, 640, 3), dtype=np.uint8)


def use(monkeypatch, engine):
    monkeypatch.setattr("pose3d_cli.detect.onnx_net.onnx_engine", lambda: engine)


def test_a_box_is_padded_and_widened_to_the_crop_s_shape():
    maps = simcc.to_crop(np.array([100, 100, 180, 300], np.float32), SIZE)
    # 80x200 padded by 1.25 is 100x250; at 3:4 that is 187.5x250, about (140, 200).
    corners = np.array([[140 - 93.75, 75], [140 + 93.75, 325]])
    np.testing.assert_allclose(maps @ np.array([*corners[0], 1]), [0, 0], atol=1e-9)
    np.testing.assert_allclose(maps @ np.array([*corners[1], 1]), SIZE, atol=1e-9)
    flat = simcc.to_crop(np.array([0, 0, 300, 100], np.float32), SIZE)
    assert flat[0, 0] == pytest.approx(192 / 375)


def test_crops_are_rgb_with_mean_and_spread_taken_out():
    image = np.zeros((300, 300, 3), np.uint8)
    image[...] = (255, 0, 100)
    maps = simcc.to_crop(np.array([100, 100, 150, 180], np.float32), SIZE)[None]
    crop = simcc.crops(image, maps, SIZE)
    assert crop.shape == (1, 3, 256, 192)
    assert crop[0, :, 128, 96] == pytest.approx([2.2489, -2.0357, -0.0610], abs=1e-3)


def test_peaks_become_pixels_and_the_lower_one_is_the_score():
    along_x = np.zeros((1, 3, 384), np.float32)
    along_y = np.zeros((1, 3, 512), np.float32)
    along_x[0, 0, 101], along_y[0, 0, 40] = 0.9, 0.6
    along_x[0, 1, 10], along_y[0, 1, 20] = 1.7, 1.4
    along_x[0, 2], along_y[0, 2] = -0.1, 0.4
    maps = np.array([[[2.0, 0, -30], [0, 2.0, 8]]])
    xy, score = simcc.decode(along_x, along_y, maps)
    assert xy[0, 0].tolist() == [(50.5 + 30) / 2, (20 - 8) / 2]
    assert score[0].tolist() == pytest.approx([0.6, 1.0, 0.0])
    assert np.isnan(xy[0, 2]).all()


def test_the_weights_decide_size_and_joints(pth):
    net = RTMPoseTorch(pth, device="cpu")
    assert net.size_px == SIZE
    assert net.skeleton.name == "coco17"


@pytest.mark.parametrize("size", [(192, 256), (288, 384)])
@pytest.mark.parametrize(("joints", "name"), [(26, "halpe26"), (133, "wholebody133")])
def test_other_sizes_are_read_off_the_file(tmp_path, size, joints, name):
    torch.save({"state_dict": rtmpose_state(joints, size)}, tmp_path / "toy.pth")
    net = RTMPoseTorch(tmp_path / "toy.pth", device="cpu")
    assert (net.size_px, net.skeleton.name) == (size, name)


@pytest.mark.parametrize("engine", ["onnxruntime", "opencv"])
def test_every_runtime_says_the_same(pth, onnx_file, picture, monkeypatch, engine):
    use(monkeypatch, engine)
    by_torch = RTMPoseTorch(pth, device="cpu").keypoints(picture, BOX)
    runtime = OnnxNet(onnx_file, input_size=SIZE)
    assert runtime.engine == engine
    net = RTMPoseOnnx(runtime)
    for ours, theirs in zip(by_torch, net.keypoints(picture, BOX), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.01)
    assert np.isfinite(by_torch[0]).any()
    assert len(np.unique(by_torch[0][0], axis=0)) > 5  # an answer that depends on the joint


def test_people_of_a_picture_do_not_change_each_other(pth, picture):
    net = RTMPoseTorch(pth, device="cpu")
    together = net.keypoints(picture, BOX)
    for row in range(len(BOX)):
        alone = net.keypoints(picture, BOX[row : row + 1])
        np.testing.assert_allclose(alone[0][0], together[0][row], atol=0.01)
        np.testing.assert_allclose(alone[1][0], together[1][row], atol=1e-4)


@pytest.mark.parametrize("batch", ["batch", 1])
def test_files_for_one_picture_at_a_time_serve_several_people(tmp_path, batch):
    write_finder(tmp_path / "finder.onnx", 26, batch=batch)
    net = RTMPoseOnnx(OnnxNet(tmp_path / "finder.onnx"))
    image = np.full((480, 640, 3), 40, np.uint8)
    truth = [draw_figure(image, HALPE26, box) for box in ((40, 60, 240, 440), (330, 40, 590, 460))]
    box = np.array([[30, 50, 250, 450], [320, 30, 600, 470]], np.float32)
    xy, score = net.keypoints(image, box)
    assert np.abs(xy - truth).max() < 8  # the dots' radius, and a pixel of the crop
    assert score.min() > 0.9


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"state_dict": {"backbone.stem.0.conv.weight": torch.zeros(4, 3, 3, 3)}}, "not the weigh"),
        ({"meta": {"a": 1}}, "holds no `state_dict` of tensors"),
        ({"state_dict": {k: v for k, v in rtmpose_state().items() if k != "head.mlp.0.g"}}, "miss"),
        ({"state_dict": rtmpose_state(14)}, "finds 14 keypoints"),
    ],
)
def test_other_files_are_told(tmp_path, content, why):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=why):
        RTMPoseTorch(tmp_path / "other.pth", device="cpu")


def test_an_onnx_file_of_another_network_is_told(tmp_path, monkeypatch):
    write_finder(tmp_path / "fourteen.onnx", 14)
    with pytest.raises(WeightsError, match="finds 14 keypoints"):
        RTMPoseOnnx(OnnxNet(tmp_path / "fourteen.onnx"))
    (tmp_path / "text.onnx").write_text("this is text")
    for engine in ("onnxruntime", "opencv"):
        use(monkeypatch, engine)
        with pytest.raises(WeightsError, match="not a readable ONNX network"):
            RTMPoseOnnx(OnnxNet(tmp_path / "text.onnx", input_size=SIZE))
    with pytest.raises(WeightsError, match="no such file"):
        RTMPoseOnnx(OnnxNet(tmp_path / "absent.onnx"))


class OneAnswer:
    input_size, where = SIZE, "one.onnx"

    def run(self, pictures):
        return [np.zeros((1, 17, 384), np.float32)]


def test_a_network_with_one_answer_is_no_rtmpose():
    with pytest.raises(WeightsError, match=r"one\.onnx: .*not those of an RTMPose"):
        RTMPoseOnnx(OneAnswer())
