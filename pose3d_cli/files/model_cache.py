"""The folder of downloaded networks: where it is, what is in it, what it remembers of each."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pose3d_cli.errors import OutputError, WeightsError
from pose3d_cli.files.atomic import explain, replacing
from pose3d_cli.files.catalogue import Model, catalogue, find_model

CACHE = "POSE3D_CACHE"
_DIGITS = 64


def cache_folder() -> Path:
    """Return the folder of downloaded networks: `$POSE3D_CACHE`, or the system's cache for us.

    It is made only when something is written to it.
    """
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_dir  # only now: most runs never need it

    return Path(user_cache_dir("pose3d")) / "models"


def cached(model: Model) -> Path | None:
    """Return the file of a model if it is there whole; its content is not looked at."""
    path = cache_folder() / model.file
    return path if path.is_file() else None


def require(name: str) -> Path:
    """Return the file of a model of the catalogue.

    Raises:
        UnknownNameError: No such model; the message says the nearest name.
        WeightsError: It is not there; the message says the one command that gets it.
    """
    model = find_model(name)
    path = cached(model)
    if path is None:
        raise WeightsError(f"{name} is not here yet; run `pose3d weights download {name}`")
    return path


def here() -> list[Model]:
    """Return the models of the catalogue that are in the cache."""
    return [model for model in catalogue().values() if cached(model)]


def writable_cache() -> Path:
    """Return the cache folder, made if need be.

    Raises:
        OutputError: It cannot be made.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made ({(error.strerror or str(error)).lower()}); "
            f"set {CACHE} to a folder that can"
        ) from error
    return folder


def cannot_write(error: OSError, path: Path) -> OutputError:
    """Return the error of a file of the cache that cannot be written."""
    return OutputError(explain(error, path, way=CACHE))


def digest(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file.

    Raises:
        WeightsError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error


def remember(model: Model, sha256: str) -> None:
    """Keep the digest of a model's file beside it, as `sha256sum --check` reads it."""
    with replacing(note_of(model), way=CACHE) as temporary:
        temporary.write_text(f"{sha256}  {model.file}\n", encoding="utf-8")


def remembered(model: Model) -> str:
    """Return the digest that was kept of a model's file, or nothing."""
    try:
        word = note_of(model).read_text(encoding="utf-8").split()[0]
    except (OSError, ValueError, IndexError):
        return ""
    is_digest = len(word) == _DIGITS and set(word) <= set("0123456789abcdef")
    return word if is_digest else ""


def note_of(model: Model) -> Path:
    """Return the file that keeps the digest of a model's file."""
    return cache_folder() / f"{model.file}.sha256"


def expected(model: Model) -> str:
    """Return the digest a model's file in the cache must have: published, else remembered."""
    return model.file_sha256 or remembered(model)
