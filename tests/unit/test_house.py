"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pose3d_cli.lift.about import describe, sha256

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "pose3d_cli").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

# Spelt in two parts, so that this file does not hold what it looks for.
STRANGE = ["/wo" + "rk/", "/tmp" + "/w/", "site-pack" + "ages", "/ro" + "ot/"]


def name(path):
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at():
    assert len(PACKAGE) > 60
    assert len(TESTS) > 25


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_a_file_is_short_and_so_are_its_functions(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTION)]
    lengths = {f.name: f.end_lineno - f.lineno + 1 for f in functions}
    assert not {name: n for name, n in lengths.items() if n > 60}


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_a_file_of_tests_is_not_too_long(path):
    assert len(path.read_text().splitlines()) <= 450


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_what_is_public_is_described(path):
    tree = ast.parse(path.read_text())
    lacking = [] if ast.get_docstring(tree) else ["the module"]
    for parent in [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]:
        public = not (isinstance(parent, ast.ClassDef) and parent.name.startswith("_"))
        for node in parent.body:
            is_named = isinstance(node, (*FUNCTION, ast.ClassDef)) and node.name[0] != "_"
            if public and is_named and not ast.get_docstring(node):
                lacking.append(node.name)
    assert not lacking


def kept_files():
    """Return what belongs to the project, leaving caches and environments out."""
    inside = ["pose3d_cli", "tests", "samples", "weights", "docs", ".ci"]
    files = [p for p in ROOT.iterdir() if p.is_file() and p.name != ".git"]  # of a worktree
    files += [p for folder in inside for p in (ROOT / folder).rglob("*") if p.is_file()]
    return [p for p in files if "__pycache__" not in p.parts and "_pose3d" not in p.parent.name]


def test_nothing_tells_of_the_machine_it_was_made_on():
    found = []
    for path in kept_files():
        data = path.read_bytes()
        found += [(name(path), word) for word in STRANGE if word.encode() in data]
    assert not found


def test_weights_are_small_enough_to_carry_and_files_small_enough_to_keep():
    sizes = {name(path): path.stat().st_size for path in kept_files()}
    weights = {path: size for path, size in sizes.items() if path.startswith("weights")}
    assert len(weights) >= 3
    assert sum(weights.values()) <= 16 * 2**20
    assert sizes["samples/walk.mp4"] <= 2**20
    assert max(size for path, size in sizes.items() if path not in weights) <= 2**20


@pytest.mark.parametrize("file", ["LICENSE", "NOTICE", "CHANGELOG.md", "constraints.txt"])
def test_the_house_files_are_there(file):
    assert len((ROOT / file).read_text().splitlines()) > 10


def test_the_obligatory_line_on_the_motions_stands_in_notice_and_readme():
    line = (
        "The data used in this project was obtained from mocap.cs.cmu.edu. "
        "The database was created with funding from NSF EIA-0196217."
    )
    assert line in (ROOT / "NOTICE").read_text()
    assert line in " ".join((ROOT / "README.md").read_text().replace(">", " ").split())


def test_pages_are_finished_and_show_what_is_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
    assert len(pages) >= 4
    for page in pages:
        text = page.read_text("utf-8")
        assert "@@" not in text, page
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / link).exists(), f"{page}: {link}"


def test_shipped_lifters_say_what_they_are():
    shipped = sorted((ROOT / "weights").glob("*.safetensors"))
    assert shipped
    for path in shipped:
        about = describe(path)
        assert about.licence == "Apache-2.0"
        assert about.data
        assert about.protocol
        assert about.measured
        row = f"`{path.name}`"
        assert row in (ROOT / "weights" / "README.md").read_text("utf-8")
        assert sha256(path) in (ROOT / "weights" / "README.md").read_text("utf-8")
