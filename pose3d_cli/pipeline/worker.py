"""A worker process: takes clips from a pipe one by one and tells how they go."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from pose3d_cli.pipeline.report import ClipReport, Reporter
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
            connection.send(outcome_of(work, task, Teller(connection.send)))
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


def outcome_of(work: Work, task: Task, teller: Teller) -> tuple[str, ClipReport | Exception, str]:
    """Do a task and return the message of it; a bug is told too, as others may not have it."""
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


class Teller:
    """The `Reporter` of a worker: tells whoever gave it work, steps a few times a second only.

    Args:
        send: Takes the messages; `pass_on` reads them at the other end.
    """

    def __init__(self, send: Callable[[tuple[Any, ...]], None]) -> None:
        self._to = send
        self._steps, self._sent_s = 0, 0.0

    def stage(self, name: str, total: int | None) -> None:
        """Tell it."""
        stop_if_told()
        self._send("stage", name, total)

    def advance(self) -> None:
        """Count it, and tell it soon."""
        stop_if_told()
        self._steps += 1
        if time.monotonic() - self._sent_s >= _STEPS_EVERY_S:
            self._send_steps()

    def warn(self, text: str) -> None:
        """Tell it."""
        self._send("warn", text)

    def note(self, text: str) -> None:
        """Tell it."""
        self._send("note", text)

    def _send(self, *message: Any) -> None:
        self._send_steps()
        self._to(message)

    def _send_steps(self) -> None:
        if self._steps:
            self._to(("advance", self._steps))
        self._steps, self._sent_s = 0, time.monotonic()


def pass_on(reporter: Reporter, kind: str, content: Sequence[Any]) -> None:
    """Tell the reporter of a clip what a worker said to its own."""
    if kind == "advance":
        for _ in range(content[0]):
            reporter.advance()
    elif kind == "stage":
        reporter.stage(*content)
    else:
        (reporter.warn if kind == "warn" else reporter.note)(*content)
