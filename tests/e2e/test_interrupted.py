"""Real signals to a real process: it says so, ends with 130 and leaves nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_interrupted_work_on_many_clips_ends_all_processes(tmp_path, tiny_weights, sent):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    (tmp_path / "0.mp4").write_text("no video")
    command = [sys.executable, "-m", "pose3d_cli", "lift", tmp_path, "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--weights", tiny_weights, "--render", "off"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while "0.mp4: not a video" not in (line := process.stderr.readline()):
        assert line, "it ended before that"
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    if sent == signal.SIGINT:  # a terminal sends it to all
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("pose3d: interrupted")
    assert "Traceback" not in stderr
    assert len(workers) >= 2
    end_s = time.monotonic() + 10  # Python's own helper process goes after its parent
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end_s, "a process is left"
        time.sleep(0.05)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".mp4"}
    assert left == {"summary.json", "summary.csv", "contact_sheet.jpg"}
