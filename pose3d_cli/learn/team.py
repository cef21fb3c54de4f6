"""Processes that train one network together: `torchrun` starts them, each has its own batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

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

    def begin_alike(self, network: nn.Module) -> None:
        """Give a network the first process's parameters and buffers in all processes."""
        if self.size > 1:
            for tensor in (*network.parameters(), *network.buffers()):
                dist.broadcast(tensor.detach(), src=0)

    def average(self, network: nn.Module) -> None:
        """Replace each gradient by its mean over all processes, where any process has one.

        Not `DistributedDataParallel`: it never lets go of the process group, whose threads then
        may abort a process that ends (seen with PyTorch 2.13). What it would save, time of the
        network on the wire, is little for networks of this size.
        """
        if self.size == 1:
            return
        own = list(network.parameters())
        # The first phase leaves the units over time alone, and frozen blocks have no gradients.
        has = torch.tensor([float(p.grad is not None) for p in own], device=own[0].device)
        dist.all_reduce(has)
        used = [p for p, count in zip(own, has.tolist(), strict=True) if count]
        if not used:
            return
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in used]
        total = torch.cat([grad.flatten() for grad in grads])
        dist.all_reduce(total)
        parts = torch.split(total / self.size, [grad.numel() for grad in grads])
        for parameter, part in zip(used, parts, strict=True):
            parameter.grad = part.view_as(parameter)

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
