"""Work on clips by actors of Ray, on one machine or many."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pose3d_cli import __version__
from pose3d_cli.errors import SettingsError, WorkerDiedError
from pose3d_cli.pipeline.ray_actor import OVER, RayActor
from pose3d_cli.pipeline.ray_cluster import (
    Node,
    Share,
    connected,
    nodes_of,
    share_of_gpu,
    share_out,
)
from pose3d_cli.pipeline.report import Board, Reporter
from pose3d_cli.pipeline.runner import Ended, Task, Work
from pose3d_cli.pipeline.worker import RemoteTraceback, pass_on

MOST_TRIES = 3
"""How often a clip is begun whose node is lost each time."""

_ADVICE = "memory may have run out (try fewer --jobs), or lift it alone with -vv to see why"
_MOST_STILLBORN = 3
_LONGEST_END_S = 10.0
_LONGEST_SILENCE_S = 5.0
# A process may be seen to end before its node is known to be lost.
_LONGEST_DOUBT_S = 2.0


@dataclass(eq=False)
class _Member:
    """An actor, and what it works on.

    Attributes:
        actor: Ray's handle of it.
        heard: What it tells next: that it has begun, then the messages of a task; None: idle.
        node: What Ray calls the machine it is on.
        name: Of the process, for people.
    """

    actor: Any
    heard: Any
    node: str = ""
    name: str = ""
    task: Task | None = None
    reporter: Reporter | None = None
    is_ready: bool = False


@dataclass
class RayActors:
    """Does tasks by actors of Ray, each of which loads its models once.

    A bug ends the clip it happened in. An actor that dies ends its clip too, which is not tried
    again, and another takes its place; but a clip whose node is lost is begun again.

    Attributes:
        work: What is done; picklable, as whose class every node has this program.
        jobs: Actors, at most; `auto`: as many as the cluster has room for.
        device: The setting of that name.
        gpus_per_job: What each takes of a GPU, where GPUs are used.
    """

    work: Work
    jobs: int | Literal["auto"]
    device: str = "auto"
    gpus_per_job: float = 0.25
    _ray: Any = field(default=None, init=False)
    _crew: list[_Member] = field(default_factory=list, init=False)
    _stillborn: int = field(default=0, init=False)
    _losses: Counter[Path] = field(default_factory=Counter, init=False)

    def run(self, tasks: Sequence[Task], board: Board) -> Generator[Ended, None, None]:
        """Yield each task with its report or error, as they come.

        Raises:
            MissingExtraError: Ray is not installed.
            DeviceError: The cluster cannot be reached, or has no room for a single actor.
            WorkerDiedError: Actors end before they can begin.
            SettingsError: A node has another version of this program.
        """
        with connected() as self._ray:
            count, share = self._plan(board)
            waiting = deque(tasks)
            try:
                while waiting or any(member.task for member in self._crew):
                    self._hire(count, share, len(waiting))
                    self._give_to_idle(waiting, board)
                    heard = {member.heard: member for member in self._crew if member.heard}
                    ready, _ = self._ray.wait(list(heard), timeout=_LONGEST_SILENCE_S)
                    if not ready:
                        self._check_cluster()
                    for stream in ready:
                        yield from self._hear(heard[stream], waiting, board)
            finally:
                self._dismiss()

    def _check_cluster(self) -> None:
        """End where Ray would wait for ever: this machine's part of it is gone, or all others."""
        if not any(node["Alive"] for node in self._ray.nodes()):
            raise WorkerDiedError("all nodes of the Ray cluster are lost; begin it and go on")

    def _plan(self, board: Board) -> tuple[int, Share]:
        """Return how many actors there are to be, and what each takes."""
        nodes: list[Node] = nodes_of(self._ray)
        gpus = share_of_gpu(nodes, self.device, self.gpus_per_job)
        count, share = share_out(nodes, self.jobs, gpus)
        room = sum(node.fits(share) for node in nodes)
        if room < count:
            board.note(f"the Ray cluster has room for {room} of {count} workers; the others wait")
        return count, share

    def _hire(self, count: int, share: Share, n_waiting: int) -> None:
        """Have as many actors as there are clips for, up to the number wanted."""
        n_idle = sum(1 for member in self._crew if member.task is None)
        for _ in range(min(count - len(self._crew), n_waiting - n_idle)):
            own = {name: v for name, v in os.environ.items() if name.startswith("POSE3D_")}
            # Two calls at once: one works, and one may tell it to stop.
            kind = self._ray.remote(
                num_cpus=share.cpus, num_gpus=share.gpus, memory=share.memory, max_concurrency=2
            )(RayActor)
            actor = kind.remote(share.cpus, Path.cwd(), own)
            self._crew.append(_Member(actor, actor.begin.remote(self.work)))

    def _give_to_idle(self, waiting: deque[Task], board: Board) -> None:
        for member in self._crew:
            if waiting and member.is_ready and member.task is None:
                member.task = waiting.popleft()
                member.reporter = board.opened(member.task.clip)
                member.heard = member.actor.work_on.options(num_returns="streaming").remote(
                    member.task
                )

    def _hear(self, member: _Member, waiting: deque[Task], board: Board) -> Iterator[Ended]:
        """Take one message of an actor, or notice that it is gone."""
        try:
            told = self._ray.get(next(member.heard) if member.task else member.heard)
        except self._ray.exceptions.RayError as error:
            yield from self._bury(member, error, waiting, board)
            return
        if member.task is None:
            self._welcome(member, *told)
            return
        kind, *content = told
        if kind in OVER:
            outcome, trace = content
            if trace:
                outcome.__cause__ = RemoteTraceback(trace)
            yield _over(member, board), outcome
        elif member.reporter is not None:
            pass_on(member.reporter, kind, content)

    def _welcome(self, member: _Member, version: str, pid: int, node: str) -> None:
        """Take an actor as ready for work."""
        member.is_ready, self._stillborn = True, 0
        address = next(n["NodeManagerAddress"] for n in self._ray.nodes() if n["NodeID"] == node)
        member.heard, member.node, member.name = None, node, f"process {pid} on node {address}"
        if version != __version__:
            raise SettingsError(
                f"--engine ray: node {address} has pose3d {version}, and this is {__version__}; "
                "install the same on all nodes"
            )

    def _bury(
        self, member: _Member, error: Exception, waiting: deque[Task], board: Board
    ) -> Iterator[Ended]:
        """Let go of an actor that is dead; its task is over, unless the node is to blame."""
        self._crew.remove(member)
        self._ray.kill(member.actor)  # it may be there still, and only out of reach
        if not member.is_ready:
            self._stillborn += 1
            if self._stillborn >= _MOST_STILLBORN:
                raise WorkerDiedError(f"no worker of Ray can begin: {_last_line(error)}") from error
        if member.task is None:
            return
        task = _over(member, board)
        clip = task.clip
        self._losses[clip] += 1
        if not self._is_node_lost(member, error):
            died = WorkerDiedError(f"{clip}: {member.name}, which lifted it, died; {_ADVICE}")
            died.__cause__ = error
            yield task, died
        elif self._losses[clip] < MOST_TRIES:
            board.warn(f"{clip}: {member.name} is lost with its node; the clip is begun again")
            waiting.appendleft(task)
        else:
            why = (
                f"{MOST_TRIES} nodes were lost while they lifted it; leave it out if it is to blame"
            )
            yield task, WorkerDiedError(f"{clip}: {why}")

    def _is_node_lost(self, member: _Member, error: Exception) -> bool:
        """Whether an actor went because its node did, or can no longer be reached."""
        known = self._ray.exceptions
        if isinstance(error, known.ActorUnavailableError) or getattr(error, "preempted", False):
            return True
        end_s = time.monotonic() + _LONGEST_DOUBT_S
        while time.monotonic() < end_s:
            alive = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
            if member.node not in alive:
                return True
            time.sleep(0.1)
        return False

    def _dismiss(self) -> None:
        """End all actors: those at work clean up after themselves, and none is left."""
        crew, self._crew = self._crew, []
        working = {member.heard for member in crew if member.task is not None}
        with suppress(self._ray.exceptions.RayError):
            for member in crew:
                if member.task is not None:
                    member.actor.stop.remote()
            end_s = time.monotonic() + _LONGEST_END_S
            while working and time.monotonic() < end_s:
                ready, _ = self._ray.wait(list(working), num_returns=1, timeout=0.5)
                working -= {stream for stream in ready if self._is_over(stream)}
        for member in crew:
            self._ray.kill(member.actor)

    def _is_over(self, stream: Any) -> bool:
        """Take a message, and return whether it is the last of a task."""
        try:
            return self._ray.get(next(stream))[0] in OVER
        except self._ray.exceptions.RayError:
            return True


def _over(member: _Member, board: Board) -> Task:
    """Take the task from an actor and return it."""
    task, member.task, member.reporter, member.heard = member.task, None, None, None
    if task is None:
        raise RuntimeError("an actor told of a task it had not been given")
    board.closed(task.clip)
    return task


def _last_line(error: Exception) -> str:
    """Return the line of an error of Ray's that says what happened."""
    return str(error).strip().splitlines()[-1].strip()
