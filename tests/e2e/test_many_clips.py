"""A night's work: many clips, ten of them faulty, and a machine that dies again and again."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose3d_cli.errors import ExitCode
from pose3d_cli.files.plain_name import one_line
from tests.clips import make_clip, make_sound_only, make_text, truncate
from tests.people import empty, make_film, walking

ROOT = Path(__file__).parents[2]
SIZE = (320, 180)
N_PICTURES = 12
RATE_HZ = 12


def film(path, number):
    """Write a second of the sample: another beginning, mirrored, darker, or cut, by number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = walking(N_PICTURES + 40, SIZE)[number % 40 :][:N_PICTURES]
    if number % 2:
        pictures = [picture[:, ::-1] for picture in pictures]
    if number % 3 == 1:
        pictures = [cv2.convertScaleAbs(picture, alpha=0.6) for picture in pictures]
    if number % 5 == 4:
        pictures = [*pictures[:8], *empty(4, SIZE)]
    pictures = [np.ascontiguousarray(picture) for picture in pictures]
    return make_film(path, pictures, times_s=[i / RATE_HZ for i in range(len(pictures))])


def make_faults(folder):
    """Write what is wrong in ten ways; return those that must fail, with words of why."""
    make_text(folder / "text.mp4")
    truncate(make_clip(folder / "cut.mp4"), 0.1)
    make_clip(folder / "deep" / "no_frames.mp4", n_frames=0)
    make_film(folder / "nobody.mp4", empty(4, SIZE))
    (folder / "folder.mp4").mkdir()
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "deep" / "round").symlink_to("..")
    (folder / "zero.mp4").write_bytes(b"")
    make_sound_only(folder / "sound.mp4")
    (folder / "nothing here").mkdir()
    return {
        "text.mp4": "not a video", "cut.mp4": "", "deep/no_frames.mp4": "frame",
        "nobody.mp4": "nobody was found", "folder.mp4": "is a folder", "loop.mp4": "leads back",
        "zero.mp4": "", "sound.mp4": "",
    }  # fmt: skip


def make_night(folder, n_clips):
    """Make a folder of clips; return the names of those that are sound, and the faulty ones."""
    names = [f"{'deep/' if i % 4 == 3 else ''}clip{i:02}.mp4" for i in range(n_clips - 8)]
    names[:3] = ["new\nline.mp4", "twin.mp4", "twin.mov"]
    for number, name in enumerate(names):
        film(folder / name, number)
    return names, make_faults(folder)


def begin(folder, out, tiny_weights):
    command = [sys.executable, "-m", "pose3d_cli", "lift", folder, "-o", out, "--jobs", "2"]
    with out.with_suffix(".err").open("a") as errors, out.with_suffix(".out").open("a") as results:
        return subprocess.Popen(
            [*map(str, command), "--weights", tiny_weights, "--render", "off", "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=results,
            stderr=errors,
        )


def done_at(out):
    """Return when each clip that is done was finished; folders may vanish meanwhile."""
    done = [Path(folder) / "run.json" for folder, _, files in os.walk(out) if "run.json" in files]
    return {path: path.stat().st_mtime_ns for path in done}


def children(pid):
    """Return the processes below one, Linux only."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill_at_random(process, out, n_more, n_most, delay_s):
    """Kill a run once `n_more` clips are done and some time has passed; return its workers, ended.

    A quick machine does a clip in a tenth of a second: once `n_most` are done it does not wait,
    so that something is left to do.
    """
    n_before, due = len(done_at(out)), None
    while process.poll() is None:
        n_done = len(done_at(out)) - n_before
        if n_done >= n_more and due is None:
            due = time.monotonic() + delay_s
        if n_done >= n_most or (due is not None and time.monotonic() >= due):
            break
        time.sleep(0.02)
    workers = children(process.pid)
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.wait()
    end_s = time.monotonic() + 60  # they see that it is gone, and may finish a clip just before
    while any(map(is_running, workers)):
        assert time.monotonic() < end_s, "a worker is left"
        time.sleep(0.02)
    return workers


def contents(out):
    """Return the bytes of all results, and the records without what may differ."""
    files = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    results = {name: data for name, data in files.items() if len(name.parts) > 1}
    for name, data in results.items():
        if name.name == "run.json":
            record = json.loads(data)
            for key in ("seconds", "outputs", "settings"):  # times, and where the results lie
                del record[key]
            results[name] = json.dumps(record).encode()
    return results


def check_told(out, folder, names, faults):
    """Check that each faulty clip has one clear line, and each sound one a result."""
    rows = list(csv.DictReader((out / "summary.csv").read_text().splitlines()))
    told = {row["input"]: row for row in rows}
    assert len(rows) == len(names) + len(faults)
    for name in names:
        row = told[one_line(f"{folder}/{name}")]
        assert row["status"] in ("done", "kept"), row
        assert int(row["people"]) >= 1
    lines = [json.loads(line) for line in out.with_suffix(".out").read_text().splitlines()]
    errors = [line for line in lines[-len(rows) - 1 :] if "error" in line]
    assert sorted(line["clip"] for line in errors) == sorted(f"{folder}/{n}" for n in faults)
    for name, words in faults.items():
        message = told[f"{folder}/{name}"]["message"]
        assert message.startswith(f"{folder}/{name}: ")
        assert words in message
    assert "Traceback" not in out.with_suffix(".err").read_text()


@pytest.mark.parametrize(
    ("n_clips", "n_kills"),
    [(13, 1), pytest.param(60, 10, marks=pytest.mark.slow)],
    ids=["one evening", "a whole night"],
)
def test_a_night_of_kills_gives_what_a_quiet_one_does(tmp_path, tiny_weights, n_clips, n_kills):
    folder, quiet, killed = tmp_path / "in", tmp_path / "quiet", tmp_path / "killed"
    names, faults = make_night(folder, n_clips)
    assert begin(folder, quiet, tiny_weights).wait(1200) == ExitCode.SOME_CLIPS_FAILED
    check_told(quiet, folder, names, faults)

    chance = random.Random(0)
    finished, workers = {}, []
    for n_kills_left in range(n_kills, 0, -1):
        process = begin(folder, killed, tiny_weights)
        n_most = (len(names) - len(finished)) // (n_kills_left + 1)
        n_more, delay_s = chance.randint(0, n_most), chance.uniform(0, 3)
        workers += kill_at_random(process, killed, n_more, n_most, delay_s)
        now = done_at(killed)
        assert finished.items() <= now.items(), "a clip that was done was done again"
        finished = now
    assert begin(folder, killed, tiny_weights).wait(1200) == ExitCode.SOME_CLIPS_FAILED
    assert finished.items() <= done_at(killed).items()

    assert workers
    check_told(killed, folder, names, faults)
    assert contents(killed) == contents(quiet)
    assert not list(killed.rglob(".*")), "temporary files are left"
    kept = json.loads((killed / "summary.json").read_text())["totals"]
    assert (kept["kept"], kept["done"]) == (len(finished), len(names) - len(finished))
