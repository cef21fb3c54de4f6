"""The README's commands: every flag exists, and those on the sample are run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer

from pose3d_cli.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(text):
    """Yield the lines of a page's code blocks, but for those in another language."""
    is_code = is_shell = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            is_code = not is_code
            is_shell = is_code and line.strip("` ") in ("", "sh", "bash")
        elif is_shell:
            yield line


def commands():
    """Return the arguments of every `pose3d ...` line of the code blocks."""
    found = []
    for page in PAGES:
        for line in shell_lines(page.read_text()):
            # Also in a chain: `... && .venv/bin/pose3d lift clip.mp4 && ...`.
            for link in line.split(" && "):
                match = re.search(r"(?:^|/)pose3d ([a-z-].*)", link)
                if match:
                    found.append(shlex.split(match[1], comments=True))
    return found


def test_commands_are_found():
    assert len(commands()) >= 4
    assert ["lift", "samples/walk.mp4"] in commands()


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_every_flag_exists(arguments):
    command, path = typer.main.get_command(app), list(arguments)
    while hasattr(command, "commands"):
        if not path or path[0].startswith("-"):
            break
        assert path[0] in command.commands
        command = command.commands[path.pop(0)]
    context = command.make_context("pose3d", path, resilient_parsing=True)
    assert [a for a in context.args if a.startswith("-")] == []
    known = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
    flags = [a.split("=")[0] for a in path if re.match(r"--?[a-z]", a)]
    assert set(flags) <= known | {"--help"}


def test_lifting_the_sample_as_the_readme_says(pose3d, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    shutil.copy(ROOT / "samples" / "walk.mp4", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    outputs = pose3d("lift", "samples/walk.mp4").stdout.split()
    # Under 60 s on two idle cores; those that run tests are busy with other things too.
    folder = Path("samples/walk_pose3d")
    names = ["walk.npz", "walk.csv", "walk_keypoints.npz", "walk.mp4", "walk.png", "run.json"]
    assert outputs == [str(folder / name) for name in names]
    with np.load(folder / "walk.npz") as result:
        assert result["xyz_camera"].shape[1:] == (120, 17, 3)
        assert np.isfinite(result["xyz_camera"][0]).mean() > 0.9
    assert json.loads((folder / "run.json").read_text())["frames"] == 120
    # The 2D is a file too: 3D can be made again without detecting.
    again = ["lift", "samples/walk.mp4", "--from-2d", str(folder / "walk_keypoints.npz")]
    record = pose3d(*again, "-o", "again", "--render", "off", "--json").stdout
    assert json.loads(record)["people"] == 2
    for path in sorted(folder.iterdir()):
        assert "kind:" in pose3d("info", path).stdout
