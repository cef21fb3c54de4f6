"""Bringing a file from the first of several places that gives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from pose3d_cli.errors import SettingsError, WeightsError
from pose3d_cli.files.transfer import BrokenError, Part, PlaceError, attempt, make_opener

_KILO = 1000
_LONGEST_PAUSE = 8  # times the first


@runtime_checkable
class Watcher(Protocol):
    """Whoever shows how a download goes."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps (None: nobody knows)."""
        ...

    def at(self, step: int, note: str) -> None:
        """Say how far the stage is, and something about it."""
        ...

    def note(self, text: str) -> None:
        """Say in a line how it went."""
        ...

    def warn(self, text: str) -> None:
        """Say what the user should know."""
        ...


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a place is waited for.

    Attributes:
        timeout_s: Seconds of silence after which an attempt is given up.
        tries: Attempts in a row that bring nothing new, after which the next place is asked.
        pause_s: Seconds before the next attempt; twice as long each time, up to eight times.
    """

    timeout_s: float = 30.0
    tries: int = 4
    pause_s: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be fetched.

    Attributes:
        name: For messages.
        urls: Where it is, in the order to try them.
        n_bytes: Its length; 0 where unknown.
        may_mix: Whether bytes of one place may be completed by another: only where a wrong file
            is found out.
    """

    name: str
    urls: Sequence[str]
    n_bytes: int = 0
    may_mix: bool = False


def fetch(
    order: Order,
    path: Path,
    accept: Callable[[Path], None],
    *,
    watcher: Watcher,
    patience: Patience,
) -> str:
    """Fetch a file and hand it over, going on with what an earlier attempt left.

    Args:
        order: What to fetch.
        path: Where its bytes gather; they stay there if it fails or is interrupted.
        accept: Is given the whole file; raises WeightsError if it is not the right one, which
            deletes it.
        watcher: Is told of progress and of places that failed.
        patience: How long to wait.

    Returns:
        The URL that gave it.

    Raises:
        WeightsError: No place gave it; the message says why the last one did not.
        OutputError: It cannot be written.
        SettingsError: A URL that is none.
    """
    for url in order.urls:
        check_url(url)
    part, why = Part(path), "no place is known"
    for url in order.urls:
        # What was here already may have been of another file: then once more from the start.
        for _ in range(2 if part.n_bytes else 1):
            try:
                _bring(url, order, part, watcher=watcher, patience=patience)
                accept(path)
            except WeightsError as error:
                part.drop()
                why = f"it gave a wrong file: {error}"
            except (PlaceError, BrokenError) as error:
                why = str(error)
                break
            else:
                part.drop()
                return url
        watcher.warn(f"{order.name}: {urlsplit(url).netloc}: {why}")
    raise WeightsError(
        f"{order.name}: could not be downloaded ({why}). Try again later, or fetch "
        f"{order.urls[0] if order.urls else 'it'} by other means and run `pose3d weights import`"
    )


def check_url(url: str) -> None:
    """Refuse what is no address of HTTP.

    Raises:
        SettingsError: It is none; a local file is imported instead.
    """
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.netloc:
        raise SettingsError(
            f"{url}: is no http:// or https:// address; a file is taken in by "
            "`pose3d weights import FILE`"
        )


def _bring(url: str, order: Order, part: Part, *, watcher: Watcher, patience: Patience) -> None:
    """Attempt it until it is here or several attempts in a row brought nothing new."""
    progress = _Progress(order.name, watcher)
    opener = make_opener()
    furthest, idle = part.n_bytes, 0
    while True:
        try:
            attempt(
                url,
                part,
                opener=opener,
                n_bytes=order.n_bytes,
                may_mix=order.may_mix,
                timeout_s=patience.timeout_s,
                tell=progress.tell,
            )
            return
        except BrokenError as error:
            idle = 0 if part.n_bytes > furthest else idle + 1
            furthest = max(furthest, part.n_bytes)
            if idle >= patience.tries:
                raise
            watcher.note(f"{order.name}: {error}; trying again")
            time.sleep(patience.pause_s * min(2 ** max(idle - 1, 0), _LONGEST_PAUSE))


class _Progress:
    """Bytes as steps of a stage, in kB."""

    def __init__(self, name: str, watcher: Watcher) -> None:
        self._name, self._watcher = name, watcher
        self._total = -1
        self._began_s, self._began_at = 0.0, 0

    def tell(self, done: int, total: int) -> None:
        """Show how many bytes are here."""
        if total != self._total:
            self._total = total
            self._began_s, self._began_at = time.monotonic(), done
            self._watcher.stage(f"{self._name}, kB", total // _KILO or None)
        spent_s = time.monotonic() - self._began_s
        pace = (done - self._began_at) / spent_s if spent_s > 0 else 0.0
        # No words while nothing has come: a speed of zero says nothing.
        self._watcher.at(done // _KILO, f"{pace / 1e6:.1f} MB/s" if pace else "")
