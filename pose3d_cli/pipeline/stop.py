"""Being told to end: Ctrl-C and SIGTERM, and making sure that neither is lost."""

from __future__ import annotations

import signal
from typing import NoReturn

_told: list[int] = []


def _interrupt(number: int, _: object) -> NoReturn:
    _told.append(number)
    raise KeyboardInterrupt


def listen() -> None:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def tell_to_stop() -> None:
    """End the work of another thread of this process as a signal would."""
    _told.append(signal.SIGTERM)


def stop_if_told() -> None:
    """Interrupt again if an earlier interruption was swallowed on its way.

    Python drops an exception raised inside a finaliser or a callback of a C library, and a signal
    may arrive just there.
    """
    if _told:
        raise KeyboardInterrupt
