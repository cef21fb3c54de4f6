"""Keypoints of many videos, detected once."""

from __future__ import annotations

import os

import numpy as np
import pytest

from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.pipeline import gather as module
from pose3d_cli.pipeline.gather import gather
from pose3d_cli.pipeline.report import Silent
from tests.people import empty, make_film, walking


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    make_film(folder / "walk.mp4", walking(8))
    make_film(folder / "wall.mp4", empty(4))
    return folder


def run(inputs, out):
    told = {}
    report = gather(inputs, out, Silent(), lambda clip, outcome: told.update({clip.name: outcome}))
    return report, told


def test_each_clip_becomes_a_file_once_and_an_empty_one_is_named(clips, tmp_path, monkeypatch):
    out = tmp_path / "keypoints"
    report, told = run([clips], out)
    assert [p.name for p in out.iterdir()] == ["walk_keypoints.npz"]
    people = read_keypoints(out / "walk_keypoints.npz")
    assert told["walk.mp4"].people == len(people) > 0
    assert told["walk.mp4"].frames == sum(len(person) for person in people)
    assert isinstance(told["wall.mp4"], NobodyFoundError)
    assert report.exit_code == 6

    monkeypatch.setattr(module, "make_detector", None)  # a second look would fail
    again, told = run([clips / "walk.mp4"], out)
    assert told["walk.mp4"].as_json()["was_there"]
    assert again.exit_code == 0


def test_keypoints_lie_in_folders_as_the_clips_do_and_what_was_left_half_goes(clips, tmp_path):
    out = tmp_path / "keypoints"
    (clips / "deep").mkdir()
    (clips / "walk.mp4").rename(clips / "deep" / "walk.mp4")
    (clips / "gone.mp4").symlink_to("nowhere")
    half = out / "deep" / ".walk_keypoints.0123456789ab.npz"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    report, told = run([clips], out)
    assert [p.name for p in (out / "deep").iterdir()] == ["walk_keypoints.npz"]
    assert "leads nowhere" in str(told["gone.mp4"])
    assert report.exit_code == 6


def test_a_clip_that_changed_is_looked_at_again(clips, tmp_path):
    out, clip = tmp_path / "keypoints", clips / "walk.mp4"
    run([clip], out)
    file = out / "walk_keypoints.npz"
    first = np.load(file)["xy"]
    make_film(clip, walking(4))
    later = file.stat().st_mtime + 5
    os.utime(clip, (later, later))
    _, told = run([clip], out)
    assert told["walk.mp4"].frames < len(first)


def test_clips_of_one_name_are_refused(clips, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    make_film(other / "walk.mp4", walking(2))
    with pytest.raises(InputError, match=r"would both write to .*walk.mp4_keypoints"):
        run([clips, other], tmp_path / "out")
