"""Settings from plain values and from files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from pose3d_cli.config import build, nearest, read_toml
from pose3d_cli.errors import InputError, SettingsError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Inner:
    heads: int = 8


@dataclass(frozen=True, kw_only=True)
class Outer:
    depth: int = 4
    rate: float = 25.0
    kind: Literal["a", "b"] = "a"
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self):
        if self.depth < 1:
            raise ValueError(f"depth ({self.depth}) must be at least 1")


def test_defaults_are_the_lowest_layer():
    assert build(Outer, {"depth": 7}, where="here") == Outer(depth=7, rate=25.0)


def test_settings_within_settings():
    assert build(Outer, {"inner": {"heads": 2}}, where="here").inner == Inner(heads=2)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"run\.toml: no setting 'deph'; did you mean 'dep"):
        build(Outer, {"deph": 3}, where="run.toml")


def test_an_unknown_name_within_says_where():
    with pytest.raises(UnknownNameError, match=r"run\.toml\.inner: no setting 'head'"):
        build(Outer, {"inner": {"head": 3}}, where="run.toml")


def test_a_name_like_no_other_lists_what_there_is():
    assert nearest("zzz", ["depth", "rate"]) == "; known: depth, rate"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"depth": 2.0}, "depth is 2.0; expected a whole number"),
        ({"depth": True}, "depth is True; expected a whole number"),
        ({"rate": "25"}, "rate is '25'; expected a number"),
        ({"kind": "c"}, "kind is 'c'; known: a, b"),
    ],
)
def test_a_value_of_another_type_or_none_of_the_choices(values, words):
    with pytest.raises(SettingsError, match=f"here: {words}"):
        build(Outer, values, where="here")
    assert type(build(Outer, {"rate": 25}, where="here").rate) is float


@pytest.mark.parametrize("value", [0, "deep"])
def test_a_value_that_the_settings_refuse(value):
    with pytest.raises(SettingsError, match="here: "):
        build(Outer, {"depth": value}, where="here")


def test_a_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("depth = 2\n[inner]\nheads = 4\n")
    assert build(Outer, read_toml(path), where=str(path)) == Outer(depth=2, inner=Inner(heads=4))


@pytest.mark.parametrize("text", [None, "depth = ", "depth == 2"])
def test_a_file_that_cannot_be_read(tmp_path, text):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"run\.toml: "):
        read_toml(path)
