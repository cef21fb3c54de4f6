"""The shelf of exporters: what there is, and how to put one more on it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar

from pose3d_cli.errors import MissingExtraError, SettingsError
from pose3d_cli.files.export.base import Exporter
from pose3d_cli.registry import Registry

E = TypeVar("E", bound=Callable[[], Exporter])

EXPORTERS: Registry[Callable[[], Exporter]] = Registry(
    "exporter", "pose3d_cli.files.export.zoo", "pose3d.exporters"
)


def register_exporter(name: str) -> Callable[[E], E]:
    """Put an exporter on the shelf under `name`, which must be its module's name."""

    def keep(exporter: E) -> E:
        EXPORTERS.add(name, exporter)
        return exporter

    return keep


def exporters_of(names: str) -> dict[str, Exporter]:
    """Return the exporters of a list such as `bvh,glb`, by name; a dot before a name is allowed.

    Raises:
        UnknownNameError: A name that no exporter has.
        MissingExtraError: One that needs a package which is not here.
        SettingsError: A list without a name.
    """
    found: dict[str, Exporter] = {}
    for name in names.split(","):
        plain = name.strip().lower().removeprefix(".")
        if not plain:
            known = ", ".join(EXPORTERS.names())
            raise SettingsError(f"exports {names!r}: a name is missing; known: {known}")
        exporter = EXPORTERS.get(plain)()
        if exporter.module and find_spec(exporter.module) is None:
            raise MissingExtraError(
                f"{plain} files need the package {exporter.module}; "
                f"`pip install 'pose3d[{exporter.extra}]'` brings it"
            )
        found[plain] = exporter
    return found
