"""Settings are frozen dataclasses; this module fills them from TOML and from flags."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError

C = TypeVar("C")


def nearest(name: str, known: list[str]) -> str:
    """Return a clause such as `; did you mean 'depth'?`, or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def build(cls: type[C], values: dict[str, Any], *, where: str) -> C:
    """Make `cls` from plain values, refusing any key it does not have.

    Args:
        cls: A dataclass whose defaults are the lowest layer of the settings.
        values: Keys and values from a file or from the command line.
        where: Where the values came from, for the error message.

    Raises:
        UnknownNameError: A key that `cls` lacks.
        SettingsError: A value that `cls` refuses.
    """
    known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise UnknownNameError(f"{where}: no setting {key!r}{nearest(key, known)}")
    hints = get_type_hints(cls)
    nested = {
        key: build(hints[key], value, where=f"{where}.{key}")
        if is_dataclass(hints[key]) and isinstance(value, dict)
        else value
        for key, value in values.items()
    }
    try:
        return cls(**nested)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error


def read(cls: type[C], path: Path) -> C:
    """Make `cls` from a TOML file."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}") from error
    return build(cls, values, where=str(path))
