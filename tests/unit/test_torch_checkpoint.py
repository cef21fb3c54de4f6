"""Checkpoints of OpenMMLab: their tensors are read, and nothing of them runs."""

from __future__ import annotations

import os
import sys
import types
import zipfile
from collections import OrderedDict
from subprocess import getoutput

import numpy as np
import pytest
import torch

from pose3d_cli.detect.torch_checkpoint import read_state
from pose3d_cli.errors import WeightsError
from tests.miniatures.mmpose import write_checkpoint

STATE = OrderedDict({"head.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pth"


def is_state(found) -> bool:
    return list(found) == list(STATE) and all(torch.equal(found[k], STATE[k]) for k in STATE)


def rewritten(path, old: bytes, new: bytes) -> None:
    """Change the pickle in a checkpoint."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in part for part in parts.values())
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part.replace(old, new) if name.endswith(".pkl") else part)


def test_tensors_come_out_whatever_numbers_of_numpy_lie_beside_them(path):
    assert is_state(read_state(write_checkpoint(path, STATE)))


def test_so_they_do_of_a_file_that_numpy_1_wrote(path):
    write_checkpoint(path, STATE)
    rewritten(path, b"numpy._core", b"numpy.core")
    assert is_state(read_state(path))


def test_and_of_a_file_that_pytorch_wrote_before_it_made_archives(path):
    meta = {"best": np.float64(0.7), "sigmas": np.ones(17)}
    torch.save({"meta": meta, "state_dict": STATE}, path, _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    assert is_state(read_state(path))


def test_logs_of_a_training_are_left_out(path, monkeypatch):
    module = types.ModuleType("mmengine.logging.history_buffer")

    class HistoryBuffer:
        def __init__(self):
            self.log, self.count = np.arange(3.0), np.arange(3)

    HistoryBuffer.__module__, HistoryBuffer.__qualname__ = module.__name__, "HistoryBuffer"
    module.HistoryBuffer = HistoryBuffer
    for name in ("mmengine", "mmengine.logging"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    write_checkpoint(path, STATE, message_hub={"log_scalars": {"loss": HistoryBuffer()}})
    assert is_state(read_state(path))


def test_what_several_gpus_put_before_names_is_taken_away_and_versions_stay(path):
    state = OrderedDict({f"module.{name}": tensor for name, tensor in STATE.items()})
    state._metadata = OrderedDict({"module": {"version": 2}, "module.head": {"version": 3}})
    found = read_state(write_checkpoint(path, state))
    assert is_state(found)
    assert found._metadata["head"] == {"version": 3}


class Harmful:
    def __init__(self, function, path):
        self.function, self.path = function, path

    def __reduce__(self):
        return self.function, (f"touch {self.path}",)


@pytest.mark.parametrize("is_archive", [True, False], ids=["archive", "before-1.6"])
@pytest.mark.parametrize(
    ("function", "name"), [(os.system, r"(posix|nt)\.system"), (getoutput, r"\w+\.getoutput")]
)
def test_a_checkpoint_that_would_run_code_is_refused_and_does_not_run(
    path, is_archive, function, name
):
    mark = path.with_suffix(".ran")
    content = {"state_dict": STATE, "meta": Harmful(function, mark)}
    torch.save(content, path, _use_new_zipfile_serialization=is_archive)
    with pytest.raises(WeightsError, match=f"refused to unpickle: it wants `{name}`"):
        read_state(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "content",
    [
        {"model": STATE},
        [STATE],
        {},
        {"state_dict": {}},
        {"state_dict": {"a": 1.0}},
        {"state_dict": {"a": np.ones(3)}},
        {"state_dict": {1: torch.ones(1)}},
    ],
)
def test_what_is_no_checkpoint_of_theirs_is_told(path, content):
    torch.save(content, path)
    with pytest.raises(WeightsError, match="holds no `state_dict` of tensors"):
        read_state(path)


def test_tensors_alone_will_do(path):
    torch.save(STATE, path)
    assert is_state(read_state(path))


def test_a_file_cut_off_or_of_another_kind_is_told(path, tmp_path):
    whole = write_checkpoint(tmp_path / "whole.pth", STATE).read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"<html>", b"\x80\x02"):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"model\.pth: .*no file of PyTorch"):
            read_state(path)


def test_a_file_that_is_not_there_is_told(path):
    with pytest.raises(WeightsError, match="cannot be read"):
        read_state(path)
