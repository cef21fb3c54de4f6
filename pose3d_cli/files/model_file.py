"""Checking the file of a network and putting it into the cache."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pose3d_cli.errors import WeightsError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.files.catalogue import Model
from pose3d_cli.files.download import Watcher
from pose3d_cli.files.model_cache import (
    CACHE,
    cache_folder,
    digest,
    note_of,
    remember,
    remembered,
)

_LARGEST = 2 << 30  # bytes of a network taken out of a zip; a bomb is larger
_BLOCK = 1 << 20
_ONNX_BEGINS = b"\x08"  # the tag of its first field, `ir_version`


def place(model: Model, source: Path, *, watcher: Watcher) -> None:
    """Check a file and put what matters of it into the cache; its digest is kept beside it.

    Args:
        model: What it should be.
        source: The file as it is downloaded, or what was taken out of the zip.
        watcher: Is told where it is taken on trust.

    Raises:
        WeightsError: It is not that model; nothing is changed then.
        OutputError: The cache cannot be written to.
    """
    is_zip = bool(model.member) and zipfile.is_zipfile(source)
    is_vouched = model.is_known
    if is_zip or not model.member:
        _check_digest(model, digest(source), model.sha256 or model.sha256_prefix)
    else:
        is_vouched = bool(model.member_sha256)
    with replacing(cache_folder() / model.file, way=CACHE) as temporary:
        if is_zip:
            own = _take_out(model, source, temporary)
        else:
            with source.open("rb") as file:
                own = _copy(file.read, temporary)
        _check_digest(model, own, model.file_sha256)
        if not is_vouched:
            _check_trust(model, temporary, own)
    remember(model, own)
    if not is_vouched:
        watcher.warn(
            f"{model.name}: no sha256 of it is published, so it is taken on trust and compared "
            f"with this one from now on: {own}"
        )


def _check_digest(model: Model, own: str, wanted: str) -> None:
    if not own.startswith(wanted):
        raise WeightsError(
            f"{model.name}: its sha256 is {own}, and should be {wanted}; it is damaged or another "
            "file, so fetch it again"
        )


def _check_trust(model: Model, path: Path, own: str) -> None:
    """Refuse what nobody vouches for and is not what it should be by its looks or its past."""
    with path.open("rb") as file:
        looks_right = path.suffix != ".onnx" or file.read(1) == _ONNX_BEGINS
    if not looks_right:
        raise WeightsError(f"{model.name}: it is neither a zip that can be read nor an ONNX file")
    before = remembered(model)
    if before and before != own:
        raise WeightsError(
            f"{model.name}: its sha256 is {own}, and that of the one first trusted was {before}; "
            f"if its publisher has replaced it, delete {note_of(model)} and try again"
        )


def _take_out(model: Model, archive: Path, target: Path) -> str:
    """Write the member of a zip to `target` and return its digest; no path of the zip is used."""
    tail = PurePosixPath(model.member).parts
    try:
        with zipfile.ZipFile(archive) as zipped:
            found = [
                member
                for member in zipped.infolist()
                if PurePosixPath(member.filename).parts[-len(tail) :] == tail
            ]
            if len(found) != 1:
                raise WeightsError(f"{model.name}: {len(found)} files {model.member} in the zip")
            if found[0].file_size > _LARGEST:
                raise WeightsError(f"{model.name}: {model.member} in the zip is far too large")
            with zipped.open(found[0]) as file:
                return _copy(file.read, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"{model.name}: its zip cannot be read ({error})") from error


def _copy(read: Callable[[int], bytes], target: Path) -> str:
    """Write what `read` gives to `target` and return its digest."""
    own = hashlib.sha256()
    with target.open("wb") as file:
        while block := read(_BLOCK):
            own.update(block)
            file.write(block)
    return own.hexdigest()
