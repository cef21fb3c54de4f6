"""Names and the modules behind them."""

from __future__ import annotations

import sys

import pytest

from pose3d_cli.errors import UnknownNameError
from pose3d_cli.registry import Registry


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A registry over a package on disk, whose modules register themselves when imported."""
    package = tmp_path / "things_of_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "apple.py").write_text("from shelf_of_test import SHELF\nSHELF.add('apple', 1)\n")
    (package / "stone.py").write_text("")
    (package / "_hidden.py").write_text("")
    (tmp_path / "shelf_of_test.py").write_text(
        "from pose3d_cli.registry import Registry\n"
        "SHELF = Registry('fruit', 'things_of_test', 'pose3d.fruit')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import shelf_of_test

    yield shelf_of_test.SHELF
    for name in [n for n in sys.modules if n.endswith("_of_test") or "_of_test." in n]:
        del sys.modules[name]


def test_names_are_modules_and_listing_imports_none(shelf):
    assert shelf.names() == ["apple", "stone"]
    assert "things_of_test.apple" not in sys.modules


def test_getting_imports_one_and_no_other(shelf):
    assert shelf.get("apple") == 1
    assert "things_of_test.stone" not in sys.modules


def test_an_unknown_name_offers_the_nearest(shelf):
    with pytest.raises(UnknownNameError, match="no fruit 'aple'; did you mean 'apple'"):
        shelf.get("aple")


def test_a_module_that_registers_nothing_is_told(shelf):
    with pytest.raises(UnknownNameError, match=r"stone registers no fruit 'stone'"):
        shelf.get("stone")


def test_the_same_name_twice_is_an_error():
    shelf = Registry("fruit", "pose3d_cli", "pose3d.fruit")
    shelf.add("pear", 1)
    with pytest.raises(ValueError, match="fruit 'pear' is registered twice"):
        shelf.add("pear", 2)
    assert shelf.get("pear") == 1


def test_another_distribution_can_add_a_thing(shelf, tmp_path):
    (tmp_path / "grower_of_test.py").write_text(
        "from shelf_of_test import SHELF\nSHELF.add('plum', 3)\n"
    )
    info = tmp_path / "grower-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grower\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pose3d.fruit]\nplum = grower_of_test\n")
    assert "plum" in shelf.names()
    assert shelf.get("plum") == 3
