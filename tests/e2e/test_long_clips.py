"""Long clips by the command line, and hours in flat memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.actors import film, keypoint_file

ROOT = Path(__file__).parents[2]


def script(frame):
    return {"a": 50.0} | ({"b": 140.0} if 40 <= frame < 85 else {})


def test_a_long_clip_by_the_command_line(pose3d, tmp_path, tiny_weights):
    (tmp_path / "clips").mkdir()
    clip = film(tmp_path / "clips" / "a.mp4", 20)
    points = keypoint_file(tmp_path / "points.npz", script, 200)
    command = ["lift", clip.parent, "--from-2d", points, "--weights", tiny_weights]
    command += ["--render", "off", "-o", tmp_path / "out", "--part-minutes", "0.1"]
    result = pose3d(*command)
    assert "in parts of 0.1 minutes" in result.stderr
    assert "2 people in 200 frames" in result.stderr
    folder = tmp_path / "out" / "a_pose3d"
    said = [Path(line) for line in result.stdout.splitlines()]
    assert said == [
        *[
            folder / f"part_00{n}" / name
            for n in (1, 2, 3)
            for name in ("a.npz", "a.csv", "a_keypoints.npz")
        ],
        folder / "run.json",
    ]
    assert "done already" in pose3d(*command).stderr
    about = json.loads(pose3d("info", folder, "--json").stdout)
    assert [part["folder"] for part in about["parts"]] == ["part_001", "part_002", "part_003"]
    part = json.loads(pose3d("info", folder / "part_002" / "a.npz", "--json").stdout)
    assert part["part"] == {"number": 2, "is_last": False}
    # Results are no clips, whatever videos lie in them.
    (folder / "part_001" / "a.mp4").write_bytes(clip.read_bytes())
    plan = pose3d("lift", tmp_path, "--dry-run").stdout
    assert plan.splitlines() == [f"{clip}: would be lifted to {clip.parent / 'a_pose3d'} (new)"]


# Ten take twenty minutes: POSE3D_TEST_HOURS=10.
HOURS = int(os.environ.get("POSE3D_TEST_HOURS", "1"))
PARTS = 60

LIFT = """
import resource, sys
from pathlib import Path
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings
from tests.actors import Actors

class Memory(Silent):
    def stage(self, name, total):
        if name == "lift":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)

clip, folder, weights, minutes = sys.argv[1:]
settings = LiftSettings(
    weights=weights, render="off", mirror=False, device="cpu", part_minutes=float(minutes)
)
lifter = ClipLifter(settings)
lifter.detector = Actors(lambda frame: {"a": 50.0} | ({"b": 140.0} if frame < 1500 else {}))
lifter.lift(Path(clip), Path(folder), Memory())
"""


def looped(source: Path, target: Path, times: int) -> Path:
    """Repeat a video without encoding it anew."""
    with av.open(str(source)) as one, av.open(str(target), "w") as whole:
        stream = one.streams.video[0]
        packets = [packet for packet in one.demux(stream) if packet.dts is not None]
        length = sum(packet.duration for packet in packets)
        at = [(packet.pts, packet.dts) for packet in packets]
        copy = whole.add_stream_from_template(stream)
        for number in range(times):
            for packet, (pts, dts) in zip(packets, at, strict=True):
                packet.stream = copy
                packet.pts, packet.dts = pts + number * length, dts + number * length
                whole.mux(packet)
    return target


@pytest.mark.slow
def test_hours_take_the_memory_of_minutes(tmp_path, tiny_weights, capsys):
    five_minutes = film(tmp_path / "five.mp4", 300)  # people by script: all else is real
    clip = looped(five_minutes, tmp_path / "a.mp4", HOURS * 12)
    command = [sys.executable, "-c", LIFT, clip, tmp_path / "a_pose3d", tiny_weights]
    command.append(str(60 * HOURS / PARTS))
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    peaks_mb = [int(line) for line in done.stdout.split()]
    with capsys.disabled():
        sys.stdout.write(f"\npeak memory at each part, MB: {peaks_mb}\n")
    record = json.loads((tmp_path / "a_pose3d" / "run.json").read_text())
    assert record["frames"] == HOURS * 36_000
    assert len(peaks_mb) == len(record["parts"]) == PARTS
    # The first parts fill what the allocator keeps; from half of it on, 50 bytes a frame would show
    # in ten hours, 500 in one.
    assert peaks_mb[-1] < 1.1 * peaks_mb[2]
    assert peaks_mb[-1] < 1.02 * peaks_mb[PARTS // 2]
    first = np.load(tmp_path / "a_pose3d" / "part_001" / "a.npz")
    last = np.load(tmp_path / "a_pose3d" / f"part_{PARTS:03d}" / "a.npz")
    assert first["person_id"][0] == last["person_id"][0] == 0
    assert last["frame"][-1] == HOURS * 36_000 - 1
