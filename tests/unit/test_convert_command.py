"""The command `pose3d data convert`: what it prints, and the codes it ends with."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from pose3d_cli.learn.convert.run import convert_folder
from pose3d_cli.learn.convert.write import write_object_npz
from pose3d_cli.pipeline.report import Silent
from tests.miniatures.h36m import TRIALS
from tests.miniatures.raw import write_hdf5, write_raw_h36m

pytest.importorskip("cdflib")
pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def h36m(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h36m")
    trials = write_raw_h36m(folder / "raw")
    (folder / "out").mkdir()
    report = convert_folder(folder / "raw", folder / "out", steps=Silent())
    return folder, trials, report


def test_the_command_tells_files_clips_and_what_was_left_out(h36m, pose3d, tmp_path):
    raw, out = h36m[0] / "raw", tmp_path / "new/data"
    done = pose3d("data", "convert", raw, "-o", out)
    assert done.stdout.splitlines() == [
        str(out / "data_3d_h36m.npz"),
        str(out / "data_2d_h36m_gt.npz"),
        "train: 100 clips, 3,260 frames",
        "test: 36 clips, 1,144 frames",
    ]
    assert "S11/Directions: left out: corrupt" in done.stderr
    refused = pose3d("data", "convert", raw, "-o", out, code=3)
    assert "use --overwrite" in refused.stderr
    again = pose3d("data", "convert", raw, "-o", out, "--overwrite", "--json", "-q")
    told = json.loads(again.stdout)
    assert told["files"][0] == str(out / "data_3d_h36m.npz")
    assert told["done"]["S1/Photo 1"] == TRIALS["Photo 1"]
    assert told["splits"]["test"]["clips"] == 36
    pose3d("data", "check", out, "--dataset", "h36m", "--keypoints", "gt")


def test_the_command_ends_with_the_code_of_what_is_wrong(h36m, pose3d, tmp_path, monkeypatch):
    out = tmp_path / "out"
    pose3d("data", "convert", tmp_path, "-o", out, code=3)
    pose3d("data", "convert", tmp_path, "-o", out, "--dataset", "humaneva", code=2)
    pose3d("data", "convert", tmp_path, "-o", out, "--dataset", "h36", code=2)
    monkeypatch.setitem(sys.modules, "cdflib", None)
    pose3d("data", "convert", h36m[0] / "raw", "-o", out, code=5)
    assert not out.exists()
    assert "pose3d data convert" in pose3d("data", "convert", "--help").stdout.split("Examples:")[1]


def test_a_training_file_that_matlab_saved_anew_in_its_latest_format_is_told(pose3d, tmp_path):
    write_hdf5(tmp_path / "S1/Seq1/annot.mat", {"annot2": np.ones((14, 1))})
    told = pose3d("data", "convert", tmp_path, "-o", tmp_path / "out", code=3).stderr
    assert "a MATLAB file of version 7.3; expected one of version 7.2 or before" in told


def test_the_same_objects_give_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_object_npz(tmp_path / name, {"data": {"S1": [np.arange(3.0), 25]}})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    values, fps = np.load(tmp_path / "a.npz", allow_pickle=True)["data"].item()["S1"]
    assert (values.tolist(), fps) == ([0, 1, 2], 25)
