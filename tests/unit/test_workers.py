"""Work on clips in this process and in others: whatever one does, the others go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.errors import ExitCode, InputError, WorkerDiedError
from pose3d_cli.pipeline.jobs import how_many
from pose3d_cli.pipeline.runner import InThisProcess, Runner
from pose3d_cli.pipeline.worker import RemoteTraceback
from pose3d_cli.pipeline.workers import Workers
from tests.batches import Listener, StandIn, Stillborn, is_running, makers, outcomes, tasks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("runner", [InThisProcess(StandIn()), Workers(StandIn(), 2)])
def test_every_runner_does_all_tasks_and_tells_of_each(tmp_path, runner):
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


def test_a_process_does_many_clips_and_has_its_share_of_threads(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    told = outcomes(Workers(StandIn(), 2, 3), tasks(tmp_path, *(f"{i}.mp4" for i in range(6))))
    processes, threads = zip(*makers(told).values(), strict=True)
    assert 1 <= len(set(processes)) <= 2
    assert str(os.getpid()) not in processes
    assert set(threads) == {"3"}
    assert os.environ["OMP_NUM_THREADS"] == "64"


def test_a_process_that_is_killed_fails_its_clip_and_another_takes_its_place(tmp_path):
    names = ["dead1.mp4", "a.mp4", "dead2.mp4", "b.mp4", "c.mp4"]
    told = outcomes(Workers(StandIn(), 1), tasks(tmp_path, *names))
    assert list(told) == names
    for name in ("dead1.mp4", "dead2.mp4"):
        error = told.pop(name)
        assert isinstance(error, WorkerDiedError)
        assert error.exit_code == ExitCode.WORKER_DIED
        assert f"{tmp_path}/{name}: " in str(error)
        assert "SIGKILL" in str(error)
    assert [line[0] for line in makers(told).values()].count(makers(told)["b.mp4"][0]) == 2


def test_a_bug_ends_its_clip_alone_and_its_traceback_is_kept(tmp_path):
    told = outcomes(Workers(StandIn(), 1), tasks(tmp_path, "bug.mp4", "odd.mp4", "a.mp4"))
    assert isinstance(told["bug.mp4"], ZeroDivisionError)
    assert isinstance(told["bug.mp4"].__cause__, RemoteTraceback)
    shown = "".join(traceback.format_exception(told["bug.mp4"]))
    assert 'ZeroDivisionError("by nought")' in shown
    assert "UnsendableError" in str(told["odd.mp4"])
    assert told["a.mp4"].people == 1
    with pytest.raises(ZeroDivisionError):
        outcomes(InThisProcess(StandIn()), tasks(tmp_path, "bug.mp4"))


def test_processes_that_cannot_begin_end_all(tmp_path):
    with pytest.raises(WorkerDiedError, match=r"code 7.*before it could begin"):
        outcomes(Workers(Stillborn(), 2), tasks(tmp_path, "a.mp4", "b.mp4"))


def test_closing_ends_what_is_in_work_and_leaves_no_process(tmp_path):
    workers = Workers(StandIn(), 2)
    with closing(workers.run(tasks(tmp_path, "a.mp4", "slow.mp4"), Listener())) as ended:
        next(ended)
        crew = [worker.process for worker in workers._crew]
        assert len(crew) == 2
    assert all(process.exitcode is not None for process in crew)
    assert {process.exitcode for process in crew} & {ExitCode.INTERRUPTED, -signal.SIGTERM}
    assert not (tmp_path / "out" / "slow.mp4").exists()


PARENT = """
import sys
from pathlib import Path
from pose3d_cli.pipeline.runner import Task
from pose3d_cli.pipeline.workers import Workers
from tests.batches import Listener, StandIn

class Telling(Listener):
    def opened(self, clip):
        return self

    def stage(self, name, total):
        print([w.process.pid for w in workers._crew], flush=True)

workers = Workers(StandIn(), 1)
if __name__ == "__main__":
    list(workers.run([Task(clip=Path("deaf.mp4"), folder=Path("out"))], Telling()))
"""


def test_processes_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    (child,) = eval(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.wait()
    end_s = time.monotonic() + 20
    while is_running(child) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not is_running(child)


def test_jobs_share_the_cores(monkeypatch):
    monkeypatch.setattr("pose3d_cli.pipeline.jobs.cores", lambda: 8)
    monkeypatch.setattr("pose3d_cli.pipeline.jobs.threads_allowed", lambda: 8)
    monkeypatch.setattr("pose3d_cli.pipeline.jobs._memory", lambda: 10 * 2**30)
    assert how_many(1, 100) == (1, None)
    assert how_many(3, 100) == (3, 2)
    assert how_many(16, 100) == (16, 1)
    assert how_many(4, 1) == (1, 2)  # as many as if more were left: bits hang on it
    assert how_many(16, 0) == (1, 1)
    assert how_many("auto", 100, device="cpu") == (5, 1)  # by memory
    assert how_many("auto", 100, device="cuda") == (4, 2)
    monkeypatch.setattr("pose3d_cli.pipeline.jobs.threads_allowed", lambda: 1)
    assert how_many(3, 100) == (3, 1)


def test_detectors_take_no_more_threads_than_they_are_allowed(monkeypatch):
    monkeypatch.setattr("pose3d_cli.detect.cores.cores", lambda: 16)
    for told, wanted in (("2", 2), ("2,1", 2), ("64", 4), ("", 4), ("many", 4), ("0", 1)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert DetectorOptions().many_threads == wanted
