"""What is done is kept: made of the same clip by the same settings, weights and version."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from pose3d_cli.errors import InputError, WeightsError
from pose3d_cli.pipeline import resume as module
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.resume import made_with, standing
from pose3d_cli.pipeline.settings import LiftSettings
from tests.people import empty, make_film, walking


@pytest.fixture(scope="module")
def lifted(tmp_path_factory, tiny_weights):
    """A clip, its settings, and the folder of its results."""
    folder = tmp_path_factory.mktemp("lifted")
    clip = make_film(folder / "a.mp4", walking(4, (320, 180)))
    settings = LiftSettings(weights=str(tiny_weights), render="off")
    ClipLifter(settings).lift(clip, folder / "a_pose3d", Silent())
    return clip, settings, folder / "a_pose3d"


@pytest.fixture
def mine(lifted, tmp_path):
    """The same, to spoil."""
    clip, settings, folder = lifted
    shutil.copy(clip, tmp_path)
    shutil.copytree(folder, tmp_path / "a_pose3d")
    return tmp_path / "a.mp4", settings, tmp_path / "a_pose3d"


def state(clip, settings, folder):
    found = standing(clip, folder, made_with(settings))
    return found.state, found.why


def test_results_that_are_there_are_done(lifted, tmp_path):
    clip, settings, folder = lifted
    found = standing(clip, folder, made_with(settings))
    assert found.state == "done"
    assert found.report.is_kept
    assert found.report.people >= 1
    assert found.report.frames == 4
    assert set(found.report.outputs) == {"npz", "csv", "keypoints", "run"}
    assert all(path.is_file() for path in found.report.outputs.values())
    assert state(clip, settings, tmp_path / "b_pose3d") == ("new", "")


def test_a_copy_of_clip_and_results_is_done_too(mine):
    assert state(*mine) == ("done", "")


def test_where_results_go_is_no_setting_of_theirs(mine):
    clip, settings, folder = mine
    assert state(clip, replace(settings, output="x", overwrite=False), folder)[0] == "done"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"height": 1.8}, "height"),
        ({"render": "side-by-side"}, "render"),
        ({"mirror": False}, "mirror"),
        ({"weights": "dualstream-xs-27"}, "weights"),
        ({"device": "cpu"}, "device"),
        ({"detector": "rtmpose"}, "boxes, detector"),
    ],
)
def test_other_settings_make_other_results(lifted, change, name):
    clip, settings, folder = lifted
    assert state(clip, replace(settings, **change), folder) == (
        "changed",
        f"other settings: {name}",
    )


def test_files_that_settings_name_count_by_their_content(tmp_path):
    one, two = tmp_path / "cam.toml", tmp_path / "cam2.toml"
    for path in (one, two):
        path.write_text("matrix = 1")
    first = made_with(LiftSettings(intrinsics=str(one)))
    assert made_with(LiftSettings(intrinsics=str(two))) == first
    one.write_text("matrix = 2")
    assert made_with(LiftSettings(intrinsics=str(one))) != first
    folder = tmp_path / "openpose"
    folder.mkdir()
    (folder / "1.json").write_text("{}")
    first = made_with(LiftSettings(from_2d=str(folder)))
    (folder / "1.json").rename(folder / "2.json")
    assert made_with(LiftSettings(from_2d=str(folder))) != first
    with pytest.raises(InputError, match=r"none.json: cannot be read"):
        made_with(LiftSettings(from_2d="none.json"))
    with pytest.raises(WeightsError, match="no weights 'none'"):
        made_with(LiftSettings(weights="none"))


def test_the_detector_counts_by_what_auto_chooses_here(monkeypatch, tmp_path):
    first = made_with(LiftSettings())
    assert first["detector"] == "blazepose"
    assert made_with(LiftSettings(detector="blazepose")) == first
    best = {"keypoints": "rtmpose-m", "boxes": "yolox-tiny"}
    monkeypatch.setattr("pose3d_cli.detect.make.best_there", lambda kind: Best(best[kind]))
    now = made_with(LiftSettings())
    assert (now["detector"], now["detector_weights"]) == ("rtmpose", "rtmpose-m")
    assert now["boxes"] == "yolox-tiny"
    weights = tmp_path / "mine.pth"
    weights.write_text("1")
    mine = LiftSettings(detector_weights=str(weights))
    first = made_with(mine)
    weights.write_text("2")
    assert made_with(mine) != first
    # Ready keypoints ask no detector.
    points = LiftSettings(from_2d=str(weights))
    assert made_with(points) == made_with(replace(points, detector="blazepose"))


class Best:
    def __init__(self, name):
        self.name = name


def test_another_clip_of_the_name_is_lifted_anew(mine):
    clip, _, _ = mine
    make_film(clip, empty(4, (320, 180)))
    assert state(*mine) == ("changed", "the clip has changed")


def test_another_version_makes_them_anew(mine, monkeypatch):
    monkeypatch.setattr(module, "__version__", "99")
    assert state(*mine)[1].startswith("made by version ")


@pytest.mark.parametrize("spoil", ["remove", "cut"])
def test_files_that_are_gone_or_cut_off_are_made_anew(mine, spoil):
    path = mine[2] / "a.csv"
    if spoil == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    assert state(*mine) == ("changed", "files are missing or changed: a.csv")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": "pose3d-run/1"}'])
def test_a_damaged_record_counts_for_nothing(mine, text):
    (mine[2] / "run.json").write_text(text)
    assert state(*mine) == ("changed", "its record is damaged or of an older program")


def test_a_clip_replaced_while_it_is_lifted_is_not_taken_for_done(mine):
    clip, settings, folder = mine

    class Meddler(Silent):
        def stage(self, name, total):
            if name == "lift":
                make_film(clip, empty(3, (320, 180)))

    ClipLifter(settings).lift(clip, folder, Meddler())
    assert state(clip, settings, folder)[1] == "the clip has changed"


def test_what_a_killed_run_left_goes_with_the_next(mine):
    clip, settings, folder = mine
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "run.json").unlink()
    left = [".a.0123456789ab.npz", ".a_keypoints.0123456789ab.npz", ".run.0123456789ab.json"]
    others = [".b.0123456789ab.npz", "a.0123456789ab.npz", ".a.notes.npz"]
    for name in (*left, *others):
        (folder / name).write_text("half")
    (folder / "a.mp4").write_text("drawn by the run that was killed")
    ClipLifter(settings).lift(clip, folder, Silent())
    assert {path.name for path in folder.iterdir()} == {*before, *others}
    for name in before.keys() - {"run.json"}:  # equal bytes, but for the times
        assert (folder / name).read_bytes() == before[name]
    record = json.loads((folder / "run.json").read_text())
    assert record["files"] == {
        name: len(data) for name, data in before.items() if name != "run.json"
    }
