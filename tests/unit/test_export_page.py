"""The page among the exports: with the clip where it is known, and told where it is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pose3d_cli.errors import UnknownNameError
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.results import write_result
from pose3d_cli.pipeline.exports import write_exports
from pose3d_cli.pipeline.page_export import Html
from pose3d_cli.pipeline.provenance import RUN_FILE
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings
from tests.rigs import result_of, walking_round

OPTIONS = ExportOptions()


@pytest.fixture
def result():
    return result_of({0: walking_round(8), 3: walking_round(8)})


@pytest.fixture
def place(tmp_path):
    """Return a folder of results beside its clip."""
    (tmp_path / "walk.mp4").touch()
    folder = tmp_path / "walk_pose3d"
    (folder / "part_001").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("part", ["", "part_001"])
def test_a_clip_beside_the_folder_is_the_one(result, place, part):
    exported = Html().write(result, place / part / "walk", OPTIONS)
    up = "../../" if part else "../"
    assert f"{up}walk.mp4" in exported.files[0].read_text()
    assert exported.notes == ()


def test_of_two_clips_of_one_name_neither_is_taken(result, place):
    (place.parent / "walk.mov").touch()
    exported = Html().write(result, place / "walk", OPTIONS)
    page = exported.files[0].read_text()
    assert "walk.mp4" not in page
    assert "walk.mov" not in page
    [note] = exported.notes
    assert note.startswith("walk.html has no video beside its 3D")


def test_the_clip_that_is_told_goes_before_all_others(result, place):
    clip = place.parent / "other.mp4"
    page = Html().write(result, place / "walk", replace(OPTIONS, clip=clip)).files[0].read_text()
    assert "../other.mp4" in page
    assert "walk.mp4" not in page
    write_exports("html", result, place / "walk", Silent(), clip)
    assert "../other.mp4" in (place / "walk.html").read_text()


def test_export_takes_the_clip_of_the_run_wherever_the_page_goes(pose3d, result, place):
    write_result(place / "walk.npz", result)
    clip = place.parent / "far away.mp4"
    clip.touch()
    run = {"format": "pose3d-run/1", "input": {"path": str(clip)}}
    (place / RUN_FILE).write_text(json.dumps(run))
    done = pose3d("export", place, "--to", "html", "-o", place.parent / "out")
    assert "far%20away.mp4" in (place.parent / "out" / "walk.html").read_text()
    assert "no video" not in done.stderr


def test_lift_knows_the_page_before_it_begins():
    assert LiftSettings(export="html,trc").export == "html,trc"
    with pytest.raises(UnknownNameError, match="did you mean 'html'"):
        LiftSettings(export="htm")
