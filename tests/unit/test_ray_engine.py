"""Work on clips by actors of Ray: as by processes of one machine, and lost nodes are made good."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from pose3d_cli.errors import ExitCode, InputError, SettingsError, WorkerDiedError
from pose3d_cli.pipeline import ray_engine
from pose3d_cli.pipeline.batch import Lifting
from pose3d_cli.pipeline.ray_cluster import connected
from pose3d_cli.pipeline.ray_engine import RayActors
from pose3d_cli.pipeline.report import ClipReport
from pose3d_cli.pipeline.runner import Runner, Task
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.worker import RemoteTraceback
from pose3d_cli.pipeline.workers import Workers
from tests.batches import (
    Listener,
    StandIn,
    Stillborn,
    Surroundings,
    is_running,
    makers,
    outcomes,
    tasks,
    touch,
)
from tests.people import make_film, walking

ray = pytest.importorskip("ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster():
    """Two cores and a GPU that nobody looks at; the runners find this program connected to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(ROOT))  # as an installation on all nodes has it
        head = {"num_cpus": 2, "num_gpus": 1, "include_dashboard": False}
        made = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        patch.setenv("RAY_ADDRESS", made.address)
        with connected():
            yield made
        made.shutdown()


def wait_for(is_so, longest_s=20):
    end_s = time.monotonic() + longest_s
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.05)


@pytest.mark.usefixtures("cluster")
def test_it_does_all_tasks_and_tells_of_each(tmp_path):
    runner = RayActors(StandIn(), 2, "cpu")
    assert isinstance(runner, Runner)
    board = Listener()
    told = outcomes(runner, tasks(tmp_path, "a.mp4", "bad.mp4", "warn.mp4"), board)
    assert told["a.mp4"].people == 1
    assert isinstance(told["bad.mp4"], InputError)
    assert str(told["bad.mp4"]) == f"{tmp_path}/bad.mp4: bad"
    assert sorted(board.open) == sorted(board.over) == sorted(told)
    assert ("a.mp4", "stage", "work", 2) in board.told
    assert ("warn.mp4", "advance") in board.told
    assert ("warn.mp4", "warn", "beware") in board.told
    assert ("warn.mp4", "note", "by the way") in board.told
    assert not [words for words in board.told if words[0] in ("warn", "note")]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("jobs", [1, 2, "auto"])
def test_a_process_does_many_clips_and_has_its_share_of_threads(tmp_path, monkeypatch, jobs):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    names = [f"{i}.mp4" for i in range(6)]
    told = outcomes(RayActors(StandIn(), jobs, "cpu"), tasks(tmp_path, *names))
    processes, threads = zip(*makers(told).values(), strict=True)
    assert 1 <= len(set(processes)) <= (1 if jobs == 1 else 2)
    assert set(threads) == {"2" if jobs == 1 else "1"}
    assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.usefixtures("cluster")
def test_it_says_how_many_workers_there_is_room_for(tmp_path):
    board = Listener()
    assert outcomes(RayActors(StandIn(), 3, "cpu"), tasks(tmp_path, "a.mp4", "b.mp4"), board)
    assert ("note", "the Ray cluster has room for 2 of 3 workers; the others wait") in board.told


@pytest.mark.usefixtures("cluster")
def test_a_process_sees_what_its_parent_does_and_its_share_of_a_gpu(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSE3D_CACHE", "cache")
    seen = {}
    for device in ("auto", "cpu"):
        todo = [Task(clip=Path("in/a.mp4"), folder=Path("out") / device)]
        assert outcomes(RayActors(Surroundings(), 1, device, 0.5), todo)
        seen[device] = json.loads(Path(f"out/{device}.json").read_text())
    assert seen["auto"].pop("CUDA_VISIBLE_DEVICES") == "0"
    assert not seen["cpu"].pop("CUDA_VISIBLE_DEVICES")
    here = {"folder": str(tmp_path), "clip": "in/a.mp4", "POSE3D_CACHE": "cache"}
    assert seen["auto"] == seen["cpu"] == here


@pytest.mark.usefixtures("cluster")
def test_a_process_that_is_killed_fails_its_clip_and_another_takes_its_place(tmp_path):
    names = ["dead1.mp4", "a.mp4", "dead2.mp4", "b.mp4", "c.mp4"]
    told = outcomes(RayActors(StandIn(), 1, "cpu"), tasks(tmp_path, *names))
    assert list(told) == names
    for name in ("dead1.mp4", "dead2.mp4"):
        error = told.pop(name)
        assert isinstance(error, WorkerDiedError)
        assert error.exit_code == ExitCode.WORKER_DIED
        assert str(error).startswith(f"{tmp_path}/{name}: process ")
        assert "died; memory may have run out" in str(error)
        assert isinstance(error.__cause__, ray.exceptions.ActorDiedError)
    made = [line[0] for line in makers(told).values()]
    assert made[0] != made[1] == made[2]


@pytest.mark.usefixtures("cluster")
def test_a_bug_ends_its_clip_alone_and_its_traceback_is_kept(tmp_path):
    runner = RayActors(StandIn(), 1, "cpu")
    told = outcomes(runner, tasks(tmp_path, "bug.mp4", "odd.mp4", "a.mp4"))
    assert isinstance(told["bug.mp4"], ZeroDivisionError)
    assert isinstance(told["bug.mp4"].__cause__, RemoteTraceback)
    shown = "".join(traceback.format_exception(told["bug.mp4"]))
    assert 'ZeroDivisionError("by nought")' in shown
    assert "UnsendableError" in str(told["odd.mp4"])
    assert told["a.mp4"].people == 1


@pytest.mark.usefixtures("cluster")
def test_processes_that_cannot_begin_end_all(tmp_path):
    with pytest.raises(WorkerDiedError, match="no worker of Ray can begin"):
        outcomes(RayActors(Stillborn(), 2, "cpu"), tasks(tmp_path, "a.mp4", "b.mp4"))


@pytest.mark.usefixtures("cluster")
def test_nodes_of_another_version_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "__version__", "9.9")
    with pytest.raises(SettingsError, match=r"node .* has pose3d .*, and this is 9\.9"):
        outcomes(RayActors(StandIn(), 1, "cpu"), tasks(tmp_path, "a.mp4"))


@pytest.mark.usefixtures("cluster")
def test_closing_ends_what_is_in_work_and_leaves_no_process(tmp_path):
    runner = RayActors(StandIn(), 2, "cpu")
    began_s = time.monotonic()
    with closing(runner.run(tasks(tmp_path, "slow.mp4", "a.mp4"), Listener())) as ended:
        next(ended)
        crew = [int(member.name.split()[1]) for member in runner._crew if member.name]
    assert crew
    wait_for(lambda: not any(is_running(pid) for pid in crew))
    assert time.monotonic() - began_s < 10  # it did not have to be killed
    assert not (tmp_path / "out" / "slow.mp4").exists()


@pytest.mark.usefixtures("cluster")
def test_what_does_not_end_when_told_to_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "_LONGEST_END_S", 0.5)
    runner = RayActors(StandIn(), 2, "cpu")
    with closing(runner.run(tasks(tmp_path, "deaf.mp4", "a.mp4"), Listener())) as ended:
        next(ended)
        crew = [int(member.name.split()[1]) for member in runner._crew if member.name]
    wait_for(lambda: not any(is_running(pid) for pid in crew))


class LosesANode(Listener):
    """Takes a node away once all clips are in work."""

    def __init__(self, cluster, n_clips, go):
        super().__init__()
        self.cluster, self.n_clips, self.go = cluster, n_clips, go
        self.node = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()

    def opened(self, clip):
        self.n_clips -= 1
        reporter = super().opened(clip)
        reporter.advance = self.lose
        return reporter

    def lose(self):
        if self.n_clips <= 0 and self.node:
            node, self.node = self.node, None
            self.cluster.remove_node(node, allow_graceful=False)

    def closed(self, clip):
        super().closed(clip)
        touch(self.go)  # the first that is over is the one that is lost: the others wait for this


@pytest.mark.parametrize("tries", [3, 1])
def test_a_clip_is_begun_again_when_its_node_is_lost(tmp_path, cluster, monkeypatch, tries):
    monkeypatch.setattr(ray_engine, "MOST_TRIES", tries)
    board = LosesANode(cluster, 3, tmp_path / "out" / "go")
    names = ["held1.mp4", "held2.mp4", "held3.mp4"]
    told = outcomes(RayActors(StandIn(), 3, "cpu"), tasks(tmp_path, *names), board)
    assert set(told) == set(names)
    warnings = [words[1] for words in board.told if words[0] == "warn"]
    errors = [outcome for outcome in told.values() if isinstance(outcome, Exception)]
    if tries == 3:
        assert not errors
        assert len(board.open) == len(board.over) == 4
        assert len(warnings) == 1
        assert "is lost with its node; the clip is begun again" in warnings[0]
    else:
        assert not warnings
        (error,) = errors
        assert isinstance(error, WorkerDiedError)
        assert "1 nodes were lost while they lifted it" in str(error)


@pytest.mark.usefixtures("cluster")
def test_results_are_to_the_byte_those_of_processes_with_as_many_threads(tmp_path, tiny_weights):
    settings = LiftSettings(weights=str(tiny_weights), render="off")
    work = Lifting(settings, is_one_of_many=True)
    clips = [make_film(tmp_path / f"{i}.mp4", walking(6 + i, (320, 180))) for i in range(3)]
    found = {}
    for runner in (Workers(work, 2, 1), RayActors(work, 2, "cpu")):
        out = tmp_path / type(runner).__name__
        todo = [Task(clip=clip, folder=out / clip.stem) for clip in clips]
        told = outcomes(runner, todo)
        assert all(isinstance(report, ClipReport) for report in told.values()), told
        files = [p for p in sorted(out.rglob("*")) if p.is_file() and p.name != "run.json"]
        assert len(files) == 9
        found[out.name] = {str(p.relative_to(out)): p.read_bytes() for p in files}
        found[out.name] |= {name: report.still for name, report in told.items()}
        assert len(list(out.rglob("run.json"))) == 3
    assert found["Workers"] == found["RayActors"]


def begin(folder, *flags):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-m", "pose3d_cli", "lift", folder, "--engine", "ray", *flags]
    return subprocess.Popen(
        list(map(str, command)),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def below(pid):
    """Return all processes below one, Linux only."""
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [process for child in own for process in (int(child), *below(int(child)))]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_interrupted_work_ends_the_cluster_it_began(tmp_path, tiny_weights, sent):
    for name in ("a.mp4", "b.mp4"):
        make_film(tmp_path / name, walking(120, (320, 180)))
    (tmp_path / "0.mp4").write_text("no video")
    process = begin(tmp_path, "--jobs", 2, "--weights", tiny_weights, "--render", "off")
    while "0.mp4: not a video" not in (line := process.stderr.readline()):
        assert line, "it ended before that"
    processes = below(process.pid)
    assert len(processes) >= 4
    os.killpg(process.pid, sent) if sent == signal.SIGINT else process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("pose3d: interrupted")
    assert "ray" not in stderr.lower().replace(str(tmp_path), "")
    wait_for(lambda: not any(is_running(pid) for pid in processes))
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".mp4"}
    assert left == {"summary.json", "summary.csv", "contact_sheet.jpg"}


def test_a_cluster_that_is_not_there_is_told_at_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"  # nobody listens
        script = (
            "from pose3d_cli.cli.app import main; import sys;"
            f"sys.argv[1:] = ['lift', {str(make_film(tmp_path / 'a.mp4', walking(2, (64, 64))))!r},"
            " '--engine', 'ray']; main()"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "RAY_ADDRESS": address, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == ExitCode.NO_DEVICE
    assert f"RAY_ADDRESS {address}: no Ray cluster to be reached there" in done.stderr
    assert len(done.stderr.splitlines()) == 1
