"""Stand-ins for lifting, for tests of batches: quick, and picklable for other processes."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.report import ClipReport
from pose3d_cli.pipeline.runner import Task


@dataclass(frozen=True)
class StandIn:
    """Does to a clip what its name says, and writes one file for it.

    `bad...` fails, `bug...` has a bug, `odd...` raises what cannot be pickled, `dead...` kills the
    process, `slow...` takes `slow_s`, and so does `deaf...`, which tells nothing meanwhile;
    `held...` waits for a file `go` beside its folder.
    """

    slow_s: float = 60.0

    def __call__(self, task, reporter):
        reporter.stage("work", 2)
        reporter.advance()
        _do(task.clip, self.slow_s, reporter)
        while task.clip.name.startswith("held") and not (task.folder.parent / "go").exists():
            time.sleep(0.02)
            reporter.advance()
        reporter.advance()
        task.folder.mkdir(parents=True, exist_ok=True)
        file = task.folder / f"{task.clip.stem}.npz"
        file.write_text(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")
        return report_of(task.clip, file)


def _do(clip, slow_s, reporter):
    if clip.name.startswith("bad"):
        raise InputError(f"{clip}: bad")
    if clip.name.startswith("bug"):
        raise ZeroDivisionError("by nought")
    if clip.name.startswith("odd"):
        raise UnsendableError("odd", lambda: None)
    if clip.name.startswith("dead"):
        os.kill(os.getpid(), signal.SIGKILL)
    if clip.name.startswith("warn"):
        reporter.warn("beware")
        reporter.note("by the way")
    if clip.name.startswith("deaf"):
        time.sleep(slow_s)
    end_s = time.monotonic() + slow_s
    while clip.name.startswith("slow") and time.monotonic() < end_s:
        time.sleep(0.02)
        reporter.advance()


class UnsendableError(Exception):
    """Two arguments, of which one cannot be pickled."""


@dataclass(frozen=True)
class Surroundings:
    """Writes what surrounds the process: its folder, and what Ray and the parent gave it."""

    def __call__(self, task, reporter):
        file = task.folder.with_suffix(".json")
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "POSE3D_CACHE")}
        file.write_text(json.dumps({"folder": str(Path.cwd()), "clip": str(task.clip), **told}))
        return report_of(task.clip, file)


@dataclass(frozen=True)
class Stillborn:
    """Ends the process that unpickles it."""

    def __call__(self, task, reporter):
        raise NotImplementedError

    def __reduce__(self):
        return os._exit, (7,)


def report_of(clip, file, **changes):
    values = {"people": 1, "frames": 3, "seconds": {"detect": 1.0}, "warnings": []}
    return ClipReport(clip=Path(clip), outputs={"npz": Path(file)}, **values, **changes)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


class Listener:
    """A `Board` that keeps what it is told, by clip."""

    def __init__(self):
        self.told, self.open, self.over, self.total = [], [], [], None
        self.n_worked = self.n_failed = 0

    def begin(self, total):
        self.total = total

    def opened(self, clip):
        self.open.append(clip.name)
        return _OneClip(self, clip.name)

    def closed(self, clip):
        self.over.append(clip.name)

    def counted(self, *, is_worked, is_failed):
        self.n_worked += is_worked
        self.n_failed += is_failed

    def note(self, text):
        self.told.append(("note", text))

    def warn(self, text):
        self.told.append(("warn", text))


class _OneClip:
    def __init__(self, board, name):
        self.board, self.name = board, name

    def stage(self, name, total):
        self.board.told.append((self.name, "stage", name, total))

    def advance(self):
        self.board.told.append((self.name, "advance"))

    def warn(self, text):
        self.board.told.append((self.name, "warn", text))

    def note(self, text):
        self.board.told.append((self.name, "note", text))


def tasks(folder, *names):
    return [Task(clip=folder / name, folder=folder / "out" / name) for name in names]


def outcomes(runner, todo, board=None):
    with closing(runner.run(todo, board or Listener())) as ended:
        return {task.clip.name: outcome for task, outcome in ended}


def makers(told):
    """Return the process and its number of threads that made each clip's file."""
    return {name: report.outputs["npz"].read_text().split() for name, report in told.items()}


def is_running(pid):
    """Whether a process is there and no zombie: nobody here may be the parent who collects it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False
