"""Odd but sound videos: names that look like addresses, late starts, few pictures a second."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files.video import open_video
from pose3d_cli.files.video_writer import VideoWriter
from tests.clips import make_clip, make_text, number_in, picture, spoil, truncate


@pytest.fixture(params=["pyav", "none"])
def with_and_without_pyav(request, monkeypatch):
    if request.param == "none":
        monkeypatch.setitem(sys.modules, "av", None)
    return request.param


def read(path, **span):
    with open_video(path, **span) as video:
        return list(video), video


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_with_a_colon_is_a_file(here, with_and_without_pyav):
    make_clip(here / "clip12:30.mp4", n_frames=120)
    frames, video = read(Path("clip12:30.mp4"), start_s=2.0)
    assert [frame.index for frame in frames] == list(range(60, 120))
    assert video.path == Path("clip12:30.mp4")


def test_a_damaged_file_with_a_colon_in_its_name_is_saved(here):
    spoil(make_clip(here / "a:b.mp4", n_frames=60, grain=40))
    frames, video = read(Path("a:b.mp4"))
    assert len(frames) > 55
    assert video.warnings[0].startswith("a:b.mp4: damaged")


def test_what_is_no_video_is_told_of_by_the_name_given(here):
    make_text(here / "a:b.mp4")
    with pytest.raises(InputError, match=r"^a:b\.mp4: not a video, or one whose index"):
        open_video(Path("a:b.mp4"))


def test_a_name_with_a_colon_is_written(here, with_and_without_pyav):
    with VideoWriter(Path("x:y.mp4"), size_px=(192, 96), fps=30.0) as writer:
        for number in range(5):
            writer.write(picture(number), number / 30)
    assert writer.codec == ("h264" if with_and_without_pyav == "pyav" else "mp4v")
    assert [number_in(frame.image) for frame in read(here / "x:y.mp4")[0]] == list(range(5))
    assert [path.name for path in here.iterdir()] == ["x:y.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf_8_is_refused_in_words(here, with_and_without_pyav):
    name = Path(os.fsdecode(b"caf\xe9.mp4"))
    make_clip(here / "a.mp4", n_frames=2).rename(name)
    words = r"^caf\\udce9\.mp4: its name.* not valid UTF-8.*; rename it$"
    with pytest.raises(InputError, match=words) as caught:
        open_video(name)
    str(caught.value).encode("utf-8")  # it can be printed
    with (
        pytest.raises(OutputError, match=r"not valid UTF-8.* -o"),
        VideoWriter(name, size_px=(192, 96), fps=30.0),
    ):
        pass


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.mov"])
def test_a_late_first_frame_is_no_damage(tmp_path, name, with_and_without_pyav):
    times_s = 2.5 + np.arange(90) / 30
    frames, video = read(make_clip(tmp_path / name, n_frames=90, times_s=times_s.tolist()))
    assert len(frames) == 90
    assert video.n_frames_hint == 90
    assert video.warnings == []
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s - 2.5, atol=1e-3)


def test_a_cut_off_file_with_a_late_first_frame_is_damaged(tmp_path):
    times_s = (2.5 + np.arange(90) / 30).tolist()
    path = truncate(make_clip(tmp_path / "a.mkv", n_frames=90, times_s=times_s, grain=40), 0.5)
    frames, video = read(path)
    assert 30 < len(frames) < 60
    assert f"read {len(frames)} of 90 frames" in video.warnings[0]
    assert "of 3.00 s)" in video.warnings[0]


@pytest.mark.parametrize("gap_s", ["1.2", "3", "8"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_frame_in_several_seconds_is_a_rate(tmp_path, name, gap_s):
    frames, video = read(make_clip(tmp_path / name, n_frames=6, rate=1 / Fraction(gap_s)))
    assert [frame.index for frame in frames] == list(range(6))
    assert video.fps == pytest.approx(1 / float(gap_s))
    assert video.warnings == []
