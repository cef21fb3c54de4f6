"""The commands `pose3d weights list, download, verify, path, import`, two at once, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pose3d_cli.errors import ExitCode
from pose3d_cli.files.catalogue import catalogue
from pose3d_cli.pipeline.doctor import examine
from pose3d_cli.pipeline.stock import DEFAULT_LIFTER, DETECTOR_SHA256, UPRIGHT_WEIGHTS
from tests.networks import onnx, sha256, zipped

ROOT = Path(__file__).parents[2]
DATA = onnx(2_000_000)
FREE = "yolox-m-coco"  # nobody has published its sha256, so tests may make one up
KNOWN = "yolox-nano-coco"


def started(*arguments):
    command = [sys.executable, "-m", "pose3d_cli", "weights", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path_of_python()}, **pipes)


def path_of_python():
    return os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])


def test_a_download_prints_where_it_is_and_says_what_is_trusted(pose3d, site, cache):
    url = site.add("/yolox_m.onnx", DATA)
    result = pose3d("weights", "download", FREE, "--url", url)
    assert result.stdout == f"{cache / FREE}.onnx\n"
    assert f"warning: {FREE}: no sha256 of it is published" in result.stderr
    assert f"{FREE}, kB (2000)" in result.stderr
    assert f"{FREE}: from 127.0.0.1" in result.stderr
    assert "licence Apache-2.0" in result.stderr
    assert pose3d("weights", "path", FREE).stdout == result.stdout
    again = pose3d("weights", "download", FREE, "--json")
    assert "is there already" in again.stderr
    record = json.loads(again.stdout)["models"][0]
    assert record["sha256"] == sha256(DATA)
    assert record["path"] == f"{cache / FREE}.onnx"
    assert len(site.asked) == 1


def test_the_list_says_what_is_here_and_what_there_is(pose3d, site):
    before = pose3d("weights", "list").stdout
    assert DEFAULT_LIFTER in before
    assert FREE not in before
    assert f"0 of {len(catalogue())} networks that can be downloaded are in" in before
    pose3d("weights", "download", FREE, "--url", site.add("/net", DATA))
    listed = pose3d("weights", "list").stdout
    line = next(line.split() for line in listed.splitlines() if line.startswith(FREE))
    assert line[:3] == [FREE, "boxes", "640x640"]
    assert line[-2:] == ["2.0", "yes"]
    assert KNOWN not in listed
    every = pose3d("weights", "list", "--all").stdout
    assert all(f"\n{name} " in every for name in catalogue())
    models = json.loads(pose3d("weights", "list", "--json").stdout)["models"]
    assert [model["name"] for model in models] == list(catalogue())
    assert [model["name"] for model in models if model["path"]] == [FREE]


def test_describe_says_what_is_known(pose3d):
    told = pose3d("weights", "describe", "rtmpose-m-halpe26").stdout
    assert "ap: 76.7\nap_of: Body8; README of rtmlib" in told
    assert "input_size: 192, 256" in told
    assert "path: none" in told


def test_a_wrong_file_is_refused_and_the_others_are_had(pose3d, site, cache):
    url = site.add("/net", DATA)
    result = pose3d("weights", "download", KNOWN, "--url", url, code=ExitCode.BAD_WEIGHTS)
    assert result.stdout == ""
    assert f"{KNOWN}: could not be downloaded (it gave a wrong file: " in result.stderr
    assert not [path for path in cache.iterdir() if path.suffix != ".lock"]
    told = pose3d("weights", "download", FREE, KNOWN, "--url", url, code=ExitCode.USAGE).stderr
    assert "give one NAME with it" in told


def test_names_are_looked_at_before_anything_is_fetched(pose3d, site, cache):
    told = pose3d("weights", "download", FREE, "yolox-nanoo", code=ExitCode.USAGE).stderr
    assert "no model 'yolox-nanoo'; did you mean 'yolox-nano'?" in told
    told = pose3d("weights", "path", "yolox-nanoo", code=ExitCode.USAGE).stderr
    assert "did you mean 'yolox-nano'?" in told
    told = pose3d("weights", "path", KNOWN, code=ExitCode.BAD_WEIGHTS).stderr
    assert f"run `pose3d weights download {KNOWN}`" in told
    told = pose3d("weights", "download", FREE, "--url", "net.onnx", code=ExitCode.USAGE).stderr
    assert "`pose3d weights import FILE`" in told
    assert not cache.exists()


def test_offline_every_failure_is_told_and_the_exit_code_says_so(pose3d, cache, monkeypatch):
    monkeypatch.setenv("POSE3D_OFFLINE", "1")
    result = pose3d("weights", "download", FREE, KNOWN, "--json", code=ExitCode.BAD_WEIGHTS)
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["model"] for line in told] == [FREE, KNOWN]
    assert all("POSE3D_OFFLINE is set" in line["error"]["message"] for line in told)
    assert not cache.exists()


def test_verify_looks_at_all_that_is_here(pose3d, site, cache):
    pose3d("weights", "download", FREE, "--url", site.add("/net", DATA))
    lines = pose3d("weights", "verify").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        DEFAULT_LIFTER,
        UPRIGHT_WEIGHTS,
        *DETECTOR_SHA256,
        FREE,
    ]
    assert all(line.split()[1] == "ok" for line in lines)
    (cache / f"{FREE}.onnx").write_bytes(DATA[:-1])
    result = pose3d("weights", "verify", code=ExitCode.BAD_WEIGHTS)
    assert "DAMAGED" in result.stdout.splitlines()[-1]
    assert result.stdout.count("DAMAGED") == 1
    pose3d("weights", "verify", DEFAULT_LIFTER)
    record = pose3d("weights", "verify", FREE, "--json", code=ExitCode.BAD_WEIGHTS).stdout
    assert [(w["name"], w["is_ok"]) for w in json.loads(record)["weights"]] == [(FREE, False)]
    assert "is not here" in pose3d("weights", "verify", KNOWN, code=ExitCode.BAD_WEIGHTS).stderr


def test_path_knows_what_came_with_the_program(pose3d):
    for name in (DEFAULT_LIFTER, *DETECTOR_SHA256):
        assert Path(pose3d("weights", "path", name).stdout.rstrip("\n")).is_file()


def test_import_tells_what_it_is(pose3d, tmp_path, cache):
    file = tmp_path / "yolox_m.onnx"
    file.write_bytes(DATA)
    result = pose3d("weights", "import", file)
    assert result.stdout == f"{cache / FREE}.onnx\n"
    assert f"{file}: is {FREE}; licence Apache-2.0" in result.stderr
    other = tmp_path / "end2end.onnx"
    other.write_bytes(DATA)
    assert "--as NAME" in pose3d("weights", "import", other, code=ExitCode.BAD_INPUT).stderr
    pose3d("weights", "import", other, "--as", "rtmpose-s-halpe26")
    wrong = pose3d("weights", "import", other, "--as", KNOWN, code=ExitCode.BAD_WEIGHTS).stderr
    assert "and should be c789161e" in wrong
    archive = tmp_path / "rtmpose-l_simcc-body7_pt-body7-halpe26_700e-256x192-2abb7558_20230605.zip"
    archive.write_bytes(zipped(DATA))
    pose3d("weights", "import", archive)
    assert (cache / "rtmpose-l-halpe26.onnx").read_bytes() == DATA
    here = pose3d("weights", "list").stdout
    assert f"3 of {len(catalogue())} networks" in here


@pytest.mark.parametrize("command", ["download", "verify", "path", "import"])
def test_help_has_examples(pose3d, command):
    text = pose3d("weights", command, "--help").stdout
    assert f"pose3d weights {command} " in text
    assert "--json" in text


def test_the_doctor_says_where_they_are(pose3d, site, cache):
    def told():
        return next(check for check in examine().checks if check.name == "networks")

    assert told().is_ok
    assert told().found == f"{cache}: 0 of {len(catalogue())} networks downloaded"
    assert not cache.exists()
    pose3d("weights", "download", FREE, "--url", site.add("/net", DATA))
    assert ": 1 of " in told().found


def test_two_at_once_download_it_once(site, cache):
    url = site.add("/net", DATA, "wait")
    first = started("download", FREE, "--url", url)
    site.wait_until_asked()
    second = started("download", FREE, "--url", url)
    assert second.stderr.readline() == f"{FREE}: another process is at it; waiting\n"
    site.gate.set()
    told = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], told
    assert [out for out, _ in told] == [f"{cache / FREE}.onnx\n"] * 2
    assert told[1][1] == f"{FREE}: another process has just downloaded it\n"
    assert len(site.asked) == 1
    assert site.sent == len(DATA)
    assert (cache / f"{FREE}.onnx").read_bytes() == DATA


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_an_interrupted_download_goes_on_the_next_time(pose3d, site, cache, sent):
    url = site.add("/net", DATA, "stall 1500000")
    process = started("download", FREE, "--url", url)
    part = cache / f"{FREE}.onnx.part"
    site.wait_until_sent(1_500_000)
    while not part.is_file() or part.stat().st_size < 1_500_000:
        assert process.poll() is None
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith(f"pose3d: interrupted; 1.5 MB of {FREE} are kept: the same command goes")
    assert "Traceback" not in err
    assert not (cache / f"{FREE}.onnx").exists()
    pose3d("weights", "download", FREE, "--url", url)
    assert site.asked[-1] == ("/net", "bytes=1500000-")
    assert site.sent == len(DATA)
    assert not part.exists()


def test_a_download_imports_nothing_heavy(cache, tmp_path):
    (tmp_path / "yolox_m.onnx").write_bytes(DATA)
    script = (
        "import sys; from pose3d_cli.cli.app import app\n"
        f"try: app(['weights', 'import', {str(tmp_path / 'yolox_m.onnx')!r}])\n"
        "finally: print([m for m in ('torch', 'cv2') if m in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": path_of_python()}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
