import numpy as np
import pytest
import torch

from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.rtmpose_torch import RTMPoseTorch
from pose3d_cli.detect.torch_run import device_called, with_threads
from pose3d_cli.errors import DeviceError
from tests.pose_nets import rtmpose_state


def test_a_device_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_called("auto") == torch.device("cpu")
    with pytest.raises(DeviceError, match=r"--device nonsense: .*; use --device cpu"):
        device_called("nonsense")
    torch.save({"state_dict": rtmpose_state()}, tmp_path / "toy.pth")
    with pytest.raises(DeviceError):
        RTMPoseTorch(tmp_path / "toy.pth", device="nonsense")


def test_threads_are_those_asked_for_and_then_those_of_before():
    before = torch.get_num_threads()

    def broken():
        with with_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert torch.get_num_threads() == before


def test_small_networks_take_one_thread_and_large_ones_a_few(monkeypatch):
    monkeypatch.setattr("pose3d_cli.detect.options.threads_allowed", lambda: 16)
    options = DetectorOptions()
    assert (options.few_threads, options.many_threads) == (1, 4)
    options = DetectorOptions(threads=2)
    assert (options.few_threads, options.many_threads) == (2, 2)


def test_a_network_runs_with_its_own_number_of_threads(tmp_path, monkeypatch):
    torch.save({"state_dict": rtmpose_state()}, tmp_path / "toy.pth")
    net = RTMPoseTorch(tmp_path / "toy.pth", threads=3, device="cpu")
    seen = []
    forward = net._network.forward
    net._network.forward = lambda x: seen.append(torch.get_num_threads()) or forward(x)
    net.keypoints(np.zeros((64, 64, 3), np.uint8), np.array([[0, 0, 60, 60]], np.float32))
    assert seen == [3]
