"""Whoever is told how far long work has come."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Steps(Protocol):
    """Shows progress: a bar on a terminal, nothing in a test."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps (None: nobody knows)."""
        ...

    def advance(self) -> None:
        """Count one step."""
        ...
