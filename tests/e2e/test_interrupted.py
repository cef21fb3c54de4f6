"""Real signals to a real process: it says so, ends with 130 and leaves nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.people import SAMPLE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("sent", "stage"), [(signal.SIGINT, "draw"), (signal.SIGTERM, "detect")], ids=["Ctrl-C", "kill"]
)
def test_an_interrupted_lift_leaves_no_half_written_file(tmp_path, tiny_weights, sent, stage):
    clip = tmp_path / "a.mp4"
    clip.write_bytes(SAMPLE.read_bytes())
    command = [sys.executable, "-m", "pose3d_cli", "lift", clip, "--weights", tiny_weights]
    process = subprocess.Popen(
        command if stage == "detect" else [*command, "--end", "1.5"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = ""
    while not said.startswith(f"{stage} ("):
        said = process.stderr.readline()
        assert said, "it ended before that stage"
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("pose3d: interrupted")
    assert "Traceback" not in stderr
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    finished = {"a.npz", "a.csv", "a_keypoints.npz"} if stage == "draw" else set()
    assert left - {"a.mp4"} == finished
    assert not (tmp_path / "a_pose3d" / "a.mp4").exists()
