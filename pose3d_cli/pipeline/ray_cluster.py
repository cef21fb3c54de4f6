"""A Ray cluster: there already, or begun for as long as it is needed; and how it is shared out."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pose3d_cli.detect.cores import cores, threads_allowed
from pose3d_cli.errors import DeviceError, MissingExtraError
from pose3d_cli.pipeline.jobs import BYTES_A_WORKER

_HERE = "local"  # Ray's word for a cluster of its own on this machine
_OBJECT_STORE_BYTES = 100 * 2**20  # clips go by their paths; Ray would take a third of the memory
_LONGEST_ANSWER_S = 5.0
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anybody
    # How long Ray asks itself why an actor is gone: less, and a dead one looks like a lost node.
    "RAY_timeout_ms_task_wait_for_death_info": "30000",
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a machine of the cluster has in all, whoever uses it now."""

    cpus: float
    gpus: float = 0.0
    memory: float = 2.0**60

    def fits(self, share: Share) -> int:
        """Return how many workers that take such a share it has room for."""
        wanted = ((self.cpus, share.cpus), (self.gpus, share.gpus), (self.memory, share.memory))
        # Ray counts in parts of 1/10000, so a tenth of a GPU fits ten times.
        return min(int(has / takes + 1e-6) for has, takes in wanted if takes)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What each worker takes of its node.

    Attributes:
        cpus: Cores, and as many threads.
        gpus: 1 and more: so many whole GPUs.
        memory: Bytes; 0: Ray does not count it.
    """

    cpus: int
    gpus: float = 0.0
    memory: int = 0


def share_out(nodes: Sequence[Node], jobs: int | Literal["auto"], gpus: float) -> tuple[int, Share]:
    """Return the number of workers, and what each takes.

    As with processes of one machine, the threads follow from the number asked for, and not from
    how many clips there are: the last bits of a result hang on them.

    Args:
        nodes: Of the cluster.
        jobs: As asked for; `auto`: one a core, or one a share of a GPU, if memory allows.
        gpus: Of each worker.

    Raises:
        DeviceError: No node has room for a single worker.
    """
    memory = BYTES_A_WORKER if jobs == "auto" else 0
    least = Share(cpus=1, gpus=gpus, memory=memory)
    room = _room(nodes, least)
    if not room:
        has = "; ".join(f"{node.cpus:g} CPUs and {node.gpus:g} GPUs" for node in nodes)
        raise DeviceError(
            f"no node of the Ray cluster has a CPU and {gpus:g} GPU for a worker (they have: "
            f"{has or 'nothing'}); see --gpus-per-job and --device"
        )
    count = room if jobs == "auto" else jobs
    most = max(int(node.cpus) for node in nodes)
    if "OMP_NUM_THREADS" in os.environ:
        most = min(most, threads_allowed())
    shares = (Share(cpus=n, gpus=gpus, memory=memory) for n in range(most, 1, -1))
    return count, next((share for share in shares if _room(nodes, share) >= count), least)


def _room(nodes: Sequence[Node], share: Share) -> int:
    return sum(node.fits(share) for node in nodes)


def share_of_gpu(nodes: Sequence[Node], device: str, gpus_per_job: float) -> float:
    """Return what each worker takes of a GPU: nothing on a CPU, or where `auto` finds none."""
    has_gpu = any(node.gpus for node in nodes)
    is_wanted = device == "cuda" or (device == "auto" and has_gpu)
    return gpus_per_job if is_wanted else 0.0


def nodes_of(ray: Any) -> list[Node]:
    """Return the nodes that are there now."""
    there = (node["Resources"] for node in ray.nodes() if node["Alive"])
    return [
        Node(cpus=has.get("CPU", 0.0), gpus=has.get("GPU", 0.0), memory=has.get("memory", 0.0))
        for has in there
    ]


def import_ray() -> Any:
    """Return the package `ray`.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "--engine ray needs a package that is not installed: pip install 'pose3d[ray]'"
        ) from error
    return ray


@contextmanager
def connected() -> Iterator[Any]:
    """Give `ray`, connected to the cluster `RAY_ADDRESS` names, or to one begun on this machine.

    A cluster that was begun ends, and one that was there goes on. If this program is connected
    already, nothing is done.

    Raises:
        MissingExtraError: Ray is not installed.
        DeviceError: No such cluster, or it does not answer.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    try:
        _join(ray, os.environ.get("RAY_ADDRESS") or _HERE)
        yield ray
    finally:
        ray.shutdown()


def _join(ray: Any, address: str) -> None:
    _check(address)
    own: dict[str, Any] = {}
    if address == _HERE:
        own = {"num_cpus": cores(), "object_store_memory": _OBJECT_STORE_BYTES}
        own["include_dashboard"] = False
    try:
        with _as_it_was():
            ray.init(address=address, log_to_driver=False, logging_level="error", **own)
    except SystemExit as error:  # Ray hears of SIGTERM while it begins
        raise KeyboardInterrupt from error
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, str(error).partition("\n")[0]) from error


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Tell Ray what its call does not take; keep our environment and how we hear of SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    unsaid = _ENVIRONMENT.keys() - os.environ.keys()
    os.environ.update({name: _ENVIRONMENT[name] for name in unsaid})
    try:
        yield
    finally:
        for name in unsaid:
            del os.environ[name]
        if is_main and before is not None:
            signal.signal(signal.SIGTERM, before)


def _check(address: str) -> None:
    """Refuse an address at once where Ray would try for minutes, or fail in the midst of work."""
    if address.startswith("ray://"):
        raise DeviceError(
            f"RAY_ADDRESS {address}: Ray's client is not supported; start pose3d on a node of the "
            "cluster with RAY_ADDRESS=auto, or give HOST:PORT of its head"
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _LONGEST_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, why: str) -> DeviceError:
    if address == _HERE:
        return DeviceError(f"Ray cannot begin on this machine ({why}); --engine local needs none")
    return DeviceError(f"RAY_ADDRESS {address}: no Ray cluster to be reached there ({why})")
