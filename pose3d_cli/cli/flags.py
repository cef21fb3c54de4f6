"""Settings classes as flags: everything about a setting is said once, in its class."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from pose3d_cli.cli.layers import as_toml, choices, field_types, layered
from pose3d_cli.cli.screen import Screen, ScreenSettings
from pose3d_cli.config import build

Given = frozenset[str]
"""Names of the settings that a file or a flag gave; a parameter of this type is filled in."""

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_LETTERS = {"output": "-o", "out": "-o", "quiet": "-q", "verbose": "-v"}
_METAVARS = {str: "TEXT", int: "N", float: "NUMBER"}
_CONFIG = {
    "config": Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="TOML file of settings; flags go first."),
    ],
    "print_config": Annotated[
        bool,
        typer.Option(
            "--print-config", is_eager=True, help="Print all settings as TOML, and do no more."
        ),
    ],
}
_SET = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting by name; may be repeated."),
]


@dataclass(frozen=True)
class _Wanted:
    """What the parameters of a command want to be filled with, by name."""

    settings: Mapping[str, type[Any]]
    screens: tuple[str, ...]
    given: tuple[str, ...]
    plain: tuple[inspect.Parameter, ...]


def with_flags(command: Callable[..., None], *, settable: bool = False) -> Callable[..., None]:
    """Return `command` with the parameters that Typer is to make flags of.

    A parameter that is a settings class becomes one flag a field, the docstring of the field its
    help; `--config` and `--print-config` join them. A `Screen` is made of `--json`, `-q`, `-v`.

    Args:
        command: Its annotations say what it wants.
        settable: Whether `--set key=value` is offered too.
    """
    wanted = _wanted(command)

    # Typer hands over the class that its `Context` is derived from, which it does not export.
    def run(ctx: Any, **values: Any) -> None:
        shown = {f.name: values.pop(f.name) for f in fields(ScreenSettings)}
        screen = Screen(ScreenSettings(**shown))
        ctx.find_root().obj = screen  # where the group that tells errors looks for it
        try:
            _run(command, wanted, screen, values)
        finally:
            screen.close()

    signature = _signature(wanted, settable=settable)
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return run


def _run(
    command: Callable[..., None], wanted: _Wanted, screen: Screen, values: dict[str, Any]
) -> None:
    """Build the settings out of all layers and call the command with them."""
    is_print = values.pop("print_config", False)
    classes = list(wanted.settings.values())
    given = layered(
        classes,
        file=(file := values.pop("config", None)),
        assignments=values.pop("set", None) or (),
        flags={name: values.pop(name) for cls in classes for name in field_types(cls)},
    )
    where = f"{file} and command line" if file else "command line"
    for name, cls in wanted.settings.items():
        own = {key: given[key] for key in field_types(cls) if key in given}
        values[name] = build(cls, own, where=where)
    if is_print:
        resolved = {k: v for name in wanted.settings for k, v in vars(values[name]).items()}
        screen.show(resolved, [as_toml(resolved)])
        return
    values |= dict.fromkeys(wanted.screens, screen)
    values |= dict.fromkeys(wanted.given, frozenset(given))
    command(**values)


def _wanted(command: Callable[..., None]) -> _Wanted:
    own = inspect.signature(command, eval_str=True).parameters.values()
    settings = {p.name: _as_class(p.annotation) for p in own if is_dataclass(p.annotation)}
    screens = tuple(p.name for p in own if p.annotation is Screen)
    given = tuple(p.name for p in own if p.annotation == Given)
    filled = {*settings, *screens, *given}
    plain = tuple(p.replace(kind=_KEYWORD) for p in own if p.name not in filled)
    return _Wanted(settings, screens, given, plain)


def _as_class(annotation: Any) -> type[Any]:
    return annotation


def _signature(wanted: _Wanted, *, settable: bool) -> inspect.Signature:
    flags = {"ctx": inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context)}
    flags |= {p.name: p for p in wanted.plain}
    for cls in wanted.settings.values():
        flags |= _flags(cls, is_layer=True)
    if wanted.settings:
        for name, annotation in _CONFIG.items():
            default = None if name == "config" else False
            flags[name] = inspect.Parameter(name, _KEYWORD, annotation=annotation, default=default)
    if settable:
        flags["set"] = inspect.Parameter("set", _KEYWORD, annotation=_SET, default=None)
    flags |= _flags(ScreenSettings, is_layer=False)
    return inspect.Signature(list(flags.values()))


def _flags(cls: type[Any], *, is_layer: bool) -> dict[str, inspect.Parameter]:
    """Return a parameter a field.

    Args:
        cls: A settings class whose fields all have defaults.
        is_layer: Whether a flag that is not given leaves the setting to the layers below; its
            default is None then, and the true one stands in its help.
    """
    helps = field_helps(cls)
    flags = {}
    for f in fields(cls):
        kind = field_types(cls)[f.name]
        text = helps[f.name]
        if is_layer and f.default not in ("", False):
            text += f" (default: {str(f.default).lower() if kind is bool else f.default})"
        option = typer.Option(
            *_spellings(f.name, kind, is_layer=is_layer),
            help=text,
            metavar="|".join(choices(cls, f.name)) or _METAVARS.get(kind),
            count=kind is int and not is_layer,
            show_default=False,
        )
        flags[f.name] = inspect.Parameter(
            f.name,
            _KEYWORD,
            annotation=Annotated[kind | None if is_layer else kind, option],
            default=None if is_layer else f.default,
        )
    return flags


def _spellings(name: str, kind: type[Any], *, is_layer: bool) -> list[str]:
    word = name.replace("_", "-")
    letter = [_LETTERS[name]] if name in _LETTERS else []
    if kind is bool and is_layer:
        return [f"--{word}/--no-{word}", *letter]
    return [f"--{word}", *letter]


def field_helps(cls: type[Any]) -> dict[str, str]:
    """Return the docstring below each field of a class and of those it inherits, in one line.

    Raises:
        ValueError: A field without one: a bug, told at once and not in the help.
    """
    path = Path(str(sys.modules[cls.__module__].__file__))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
    inherited = [field_helps(base) for base in cls.__bases__ if is_dataclass(base)]
    helps = {key: text for of_base in inherited for key, text in of_base.items()} | {
        above.target.id: " ".join(below.value.value.split()).rstrip(".")
        for above, below in pairwise(body)
        if isinstance(above, ast.AnnAssign)
        and isinstance(above.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
    missing = [f.name for f in fields(cls) if f.name not in helps]
    if missing:
        raise ValueError(f"{cls.__name__}: no docstring below {', '.join(missing)}")
    return helps
