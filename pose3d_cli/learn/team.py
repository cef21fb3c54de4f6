"""Processes that train one network together: `torchrun` starts them, each has its own batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from pose3d_cli.errors import SettingsError


@dataclass(frozen=True)
class Team:
    """This process among those that train together; alone unless `torchrun` says otherwise.

    Attributes:
        rank: Number of this process, from 0; the first one alone writes files.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process measures, writes and tells."""
        return self.rank == 0

    def share(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return the network to call so that the gradients of all processes become their mean."""
        if self.size == 1:
            return network
        # The first phase leaves the units over time alone, and frozen blocks have no gradients.
        own = [device] if device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=own, find_unused_parameters=True)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return the mean of each value over all processes."""
        if self.size == 1:
            return values
        total = torch.tensor(list(values.values()), dtype=torch.float64)
        dist.all_reduce(total)
        return dict(zip(values, (total / self.size).tolist(), strict=True))

    def agree(self, network: nn.Module) -> None:
        """Give a network the same running statistics in all processes: their mean."""
        kept = [b for b in network.buffers() if b.is_floating_point()]
        if self.size == 1 or not kept:
            return
        total = torch.cat([buffer.flatten() for buffer in kept])
        dist.all_reduce(total)
        parts = torch.split(total / self.size, [buffer.numel() for buffer in kept])
        for buffer, part in zip(kept, parts, strict=True):
            buffer.copy_(part.view_as(buffer))

    def of_first(self, value: int) -> int:
        """Return the first process's number, so that all decide alike."""
        if self.size == 1:
            return value
        told = torch.tensor(value, dtype=torch.int64)
        dist.broadcast(told, src=0)
        return int(told)

    def wait(self) -> None:
        """Wait until the first process has come here too, with all it writes."""
        self.of_first(0)


def is_first() -> bool:
    """Whether this is the process that tells what came out."""
    return int(os.environ.get("RANK", "0")) == 0


def apart(network: nn.Module) -> AbstractContextManager[None]:
    """Within it gradients add up in this process alone, until the last part of a batch."""
    if isinstance(network, DistributedDataParallel):
        return network.no_sync()
    return nullcontext()


def own_device(device: torch.device) -> torch.device:
    """Return the GPU of this process among those of its machine."""
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[Team]:
    """Join the other processes, if there are any, and part from them at the end.

    Within another one it changes nothing: processes that parted cannot meet a second time, since
    the first to come back would find the others' old addresses.

    Raises:
        SettingsError: `torchrun` started several processes for a device that cannot share.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Team()
        return
    if device.type == "mps":
        raise SettingsError("--device mps: several processes cannot share it; start one")
    if dist.is_initialized():
        yield Team(dist.get_rank(), dist.get_world_size())
        return
    # Losses and decisions are numbers on the CPU, gradients lie where the network is.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
