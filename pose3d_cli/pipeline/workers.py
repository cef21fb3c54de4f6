"""Work on clips by processes of their own, so that none can harm another or this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from pose3d_cli.errors import ExitCode, WorkerDiedError
from pose3d_cli.pipeline.report import Board, Reporter
from pose3d_cli.pipeline.runner import Ended, Task, Work
from pose3d_cli.pipeline.worker import RemoteTraceback, Told, pass_on, serve

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What tells the libraries of a process how many threads to use, if set before they load."""

_MOST_STILLBORN = 3
_LONGEST_END_S = 10.0


@dataclass(eq=False)
class _Worker:
    """A process, and what it works on."""

    process: SpawnProcess
    connection: Connection
    task: Task | None = None
    reporter: Reporter | None = None
    is_ready: bool = False


@dataclass
class Workers:
    """Does tasks by several processes, each of which loads its models once.

    A bug ends the clip it happened in. A process that dies ends its clip too, which is not tried
    again, and another process takes its place.

    Attributes:
        work: What is done; picklable.
        count: Processes, at most.
        threads: Of each process; None: as many as its libraries like.
    """

    work: Work
    count: int
    threads: int | None = None
    _crew: list[_Worker] = field(default_factory=list, init=False)
    _stillborn: int = field(default=0, init=False)

    def run(self, tasks: Sequence[Task], board: Board) -> Generator[Ended, None, None]:
        """Yield each task with its report or error, as they come.

        Raises:
            WorkerDiedError: Processes end before they can begin.
        """
        waiting = deque(tasks)
        try:
            while waiting or any(worker.task for worker in self._crew):
                self._hire(len(waiting))
                self._give_to_idle(waiting, board)
                pipes = {worker.connection: worker for worker in self._crew}
                for connection in wait(list(pipes)):
                    worker = pipes[connection]  # type: ignore[index]
                    yield from self._hear(worker, board)
        finally:
            self._dismiss()

    def _hire(self, n_waiting: int) -> None:
        """Have as many processes as there are clips for, up to the number wanted."""
        n_idle = sum(1 for worker in self._crew if worker.task is None)
        for _ in range(min(self.count - len(self._crew), n_waiting - n_idle)):
            self._crew.append(_start(self.work, self.threads))

    def _give_to_idle(self, waiting: deque[Task], board: Board) -> None:
        for worker in self._crew:
            if waiting and worker.is_ready and worker.task is None:
                _give(worker, waiting, board)

    def _hear(self, worker: _Worker, board: Board) -> Iterator[Ended]:
        """Take one message of a worker, or notice that it is gone."""
        try:
            kind, *content = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, board)
            return
        if kind == Told.READY:
            worker.is_ready, self._stillborn = True, 0
        elif kind in (Told.DONE, Told.FAILED):
            outcome, trace = content
            if trace:
                outcome.__cause__ = RemoteTraceback(trace)
            yield _over(worker, board), outcome
        elif worker.reporter is not None:
            pass_on(worker.reporter, kind, content)

    def _bury(self, worker: _Worker, board: Board) -> Iterator[Ended]:
        self._crew.remove(worker)
        worker.process.join(_LONGEST_END_S)
        how = _how_it_ended(worker.process.exitcode)
        worker.connection.close()
        if worker.task is not None:
            clip = worker.task.clip
            yield _over(worker, board), WorkerDiedError(f"{clip}: the process lifting it {how}")
        elif not worker.is_ready:
            self._stillborn += 1
            if self._stillborn >= _MOST_STILLBORN:
                raise WorkerDiedError(f"a worker process {how}, before it could begin; see --jobs")

    def _dismiss(self) -> None:
        """End all processes: those at work clean up after themselves, and none is left."""
        for worker in self._crew:
            if worker.task is not None or not worker.is_ready:
                worker.process.terminate()
            else:
                with suppress(OSError):
                    worker.connection.send(None)
        for worker in self._crew:
            worker.process.join(_LONGEST_END_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.connection.close()
        self._crew.clear()


def _give(worker: _Worker, waiting: deque[Task], board: Board) -> None:
    task = waiting.popleft()
    try:
        worker.connection.send(task)
    except OSError:  # it died while idle, which is noticed when it is heard of next
        waiting.appendleft(task)
        return
    worker.task, worker.reporter = task, board.opened(task.clip)


def _over(worker: _Worker, board: Board) -> Task:
    """Take the task from a worker and return it."""
    task, worker.task, worker.reporter = worker.task, None, None
    if task is None:
        raise RuntimeError("a worker told of a task it had not been given")
    board.closed(task.clip)
    return task


def _start(work: Work, threads: int | None) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, work, threads), daemon=True)
    with _for_a_child(threads):
        process.start()
    theirs.close()  # so that its end shows as the end of the pipe
    return _Worker(process, ours)


@contextmanager
def _for_a_child(threads: int | None) -> Iterator[None]:
    """Give a child its number of threads, and keep Ctrl-C from it until it can ignore it."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    has_masks = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_masks else set()
    try:
        if threads is not None:
            os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if has_masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _how_it_ended(code: int | None) -> str:
    """Say how a process ended and what may help."""
    if code == ExitCode.INTERRUPTED:
        return "was told to end by somebody"
    if code is None or code >= 0:
        return f"ended by itself with code {code}; lift it alone with -vv to see why"
    known = {int(number): number.name for number in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    if name == "SIGKILL":
        return f"was killed ({name}), as the system does when memory runs out; try fewer --jobs"
    if name in ("SIGTERM", "SIGINT", "SIGHUP"):
        return f"was told to end ({name}) by somebody"
    return f"crashed ({name}); convert the clip to another format, or leave it out"
