"""A disk that is full."""

from __future__ import annotations

from contextlib import contextmanager

import pytest


@contextmanager
def no_file_longer_than(n_bytes):
    """Let writing fail as on a full disk, for this process, once a file gets long."""
    resource = pytest.importorskip("resource")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
