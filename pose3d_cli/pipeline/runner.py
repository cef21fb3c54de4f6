"""Something that runs work on clips and yields what became of each."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pose3d_cli.errors import Pose3DError
from pose3d_cli.pipeline.report import Board, ClipReport, Reporter


@dataclass(frozen=True, kw_only=True)
class Task:
    """A clip to work on.

    Attributes:
        clip: The video.
        folder: Where its results go.
    """

    clip: Path
    folder: Path


Ended = tuple[Task, ClipReport | Exception]
"""A task and what became of it."""


@runtime_checkable
class Work(Protocol):
    """Does a task. For work in other processes it must be picklable."""

    def __call__(self, task: Task, reporter: Reporter) -> ClipReport:
        """Do it.

        Raises:
            Pose3DError: What is wrong with the clip, the settings or the output folder.
        """
        ...


@runtime_checkable
class Runner(Protocol):
    """Does tasks, in any order, here or elsewhere.

    Whoever iterates closes the generator (`contextlib.closing`): what is still in work ends then.
    """

    def run(self, tasks: Sequence[Task], board: Board) -> Generator[Ended, None, None]:
        """Yield each task with its report, or with the error that ended it, as soon as it ends.

        Args:
            tasks: What to do.
            board: Told which clips are in work, and how far they are.
        """
        ...


@dataclass(frozen=True)
class InThisProcess:
    """Does one task after another. A bug ends all, and so does a library that crashes.

    Attributes:
        work: What is done.
    """

    work: Work

    def run(self, tasks: Sequence[Task], board: Board) -> Generator[Ended, None, None]:
        """Yield each task with its report or error."""
        for task in tasks:
            reporter = board.opened(task.clip)
            outcome: ClipReport | Exception
            try:
                outcome = self.work(task, reporter)
            except Pose3DError as error:
                outcome = error
            board.closed(task.clip)
            yield task, outcome
