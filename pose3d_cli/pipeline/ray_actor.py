"""A worker in a process of Ray's: takes clips one by one and tells how they go."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pose3d_cli import __version__
from pose3d_cli.pipeline.runner import Task, Work
from pose3d_cli.pipeline.stop import tell_to_stop
from pose3d_cli.pipeline.worker import Teller, Told, outcome_of
from pose3d_cli.pipeline.workers import THREAD_VARIABLES

Message = tuple[Any, ...]

STOPPED = "stopped"
"""Told of a task that was given up as asked."""

OVER = (Told.DONE, Told.FAILED, STOPPED)
"""First parts of the last message of a task."""


class RayActor:
    """What Ray makes an actor of. It loads its models at its first clip, and keeps them.

    Made before any library is loaded that reads the environment: hence no work is given here.

    Args:
        threads: Of its libraries.
        folder: Where whoever gives the tasks stands; relative paths are of it.
        environment: Variables that are to be here what they are there.
    """

    def __init__(self, threads: int, folder: Path, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        self._threads, self._folder = threads, folder
        with suppress(OSError):  # a node that does not see it may see the clips
            os.chdir(folder)
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._told: SimpleQueue[Message] = SimpleQueue()

    def begin(self, work: Work) -> tuple[str, int, str]:
        """Take what is done to each clip; return this program's version, the process, the node."""
        import cv2
        import ray

        cv2.setNumThreads(self._threads)
        # One thread for all clips: libraries keep a pool of threads for each that calls them.
        threading.Thread(target=self._work_through, args=(work,), daemon=True).start()
        return __version__, os.getpid(), ray.get_runtime_context().get_node_id()

    def work_on(self, task: Task) -> Iterator[Message]:
        """Yield what is told of a task, the outcome last."""
        self._tasks.put(self._seen_from_here(task))
        is_over = False
        while not is_over:
            message = self._told.get()
            is_over = message[0] in OVER
            yield message

    def stop(self) -> None:
        """Give up the task in work, which cleans up after itself, and all that come."""
        tell_to_stop()

    def _work_through(self, work: Work) -> None:
        while True:
            task = self._tasks.get()
            try:
                self._told.put(outcome_of(work, task, Teller(self._told.put)))
            except KeyboardInterrupt:
                self._told.put((STOPPED,))

    def _seen_from_here(self, task: Task) -> Task:
        """Return the task with whole paths where its folder could not be gone to."""
        if Path.cwd() == self._folder:
            return task
        return replace(task, clip=self._folder / task.clip, folder=self._folder / task.folder)
