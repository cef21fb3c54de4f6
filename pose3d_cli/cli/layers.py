"""Settings in layers: defaults, then a `--config` file, then `--set`, then flags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pose3d_cli.config import assignment, fitting, is_number_or_word, nearest, read_toml
from pose3d_cli.errors import UnknownNameError


def layered(
    classes: Sequence[type[Any]],
    *,
    file: Path | None,
    assignments: Sequence[str],
    flags: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the values that were given, those of later layers in place of earlier ones.

    Args:
        classes: Settings classes that share the names between them. Of names that a class lists
            together in `ONE_OF`, one that a later layer gives puts out the others of earlier ones.
        file: TOML file, if any.
        assignments: `key=value` texts; the value is TOML, or else text.
        flags: From the command line; None stands for one that was not given.

    Raises:
        InputError: A file that is missing or no TOML.
        UnknownNameError: A name that no class has.
        SettingsError: A value of the wrong type or none of the choices, or an assignment
            without `=`.
    """
    hints = {f.name: get_type_hints(cls)[f.name] for cls in classes for f in fields(cls)}
    layers = [] if file is None else [_checked(read_toml(file, flag="--config"), hints, str(file))]
    layers += [
        _checked(assignment(text, where="--set"), hints, f"--set {text}") for text in assignments
    ]
    layers += [{name: value for name, value in flags.items() if value is not None}]
    rivals = [names for cls in classes for names in getattr(cls, "ONE_OF", ())]
    values: dict[str, Any] = {}
    for layer in layers:
        out = {name for names in rivals if any(layer.get(n) for n in names) for name in names}
        values = {name: value for name, value in values.items() if name not in out} | layer
    return values


def field_types(cls: type[Any]) -> dict[str, type[Any]]:
    """Return str, int, float or bool for each field of a settings class, in order."""
    hints = get_type_hints(cls)
    return {f.name: _plain_type(hints[f.name]) for f in fields(cls)}


def choices(cls: type[Any], name: str) -> tuple[str, ...]:
    """Return the values a field may have; none if it is not a choice."""
    hint = get_type_hints(cls)[name]
    if is_number_or_word(hint):
        return ("N", *get_args(get_args(hint)[1]))
    return get_args(hint) if get_origin(hint) is Literal else ()


def as_toml(values: Mapping[str, Any]) -> str:
    """Return plain settings as TOML text that `--config` reads back."""
    # The JSON of text, numbers and booleans is TOML too.
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())


def _plain_type(hint: Any) -> type[Any]:
    return str if get_origin(hint) is Literal or is_number_or_word(hint) else hint


def _checked(values: Mapping[str, Any], hints: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Refuse unknown names, and values that Python would let pass and that then do harm."""
    for name in values:
        if name not in hints:
            raise UnknownNameError(f"{where}: no setting {name!r}{nearest(name, list(hints))}")
    return {name: fitting(name, v, hints[name], where=where) for name, v in values.items()}
