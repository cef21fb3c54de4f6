"""Settings classes as flags: said once, in the class, with the same names in `--config` files."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from pose3d_cli import config
from pose3d_cli.cli.screen import Screen, ScreenSettings
from pose3d_cli.errors import InputError, UnknownNameError

Given = frozenset[str]
"""Names of the settings that a file or a flag gave; a parameter of this type is filled in."""

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_SCREEN_FLAGS = {"quiet": ("-q",), "verbose": ("-v",)}


@dataclass(frozen=True)
class _Plan:
    """How the parameters of a command are filled.

    Attributes:
        settings: Parameter to settings class.
        screens: Parameters that want the `Screen`.
        given: Parameters that want the names that were given.
        signature: What Typer is shown instead.
    """

    settings: Mapping[str, type[Any]]
    screens: tuple[str, ...]
    given: tuple[str, ...]
    signature: inspect.Signature


@dataclass
class _Layers:
    """Values from a file, then from `--set`, then from flags; later ones win."""

    where: str = "command line"
    values: dict[str, Any] = field(default_factory=dict)


def with_flags(
    command: Callable[..., None], short: Mapping[str, str], *, settable: bool = False
) -> Callable[..., None]:
    """Return `command` as Typer wants it.

    A parameter that is a settings class becomes a flag a field, with the docstring of the field
    as its help, and `--config` and `--print-config` join them. A `Screen` is made of `--json`,
    `-q` and `-v`.

    Args:
        command: Its annotations say what it wants.
        short: Field to one-letter flag.
        settable: Whether `--set key=value` is offered too.
    """
    plan = _plan(command, short, settable=settable)

    @functools.wraps(command)
    def run(ctx: typer.Context, **values: Any) -> None:
        shown = {f.name: values.pop(f.name) for f in fields(ScreenSettings)}
        screen = Screen(ScreenSettings(**shown))
        ctx.find_root().obj = screen  # where the group that tells errors looks for it
        try:
            _run(command, plan, screen, values)
        finally:
            screen.close()

    # What Typer reads is made here, so `wraps` must not lead it to the original.
    del run.__wrapped__  # type: ignore[attr-defined]
    run.__signature__ = plan.signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: p.annotation for name, p in plan.signature.parameters.items()}
    return run


def _run(
    command: Callable[..., None], plan: _Plan, screen: Screen, values: dict[str, Any]
) -> None:
    """Build the settings of all layers and call the command with them."""
    is_print = values.pop("print_config", False)
    layers = _layers(plan, values)
    built = {
        name: config.build(cls, _own(cls, layers.values), where=layers.where)
        for name, cls in plan.settings.items()
    }
    if is_print:
        screen.show(_resolved(built), [as_toml(_resolved(built))])
        return
    for name in plan.screens:
        values[name] = screen
    for name in plan.given:
        values[name] = frozenset(layers.values)
    command(**values, **built)


def _resolved(built: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for part in built.values() for name, value in vars(part).items()}


def _layers(plan: _Plan, values: dict[str, Any]) -> _Layers:
    """Take everything that is a setting out of `values`."""
    layers = _Layers()
    path: Path | None = values.pop("config", None)
    if path is not None:
        _take_file(plan, path, layers)
    for text in values.pop("set", None) or ():
        key, value = _assignment(text)
        _check_known(plan, [key], f"--set {text}")
        layers.values[key] = value
    flags = {name: values.pop(name) for cls in plan.settings.values() for name in _names(cls)}
    layers.values.update({name: value for name, value in flags.items() if value is not None})
    return layers


def _take_file(plan: _Plan, path: Path, layers: _Layers) -> None:
    try:
        layers.values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"--config {path}: no such file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--config {path}: not a readable TOML file: {error}") from error
    _check_known(plan, list(layers.values), str(path))
    for cls in plan.settings.values():
        _check_types(cls, _own(cls, layers.values), str(path))
    layers.where = f"{path} and command line"


def _check_known(plan: _Plan, keys: list[str], where: str) -> None:
    known = [name for cls in plan.settings.values() for name in _names(cls)]
    for key in keys:
        if key not in known:
            raise UnknownNameError(f"{where}: no setting {key!r}{config.nearest(key, known)}")


def _check_types(cls: type[Any], values: Mapping[str, Any], where: str) -> None:
    """Refuse values of another type than the field has, which Python would let pass."""
    hints = get_type_hints(cls)
    for name, value in values.items():
        wanted = _flag_type(hints[name])
        is_fit = type(value) is wanted or (wanted is float and type(value) is int)
        if not is_fit:
            raise InputError(
                f"{where}: {name} is {value!r}; expected {_TYPE_WORDS[wanted]}"
            )


_TYPE_WORDS = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _assignment(text: str) -> tuple[str, Any]:
    """Return key and value of `key=value`; the value as TOML has it, else as text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not of the form key=value", param_hint="--set")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def as_toml(values: Mapping[str, Any]) -> str:
    """Return plain settings as TOML text that `--config` reads back."""
    # The JSON of text, numbers and booleans is TOML too.
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())


def _own(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in _names(cls) if name in values}


def _names(cls: type[Any]) -> list[str]:
    return [f.name for f in fields(cls)]


def _plan(command: Callable[..., None], short: Mapping[str, str], *, settable: bool) -> _Plan:
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    settings = {p.name: p.annotation for p in own if is_dataclass(p.annotation)}
    screens = tuple(p.name for p in own if p.annotation is Screen)
    given = tuple(p.name for p in own if p.annotation == Given)
    plain = [
        p.replace(kind=_KEYWORD) for p in own if p.name not in {*settings, *screens, *given}
    ]
    letters = {name: (letter,) for name, letter in short.items()}
    flags = [flag for cls in settings.values() for flag in _flags(cls, letters, is_layer=True)]
    if settings:
        flags += _config_flags(settable=settable)
    flags += _flags(ScreenSettings, _SCREEN_FLAGS, is_layer=False)
    context = inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context)
    return _Plan(settings, screens, given, inspect.Signature([context, *plain, *flags]))
