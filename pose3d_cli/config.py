"""Settings are frozen dataclasses; this module fills them from TOML and from flags."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pose3d_cli.errors import InputError, SettingsError, UnknownNameError

C = TypeVar("C")

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def nearest(name: str, known: list[str]) -> str:
    """Return a clause such as `; did you mean 'depth'?`, or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def fitting(name: str, value: Any, hint: Any, *, where: str) -> Any:
    """Return a value as the type of its setting, refusing what Python would let pass.

    Args:
        name: Of the setting.
        value: From a file, a header or the command line.
        hint: Type of the setting; only plain types, choices (`Literal`) and a number or one of
            some words (`int | Literal[...]`, `float | Literal[...]`) are looked at.
        where: Where the value came from, for the error message.

    Raises:
        SettingsError: A value of another type, or none of the choices.
    """
    if get_origin(hint) is Literal:
        known = get_args(hint)
        if value not in known:
            told = ", ".join(str(choice) for choice in known)
            raise SettingsError(f"{where}: {name} is {value!r}; known: {told}")
    elif is_number_or_word(hint):
        return _number_or_word(name, value, hint, where=where)
    elif hint is float and type(value) is int:
        return float(value)
    elif hint in _WORDS and type(value) is not hint:
        raise SettingsError(f"{where}: {name} is {value!r}; expected {_WORDS[hint]}")
    return value


def is_number_or_word(hint: Any) -> bool:
    """Return whether the type of a setting is a number or one of some words."""
    return get_origin(hint) in (Union, UnionType)  # Python takes it for either


def _number_or_word(name: str, value: Any, hint: Any, *, where: str) -> Any:
    """Return a value of `number | Literal[words]`; the command line gives numbers as text."""
    number, choice = get_args(hint)
    words = get_args(choice)
    if type(value) is str and value not in words:
        try:
            return number(value)
        except ValueError:
            pass  # said below
    elif number is float and type(value) is int:
        return float(value)
    if type(value) is not number and value not in words:
        told = " or ".join(words)
        raise SettingsError(f"{where}: {name} is {value!r}; expected {_WORDS[number]} or {told}")
    return value


def build(cls: type[C], values: dict[str, Any], *, where: str) -> C:
    """Make `cls` from plain values, refusing any key it does not have.

    Args:
        cls: A dataclass whose defaults are the lowest layer of the settings.
        values: Keys and values from a file or from the command line.
        where: Where the values came from, for the error message.

    Raises:
        UnknownNameError: A key that `cls` lacks.
        SettingsError: A value of another type, or one that `cls` refuses.
    """
    known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise UnknownNameError(f"{where}: no setting {key!r}{nearest(key, known)}")
    hints = get_type_hints(cls)
    nested = {
        key: build(hints[key], value, where=f"{where}.{key}")
        if is_dataclass(hints[key]) and isinstance(value, dict)
        else fitting(key, value, hints[key], where=where)
        for key, value in values.items()
    }
    try:
        return cls(**nested)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error


def assignment(text: str, *, where: str) -> dict[str, Any]:
    """Return the name and value of `key=value`; the value is TOML, or else text.

    Raises:
        SettingsError: No `=`, or nothing before it.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise SettingsError(f"{where} {text}: give it as key=value")
    try:
        return {name: tomllib.loads(f"value = {value}")["value"]}
    except tomllib.TOMLDecodeError:
        return {name: value}


def read_toml(path: Path, *, flag: str = "") -> dict[str, Any]:
    """Return what a TOML file holds.

    Args:
        path: The file.
        flag: Which named it, for the message.

    Raises:
        InputError: A file that is missing or no TOML.
    """
    where = f"{flag} {path}".strip()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{where}: no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{where}: not a readable TOML file: {error}") from error
