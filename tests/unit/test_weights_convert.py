"""The command `pose3d weights convert`, and what its weights are good for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.errors import ExitCode
from pose3d_cli.lift import weights
from pose3d_cli.pose.stature import stature
from tests.miniatures.motionagformer import XS, write
from tests.people import make_film, walking


@pytest.fixture
def path(tmp_path):
    return tmp_path / "motionagformer-xs-h36m.pth.tr"


def run(pose3d, *arguments, code=0):
    return pose3d("weights", "convert", *arguments, code=code)


def test_the_command_writes_weights_beside_the_checkpoint(pose3d, path):
    result = run(pose3d, write(path))
    out = path.with_name("motionagformer-xs-h36m.safetensors")
    assert result.stdout.split() == [str(out)]
    assert "licence" not in result.stderr
    assert "unknown: MotionAGFormer's repository" in result.stderr
    assert "warning" not in result.stderr
    assert weights.describe(out).config["frames"] == 9
    assert "kind: weights" in pose3d("info", out).stdout
    told = pose3d("weights", "describe", out).stdout
    assert "units: screen,root" in told
    assert "min_mpjpe: 45.125, said by the file; not measured here" in told


def test_the_command_in_json_with_all_its_flags(pose3d, tmp_path):
    path = write(tmp_path / "motionagformer-b-h36m.pth.tr", **{**XS, "depth": 2})
    whole, small = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    run(pose3d, path, "-o", whole)
    result = run(pose3d, path, "-o", small, "--trained-on", "3dhp", "--half", "--json")
    record = json.loads(result.stdout)
    assert record["path"] == str(small)
    assert record["config"]["adjacency"] == "legacy-3dhp"
    assert record["sha256"] == weights.sha256(small)
    assert small.stat().st_size < 0.6 * whole.stat().st_size
    assert "its name says h36m" in result.stderr
    assert weights.load(small).config.frames == 27


def test_the_command_replaces_nothing_unless_told(pose3d, path):
    out = path.with_name("w.safetensors")
    out.write_text("mine")
    refusal = run(pose3d, write(path), "-o", out, code=ExitCode.BAD_INPUT).stderr
    assert "is there already; use --overwrite or another -o" in refusal
    assert out.read_text() == "mine"
    run(pose3d, path, "-o", out, "--overwrite")
    assert weights.describe(out).lifter == "dualstream"


def test_the_command_refuses_in_its_exit_codes(pose3d, path, tmp_path):
    assert "No such file" in run(pose3d, path, code=ExitCode.BAD_WEIGHTS).stderr
    write(path)
    told = run(pose3d, path, "-o", tmp_path / "w.pth", code=ExitCode.USAGE).stderr
    assert "weights are written as *.safetensors" in told
    nowhere = tmp_path / "nowhere" / "w.safetensors"
    assert "there is no folder" in run(pose3d, path, "-o", nowhere, code=9).stderr
    told = run(pose3d, path, "--trained-on", "coco", "--json", code=ExitCode.USAGE).stdout
    assert "known: h36m, 3dhp" in json.loads(told)["error"]["message"]
    assert sorted(tmp_path.iterdir()) == [path]


def test_the_help_has_examples(pose3d):
    text = run(pose3d, "--help").stdout
    assert "pose3d weights convert motionagformer-b-h36m.pth.tr" in text
    assert "--json" in text


def test_a_video_is_lifted_with_converted_weights_only(pose3d, path, tmp_path):
    clip, out = make_film(tmp_path / "a.mp4", walking(12)), tmp_path / "w.safetensors"
    run(pose3d, write(path), "-o", out)
    refusal = pose3d("lift", clip, "--weights", path, code=ExitCode.BAD_WEIGHTS).stderr
    assert "see `pose3d weights convert`" in refusal
    pose3d("lift", clip, "--weights", out, "--render", "off")
    with np.load(tmp_path / "a_pose3d" / "a.npz") as file:
        xyz = file["xyz_root"]
    seen = xyz[np.isfinite(xyz).all((2, 3))]
    assert len(seen) > 5
    assert stature(seen) == pytest.approx(1.70, rel=0.15)
