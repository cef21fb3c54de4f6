"""The viewer's page: true to the result, small, whole in itself, whatever names and gaps hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files.results import write_result
from pose3d_cli.pipeline.view import find_clip, find_result, view
from pose3d_cli.pose.world import World
from pose3d_cli.render.viewer.content import kept_rows
from pose3d_cli.render.viewer.page import MAX_BYTES, relative_url, write_viewer
from tests.viewed import FPS, TILTED, Read, clip_of, walker, walkers


def shown(folder, result, **more):
    write_viewer(folder / "clip.html", result, **more)
    return Read(folder / "clip.html")


def with_gaps():
    """Two people; one joins late, leaves for a while, and has a joint unseen."""
    rows = np.r_[5:20, 31:40, 50]
    late = walker(7, rows, 60)
    late.keypoints_px[3, 4] = np.nan
    late.score[3, 4] = 0
    late.xyz_camera[2, 16] = np.nan
    return clip_of([walker(0, np.arange(60), 60), late], 60)


def test_positions_come_back_within_a_millimetre_and_gaps_as_gaps(tmp_path):
    result = with_gaps()
    page = shown(tmp_path, result)
    assert [p["id"] for p in page.data["people"]] == [0, 7]
    for place, person in enumerate(result.people):
        np.testing.assert_array_equal(page.rows(place), person.rows)
        world = TILTED.from_camera(person.xyz_camera)
        np.testing.assert_allclose(page.points(place, "xyz"), world, atol=0.0006)
        np.testing.assert_allclose(page.points(place, "px"), person.keypoints_px, atol=0.06)
    assert np.isnan(page.points(1, "px")[3, 4]).all()
    assert np.isnan(page.points(1, "xyz")[2, 16]).all()


def test_somebody_who_walks_far_is_kept_in_larger_steps(tmp_path):
    person = walker(0, np.arange(60), 60)
    person.xyz_camera[:, :, 2] += np.linspace(0, 150, 60, dtype=np.float32)[:, None]
    result = clip_of([person], 60)
    page = shown(tmp_path, result)
    world = TILTED.from_camera(person.xyz_camera)
    np.testing.assert_allclose(page.points(0, "xyz"), world, atol=0.002)


def test_a_keypoint_far_outside_is_left_out_and_costs_the_others_nothing(tmp_path):
    result = walkers(1, 10)
    result.people[0].keypoints_px[4, 2] = 1e7
    page = shown(tmp_path, result)
    assert np.isnan(page.points(0, "px")[4, 2]).all()
    assert page.data["people"][0]["px"]["unit"] == 0.1


@pytest.mark.parametrize(
    "time_s",
    [
        np.arange(50) * 1001 / 30000,
        12.5 + np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 50)),
        np.array([0.25]),
        np.zeros(0),
    ],
    ids=["ntsc", "variable", "one", "none"],
)
def test_times_and_frame_numbers_come_back_to_the_last_bit(tmp_path, time_s):
    frame = 3 * np.arange(len(time_s), dtype=np.int64) + 17
    page = shown(tmp_path, clip_of([], len(time_s), time_s=time_s, frame=frame))
    np.testing.assert_array_equal(page.times(), time_s)
    np.testing.assert_array_equal(page.frames(), frame)
    assert page.data["n"] == len(time_s)


def test_a_minute_of_two_people_is_small_and_whole(tmp_path):
    result = walkers(2, 60 * FPS)
    written = write_viewer(tmp_path / "clip.html", result)
    assert (tmp_path / "clip.html").stat().st_size == written.n_bytes < MAX_BYTES == 400_000
    assert (written.step, written.hz) == (1, FPS)


def test_a_longer_clip_is_thinned_and_says_so(tmp_path):
    result = walkers(2, 120 * FPS)
    written = write_viewer(tmp_path / "clip.html", result)
    page = Read(tmp_path / "clip.html")
    assert written.n_bytes < MAX_BYTES
    assert written.step == page.data["step"] == 2
    assert page.data["hz"] == written.hz == FPS / 2
    assert len(page.times()) == 120 * FPS
    rows = page.rows(0)
    np.testing.assert_array_equal(rows[:-1], np.arange(0, 120 * FPS, 2))
    assert rows[-1] == 120 * FPS - 1
    world = TILTED.from_camera(result.people[0].xyz_camera[rows])
    np.testing.assert_allclose(page.points(0, "xyz"), world, atol=0.0006)


def test_thinning_keeps_both_ends_of_every_stay():
    rows = np.r_[3:12, 20, 31:37].astype(np.int64)
    assert rows[kept_rows(rows, 4)].tolist() == [3, 4, 8, 11, 20, 31, 32, 36]
    assert kept_rows(rows, 1).tolist() == list(range(len(rows)))
    assert kept_rows(rows[:0], 4).tolist() == []


HOSTILE = "</script><script>alert(1)</script>&<b>'\"$title ü\n.mp4"


def test_no_name_becomes_a_tag(tmp_path):
    meta = walkers(1, 2).meta | {"detector": HOSTILE, "weights": {"name": HOSTILE, "sha256": "0"}}
    plain = shown(tmp_path, walkers(1, 2), title="plain.mp4")
    page = shown(tmp_path, walkers(1, 2, meta=meta), video=tmp_path / "<img>.mp4", title=HOSTILE)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert dict(page.data["facts"])["detector"] == HOSTILE
    assert HOSTILE.replace("\n", "\\n") in page.words["title"]


def test_the_page_asks_nothing_of_the_net(tmp_path):
    page = shown(tmp_path, walkers(1, 2))
    text = (tmp_path / "clip.html").read_text("utf-8")
    assert "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "innerHTML" not in text
    sources = [a.get("src") or a.get("href") for tag, a in page.tags if {"src", "href"} & set(a)]
    assert sources == ["data:,"]


def test_nobody_one_frame_and_somebody_unseen_make_pages(tmp_path):
    nobody = shown(tmp_path, walkers(0, 3))
    assert nobody.data["people"] == []
    assert np.all(np.array(nobody.data["limits"]["low"]) < nobody.data["limits"]["high"])
    one = shown(tmp_path, walkers(1, 1))
    assert one.points(0, "xyz").shape == (1, 17, 3)
    ghost = walker(0, np.arange(4), 4)
    ghost.xyz_camera[:], ghost.keypoints_px[:] = np.nan, np.nan
    unseen = shown(tmp_path, clip_of([ghost], 4))
    assert np.isnan(unseen.points(0, "xyz")).all()
    absent = shown(tmp_path, clip_of([walker(0, np.arange(0), 4)], 4))
    assert absent.rows(0).tolist() == []


def test_what_is_taken_for_granted_is_said(tmp_path):
    level = shown(tmp_path, walkers(1, 2, world=World()))
    assert level.data["granted"] == [
        "everybody is 1.70 m tall", "the camera is level", "the floor is at the lowest feet"
    ]  # fmt: skip
    found = shown(tmp_path, walkers(1, 2))
    assert found.data["granted"] == ["everybody is 1.70 m tall"]
    assert dict(found.data["facts"])["upright"] == "feet of 2 people (± 1.5°)"
    assert dict(found.data["facts"])["floor"] == "feet of 2 people (± 3 cm)"


def test_the_camera_looks_at_the_people(tmp_path):
    page = shown(tmp_path, walkers(1, 30))
    camera = page.data["camera"]
    assert camera["at"] == [0, 0, 1.5]
    middle = np.mean(camera["corners"], 0)
    towards = page.points(0, "xyz")[:, 0].mean(0) - camera["at"]
    assert middle @ towards / np.linalg.norm(middle) / np.linalg.norm(towards) > 0.95
    top_left, top_right, _, bottom_left = np.array(camera["corners"])
    assert top_right[0] > top_left[0]
    assert top_left[2] > bottom_left[2]


@pytest.mark.parametrize("name", ["a b.mp4", "ümlaut.mp4", "50%#1?.mp4", "12:30.mp4", "ä/b c.mp4"])
def test_a_page_finds_its_video_whatever_its_name(tmp_path, name):
    page = tmp_path / "out" / "deep" / "clip.html"
    url = relative_url(tmp_path / "videos" / name, page)
    assert not urlsplit(url).scheme
    assert not urlsplit(url).query
    assert not urlsplit(url).fragment
    assert (page.parent / unquote(url)).resolve() == (tmp_path / "videos" / name).resolve()


def lifted(folder, clip):
    """Lay down what `pose3d lift` leaves, as far as the viewer looks at it."""
    out = folder / f"{clip.stem}_pose3d"
    out.mkdir(parents=True)
    write_result(out / f"{clip.stem}.npz", walkers(1, 5))
    (out / f"{clip.stem}_keypoints.npz").write_bytes(b"")
    run = {"format": "pose3d-run/1", "input": {"path": str(clip)}}
    (out / "run.json").write_text(json.dumps(run))
    return out


def test_the_command_writes_beside_the_result(tmp_path, pose3d):
    clip = tmp_path / "walk #1.mp4"
    clip.write_bytes(b"a video")
    out = lifted(tmp_path, clip)
    told = json.loads(pose3d("view", out, "--json").stdout)
    assert (told["people"], told["frames"], told["has_video"]) == (1, 5, True)
    page = Read(out / "walk #1.html")
    assert page.data["video"] == {"url": "../walk%20%231.mp4", "name": "walk #1.mp4"}
    assert "walk #1.mp4" in page.words["title"]


def test_a_clip_that_moved_is_looked_for_and_told(tmp_path, pose3d):
    out = lifted(tmp_path, Path("gone/walk.mp4"))
    assert "gone/walk.mp4: the video is no longer there" in pose3d("view", out).stderr
    (tmp_path / "walk.mp4").write_bytes(b"a video")
    assert find_clip(out) == tmp_path / "walk.mp4"
    (out / "run.json").write_text("[]")
    assert "--video" in pose3d("view", out).stderr
    assert Read(out / "walk.html").data["video"] is None


@pytest.mark.parametrize(
    ("source", "words"),
    [("none", "no such file or folder"), ("empty", "no result"), ("two", "several results")],
)
def test_a_wrong_source_is_told_in_a_line(tmp_path, source, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    for name in ("a.npz", "b.npz", "b_keypoints.npz"):
        (tmp_path / "two" / name).write_bytes(b"")
    with pytest.raises(InputError, match=words):
        find_result(tmp_path / source)


def test_a_missing_video_or_folder_is_told(tmp_path):
    out = lifted(tmp_path, tmp_path / "walk.mp4")
    with pytest.raises(InputError, match=r"other\.mp4: no such video"):
        view(out, video=tmp_path / "other.mp4")
    with pytest.raises(OutputError, match="no folder"):
        view(out, output=tmp_path / "nowhere" / "clip.html")


def test_the_browser_is_opened_only_where_it_is_seen(tmp_path, pose3d, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    out = lifted(tmp_path, tmp_path / "walk #1.mp4")
    pose3d("view", out)
    assert opened == [(out / "walk #1.html").as_uri()]
    pose3d("view", out, "--no-open")
    pose3d("view", out, "--json")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    pose3d("view", out)
    assert len(opened) == 1


def test_a_result_that_says_little_makes_a_page(tmp_path):
    result = replace(walkers(2, 5), meta={}, world=World())
    page = shown(tmp_path, result)
    assert page.data["size"][0] >= 400
    assert "detector" not in dict(page.data["facts"])
