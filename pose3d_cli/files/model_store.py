"""Networks into the cache, by download or from a file, and checking those that are there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from pose3d_cli.errors import InputError, WeightsError
from pose3d_cli.files.catalogue import Model, catalogue
from pose3d_cli.files.download import Order, Patience, Watcher, check_url, fetch
from pose3d_cli.files.model_cache import (
    cache_folder,
    cached,
    cannot_write,
    digest,
    expected,
    writable_cache,
)
from pose3d_cli.files.model_file import place

OFFLINE = "POSE3D_OFFLINE"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a file of the cache.

    Attributes:
        name: Of the model.
        path: Of the file.
        is_ok: Whether it is what it should be, as far as that is known.
        what: In words.
    """

    name: str
    path: Path
    is_ok: bool
    what: str


def download_model(
    model: Model,
    *,
    watcher: Watcher,
    urls: Sequence[str] = (),
    overwrite: bool = False,
    patience: Patience | None = None,
) -> Path:
    """Download a model, unless it is there.

    Two processes may ask for the same one at once: the second waits and finds it there.

    Args:
        model: What to download.
        watcher: Is told how it goes.
        urls: Where it is, in place of what the catalogue says.
        overwrite: Whether one that is there is fetched again; it stays until the new one is whole.
        patience: How long places are waited for.

    Returns:
        The file in the cache.

    Raises:
        WeightsError: No place gave it, or gave another file; or $POSE3D_OFFLINE is set.
        OutputError: The cache cannot be written to.
        KeyboardInterrupt: Says that what has come is kept, if anything has.
    """
    there = cached(model)
    if there and not overwrite:
        watcher.note(f"{model.name}: is there already")
        return there
    refuse_offline(model)
    for url in urls:
        check_url(url)
    writable_cache()
    order = Order(
        name=model.name,
        urls=urls or model.urls,
        n_bytes=0 if urls else model.n_bytes,
        may_mix=model.is_known,
    )
    with _alone(model, watcher):
        there = cached(model)
        if there and not overwrite:
            watcher.note(f"{model.name}: another process has just downloaded it")
            return there
        return _fetch(model, order, watcher=watcher, patience=patience or Patience())


def _fetch(model: Model, order: Order, *, watcher: Watcher, patience: Patience) -> Path:
    part = cache_folder() / f"{model.file}.part"
    try:
        url = fetch(
            order,
            part,
            lambda path: place(model, path, watcher=watcher),
            watcher=watcher,
            patience=patience,
        )
    except KeyboardInterrupt as error:
        if not part.is_file():
            raise
        raise KeyboardInterrupt(
            f"interrupted; {part.stat().st_size / 1e6:.1f} MB of {model.name} are kept: "
            "the same command goes on from there"
        ) from error
    watcher.note(f"{model.name}: from {urlsplit(url).netloc}; licence {model.licence}")
    return cache_folder() / model.file


def refuse_offline(model: Model) -> None:
    """Refuse to download where that is forbidden.

    Raises:
        WeightsError: $POSE3D_OFFLINE is set.
    """
    if os.environ.get(OFFLINE, "").lower() not in ("", "0", "false", "no"):
        raise WeightsError(
            f"{model.name}: {OFFLINE} is set, so nothing is downloaded. Unset it, or fetch "
            f"{model.urls[0]} by other means and run `pose3d weights import FILE`"
        )


def import_file(path: Path, model: Model, *, watcher: Watcher) -> Path:
    """Copy a file that was fetched by other means into the cache, in place of one that is there.

    Args:
        path: The file as it is downloaded, or what was taken out of the zip.
        model: Which model it is.
        watcher: Is told how it goes.

    Returns:
        The file in the cache.

    Raises:
        InputError: It cannot be read.
        WeightsError: It is not that model.
        OutputError: The cache cannot be written to.
    """
    _readable(path)
    writable_cache()
    with _alone(model, watcher):
        place(model, path, watcher=watcher)
    return cache_folder() / model.file


def recognise(path: Path) -> Model:
    """Say which model of the catalogue a file is, by its name or its digest.

    Raises:
        InputError: It cannot be read, or is none that can be told.
    """
    _readable(path)
    models = list(catalogue().values())
    # A browser writes `name (1).zip` where there is a `name.zip`.
    plain = re.sub(r" ?\(\d+\)(?=\.[^.]+$)", "", path.name)
    for model in models:
        if plain in _names(model):
            return model
    own = digest(path)
    for model in models:
        known = (model.sha256, model.member_sha256)
        if own in known or (model.sha256_prefix and own.startswith(model.sha256_prefix)):
            return model
    raise InputError(
        f"{path}: neither its name nor its sha256 is of a known model; say which it is with "
        "--as NAME (`pose3d weights list --all` says the names)"
    )


def verify_model(model: Model) -> Verdict:
    """Compare a file of the cache with what is known of it.

    Raises:
        WeightsError: It is not there.
    """
    path = cached(model)
    if path is None:
        raise WeightsError(f"{model.name} is not here; run `pose3d weights download {model.name}`")
    try:
        own = digest(path)
    except WeightsError as error:
        return Verdict(name=model.name, path=path, is_ok=False, what=f"damaged: {error}")
    wanted = expected(model) or ("" if model.member else model.sha256_prefix)
    is_ok = own.startswith(wanted)
    if not wanted:
        what = f"no sha256 is known to compare with; it has {own}"
    elif is_ok:
        what = "sha256 as published" if model.file_sha256 else "sha256 as when it came"
    else:
        what = (
            f"damaged: its sha256 is {own}, and should be {wanted}; "
            f"run `pose3d weights download {model.name} --overwrite`"
        )
    return Verdict(name=model.name, path=path, is_ok=is_ok, what=what)


def _names(model: Model) -> set[str]:
    """Return the file names a model goes by."""
    found = {unquote(PurePosixPath(urlsplit(url).path).name) for url in model.urls}
    taken_out = {f"{PurePosixPath(name).stem}.onnx" for name in found if model.member}
    return found | taken_out | {model.file}


def _readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            if file.read(1):
                return
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    raise InputError(f"{path}: is empty; fetch it again")


@contextmanager
def _alone(model: Model, watcher: Watcher) -> Iterator[None]:
    """Keep other processes from writing the same file meanwhile."""
    path = cache_folder() / f".{model.file}.lock"
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            watcher.note(f"{model.name}: another process is at it; waiting")
            lock.acquire()
    except OSError as error:
        raise cannot_write(error, path) from error
    try:
        yield
    finally:
        lock.release()
