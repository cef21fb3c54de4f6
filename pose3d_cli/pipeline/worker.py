"""A worker process: takes clips from a pipe one by one and tells how they go."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from pose3d_cli.pipeline.report import ClipReport
from pose3d_cli.pipeline.runner import Task, Work
from pose3d_cli.pipeline.stop import listen, stop_if_told

_STEPS_EVERY_S = 0.1


class Told:
    """First parts of the messages of a worker; those of a `Reporter` are called as its methods."""

    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class RemoteTraceback(Exception):  # noqa: N818 shown as the cause of another error
    """The traceback of an error in a worker, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        """Return the text on lines of its own."""
        return f"\n{self.text}"


def serve(connection: Connection, work: Work, threads: int | None) -> None:
    """Do what tasks come until None comes; end, too, when told to or when the parent is gone.

    Args:
        connection: Tasks come from here, and messages go here.
        work: Done to each.
        threads: Of OpenCV, which no variable of the environment tells; None: as many as it likes.
    """
    try:
        _prepare(threads)
        connection.send((Told.READY,))
        while (task := connection.recv()) is not None:
            connection.send(_outcome(work, task, _Teller(connection)))
    except (KeyboardInterrupt, EOFError, BrokenPipeError, ConnectionResetError):
        raise SystemExit(130) from None  # in silence: the parent says what is to be said


def _prepare(threads: int | None) -> None:
    listen()
    # Ctrl-C goes to all processes of a terminal; the parent is who decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="pose3d-parent", daemon=True).start()
    if threads is not None:
        import cv2

        cv2.setNumThreads(threads)


def _end_with_parent() -> None:
    """End at once when the parent is gone, however it went: the next run cleans up."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _outcome(work: Work, task: Task, teller: _Teller) -> tuple[str, ClipReport | Exception, str]:
    """Do a task; a bug in it is told too, as others may not have it."""
    try:
        return Told.DONE, work(task, teller), ""
    except Exception as error:  # the outermost place of this process: nothing is hidden
        return Told.FAILED, _portable(error), "".join(traceback.format_exception(error))


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent: itself, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))  # our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _Teller:
    """The `Reporter` of a worker: tells its parent, steps a few times a second only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._steps, self._sent_s = 0, 0.0

    def stage(self, name: str, total: int | None) -> None:
        stop_if_told()
        self._send("stage", name, total)

    def advance(self) -> None:
        stop_if_told()
        self._steps += 1
        if time.monotonic() - self._sent_s >= _STEPS_EVERY_S:
            self._send_steps()

    def warn(self, text: str) -> None:
        self._send("warn", text)

    def note(self, text: str) -> None:
        self._send("note", text)

    def _send(self, *message: Any) -> None:
        self._send_steps()
        self._connection.send(message)

    def _send_steps(self) -> None:
        if self._steps:
            self._connection.send(("advance", self._steps))
        self._steps, self._sent_s = 0, time.monotonic()
