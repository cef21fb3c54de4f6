"""Videos in: frames, numbers, times, upright, RGB, and whatever can be wrong with a file."""

from __future__ import annotations

import gc
import sys
import threading
import time
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files import video_header
from pose3d_cli.files.video import VideoFrame, _Decoder, open_video
from pose3d_cli.files.video_header import exact_rate
from tests.clips import (
    BLUE,
    GREEN,
    RED,
    colour_at,
    make_clip,
    make_sound_only,
    make_text,
    number_in,
    spoil,
    truncate,
)

UNEVEN_S = [0, 1 / 30, 2 / 30, 6 / 30, 7 / 30, 9 / 30, 15 / 30, 16 / 30, 17 / 30, 18 / 30]


def read(path, **span):
    with open_video(path, **span) as video:
        frames = list(video)
        assert video.n_read == len(frames)
        return frames, video


@pytest.fixture
def without_pyav(monkeypatch):
    """What a user without the `video` extra has: `import av` fails."""
    monkeypatch.setitem(sys.modules, "av", None)


def test_every_frame_once_in_order_with_its_number_and_time(tmp_path):
    frames, video = read(make_clip(tmp_path / "a.mp4", n_frames=30))
    assert [number_in(frame.image) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(30) / 30, atol=1e-6)
    assert (video.fps, video.size_px, video.n_frames_hint) == (30.0, (192, 96), 30)
    assert video.warnings == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
def test_frames_stored_out_of_order_come_in_order(tmp_path, name):
    frames, video = read(make_clip(tmp_path / name, b_frames=3))
    assert [number_in(frame.image) for frame in frames] == list(range(30))
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)
    assert video.warnings == []


def test_a_video_can_be_read_again(tmp_path):
    with open_video(make_clip(tmp_path / "a.mp4")) as video:
        assert [len(list(video)), len(list(video)), video.n_read] == [30, 30, 30]


def test_colours_are_red_green_blue(tmp_path):
    frames, _ = read(make_clip(tmp_path / "a.mp4", n_frames=1))
    for spot, colour in [((0.25, 0.5), RED), ((0.75, 0.5), BLUE), ((0.5, 0.9), GREEN)]:
        np.testing.assert_allclose(colour_at(frames[0].image, *spot), colour, atol=25)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_clip_comes_upright(tmp_path, rotation):
    frames, video = read(make_clip(tmp_path / "a.mp4", n_frames=12, rotation=rotation))
    assert video.size_px == (192, 96)
    assert [number_in(frame.image) for frame in frames] == list(range(12))
    np.testing.assert_allclose(colour_at(frames[0].image, 0.25, 0.5), RED, atol=25)


def test_a_4k_portrait_clip_with_rotation_flag(tmp_path):
    path = make_clip(tmp_path / "a.mp4", n_frames=2, size=(2160, 3840), rotation=90)
    frames, video = read(path)
    assert video.size_px == (2160, 3840)
    assert [frame.image.shape for frame in frames] == [(3840, 2160, 3)] * 2
    assert number_in(frames[1].image) == 1


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_rate_is_exact(tmp_path, name, rate):
    frames, video = read(make_clip(tmp_path / name, rate=rate))
    assert video.fps == rate.numerator / rate.denominator
    np.testing.assert_allclose(frames[-1].time_s, 29 / float(rate), atol=6e-4)


def test_a_rate_near_one_over_1001_is_snapped_and_none_is_rounded():
    assert exact_rate(29.97) == 30000 / 1001
    assert exact_rate(59.9402) == 60000 / 1001
    assert exact_rate(30.0) == 30.0
    assert exact_rate(30.01) == 30.01
    assert exact_rate(29.07) == 29.07


def test_a_clock_tick_in_place_of_a_rate_is_not_believed(tmp_path):
    times_s = (np.arange(60) / 25).tolist()
    path = make_clip(tmp_path / "a.mkv", n_frames=60, times_s=times_s, rate=Fraction(1000))
    frames, video = read(path)
    assert video.fps == pytest.approx(25, rel=1e-3)
    assert video.n_frames_hint is None
    assert "no usable frame rate (1000)" in video.warnings[0]
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_uneven_times_are_kept_and_are_no_damage(tmp_path, name, without_pyav):
    frames, video = read(make_clip(tmp_path / name, n_frames=10, times_s=UNEVEN_S))
    np.testing.assert_allclose([frame.time_s for frame in frames], UNEVEN_S, atol=6e-4)
    assert video.warnings == []


def test_one_frame_is_a_clip(tmp_path):
    frames, video = read(make_clip(tmp_path / "a.mp4", n_frames=1))
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0)]
    assert video.warnings == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("extra", ["pyav", "none"])
def test_start_and_end_are_times_and_numbers_stay_those_of_the_file(tmp_path, name, extra, request):
    path = make_clip(tmp_path / name, n_frames=120, b_frames=2)
    if extra == "none":
        request.getfixturevalue("without_pyav")
    frames, video = read(path, start_s=2.0, end_s=3.0)
    assert [frame.index for frame in frames] == list(range(60, 90))
    assert [number_in(frame.image) for frame in frames] == list(range(60, 90))
    assert frames[0].time_s == pytest.approx(2.0, abs=1e-3)
    assert video.warnings == []


@pytest.mark.parametrize("start_s", [0.5, 1.5, 2.15, 4.0, 5.3])
def test_seeking_is_exact_at_an_uneven_rate(tmp_path, start_s):
    times_s = np.cumsum(np.random.default_rng(3).integers(1, 6, 60)) / 30
    times_s -= times_s[0]
    path = make_clip(tmp_path / "a.mp4", n_frames=60, times_s=times_s.tolist(), gop=7)
    expected = [number for number in range(60) if times_s[number] >= start_s - 1e-6]
    frames, _ = read(path, start_s=start_s)
    assert [number_in(frame.image) for frame in frames] == expected
    assert [frame.index for frame in frames] == expected


def test_seeking_is_exact_where_a_long_gap_misleads_the_seek(tmp_path):
    times_s = np.concatenate([np.arange(30) / 30, 6 + np.arange(90) / 30])
    path = make_clip(tmp_path / "a.mp4", n_frames=120, times_s=times_s.tolist())
    for start_s in (0.9, 1.5, 3.0, 6.0, 6.5, 7.5):
        frames, _ = read(path, start_s=start_s)
        expected = np.flatnonzero(times_s >= start_s - 1e-6).tolist()
        assert [number_in(frame.image) for frame in frames] == expected
        assert [frame.index for frame in frames] == expected


def test_seeking_does_not_read_what_lies_before(tmp_path):
    path = spoil(make_clip(tmp_path / "a.mp4", n_frames=120, grain=40), at=0.1)
    frames, video = read(path, start_s=3.0)
    assert [number_in(frame.image) for frame in frames] == list(range(90, 120))
    assert video.warnings == []


def test_a_truncated_file_is_read_as_far_as_it_goes(tmp_path):
    path = truncate(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40), 0.5)
    frames, video = read(path)
    assert 20 < len(frames) < 40
    assert [number_in(frame.image) for frame in frames] == list(range(len(frames)))
    assert len(video.warnings) == 1
    assert f"({frames[-1].time_s:.2f} of 2.00 s)" in video.warnings[0]
    assert f"read {len(frames)} of 60 frames" in video.warnings[0]


def test_without_pyav_the_warning_says_what_may_help(tmp_path, without_pyav):
    path = spoil(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40))
    frames, video = read(path)
    assert 20 < len(frames) < 40
    assert len(video.warnings) == 1
    assert "pose3d[video]" in video.warnings[0]


def test_noise_in_the_middle_is_passed_over_with_pyav(tmp_path):
    path = spoil(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40, rotation=90))
    frames, video = read(path)
    numbers = [number_in(frame.image) for frame in frames]
    assert len(frames) > 55
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 59
    np.testing.assert_allclose(
        [frame.time_s for frame in frames], np.array(numbers) / 30, atol=1e-3
    )
    np.testing.assert_allclose(colour_at(frames[-1].image, 0.25, 0.5), RED, atol=60)
    assert len(video.warnings) == 1
    assert f"read {len(frames)} of 60 frames" in video.warnings[0]
    assert "OpenCV stopped after" in video.warnings[0]


def test_noise_at_the_very_beginning(tmp_path):
    frames, video = read(spoil(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40), at=0.02))
    assert len(frames) > 50
    assert len(video.warnings) == 1


def test_an_end_before_the_damage_warns_of_nothing(tmp_path):
    path = spoil(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40))
    frames, video = read(path, end_s=0.5)
    assert (len(frames), video.warnings) == (15, [])


def test_damaged_files_do_not_fill_the_screen(tmp_path, capfd):
    read(spoil(make_clip(tmp_path / "a.mp4", n_frames=60, grain=40)))
    with pytest.raises(InputError):
        open_video(make_text(tmp_path / "b.mp4"))
    assert capfd.readouterr().err == ""


def test_frames_hidden_by_an_edit_list_are_not_missing(tmp_path):
    whole, cut = make_clip(tmp_path / "whole.mp4", n_frames=60), tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                shift = int(0.5 / stream.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                target.mux(packet)
    frames, video = read(cut)
    assert video.n_frames_hint == 60
    assert [number_in(frame.image) for frame in frames] == list(range(15, 60))
    assert video.warnings == []
    later, _ = read(cut, start_s=1.2)
    assert [(frame.index, number_in(frame.image)) for frame in later] == [
        (number, number + 15) for number in range(36, 45)
    ]


def test_a_last_frame_shown_for_long_is_no_damage(tmp_path, without_pyav):
    short, long = make_clip(tmp_path / "short.mp4", n_frames=10), tmp_path / "long.mp4"
    with av.open(str(short)) as source, av.open(str(long), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.dts is not None:
                packet.duration *= 100 if number == 9 else 1
                packet.stream = copy
                target.mux(packet)
    frames, video = read(long)
    assert video.fps < 5
    assert len(frames) == 10
    assert video.warnings == []


def test_pixels_that_are_not_square_are_told(tmp_path):
    _, video = read(make_clip(tmp_path / "a.mp4", n_frames=3, aspect=Fraction(2)))
    assert len(video.warnings) == 1
    assert "not square (2:1)" in video.warnings[0]


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"no\.mp4: there is no such file"):
        open_video(tmp_path / "no.mp4")


def test_a_folder(tmp_path):
    with pytest.raises(InputError, match="is a folder, not a video"):
        open_video(tmp_path)


def test_an_empty_file(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match="the file is empty"):
        open_video(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_text, "not a video, or one whose index is missing"),
        (make_sound_only, "holds sound but no pictures"),
        (lambda path: make_clip(path, n_frames=0), "holds no frames"),
        (lambda path: truncate(make_clip(path, n_frames=2), 0.3), "not a video, or one whose"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(tmp_path, make, words, request):
    path = make(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=words) as caught:
        open_video(path)
    assert "\n" not in str(caught.value)
    request.getfixturevalue("without_pyav")
    with pytest.raises(InputError, match="not a video, or one without pictures"):
        open_video(path)


def test_a_header_without_any_frame(tmp_path):
    whole = make_clip(tmp_path / "a.mp4", n_frames=20).read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole[: whole.index(b"mdat") + 4])
    with pytest.raises(InputError, match=r"not one frame can be read|holds no frames|not a video"):
        open_video(tmp_path / "a.mp4")


def test_a_start_after_the_end(tmp_path):
    path = make_clip(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"--start 9 is after its end \(1\.00 s\)"):
        open_video(path, start_s=9.0)


def test_a_span_between_two_frames(tmp_path):
    with pytest.raises(InputError, match="no frame is shown from"):
        open_video(make_clip(tmp_path / "a.mp4"), start_s=0.501, end_s=0.52)


@pytest.mark.parametrize("span", [(2.0, 1.0), (1.0, 1.0), (-1.0, None), (float("nan"), None)])
def test_spans_that_make_no_sense(tmp_path, span):
    path = make_clip(tmp_path / "a.mp4")
    with pytest.raises(SettingsError, match=r"--(start|end) .*: "):
        open_video(path, start_s=span[0], end_s=span[1])


def decoders():
    return [thread for thread in threading.enumerate() if thread.name == "pose3d-decoder"]


def n_alive():
    return sum(isinstance(thing, VideoFrame) for thing in gc.get_objects())


def test_decoding_runs_ahead_by_a_few_frames_only(tmp_path):
    with open_video(make_clip(tmp_path / "a.mp4", n_frames=100)) as video:
        frames = iter(video)
        next(frames)
        end_s = time.monotonic() + 20
        while n_alive() < 2 and time.monotonic() < end_s:
            time.sleep(0.02)
        time.sleep(0.3)
        assert 2 <= n_alive() <= 8
        assert len(decoders()) == 1
        assert decoders()[0] is not threading.current_thread()


@pytest.mark.parametrize("n_wanted", [1, 7, 100])
def test_the_thread_ends_with_its_reader(tmp_path, n_wanted):
    with open_video(make_clip(tmp_path / "a.mp4", n_frames=100)) as video:
        frames = iter(video)
        for _ in range(n_wanted):
            next(frames)
    assert decoders() == []
    assert list(frames) == []


def test_the_thread_ends_when_the_loop_is_left_without_a_with_block(tmp_path):
    for frame in open_video(make_clip(tmp_path / "a.mp4", n_frames=100)):
        if frame.index == 3:
            break
    assert decoders() == []


def fail_at_frame_3(path):
    with open_video(path) as video:
        for frame in video:
            if frame.index == 3:
                raise KeyboardInterrupt


def test_the_thread_ends_when_the_reader_fails(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fail_at_frame_3(make_clip(tmp_path / "a.mp4", n_frames=100))
    assert decoders() == []


def test_a_file_gone_by_the_second_reading(tmp_path):
    path = make_clip(tmp_path / "a.mp4")
    with open_video(path) as video:
        list(video)
        path.unlink()
        with pytest.raises(InputError, match="no such file"):
            list(video)
    assert decoders() == []


def test_an_error_in_the_thread_reaches_the_reader():
    def failing():
        yield VideoFrame(image=np.zeros((2, 2, 3), np.uint8), index=0, time_s=0.0)
        raise InputError("the disk was pulled out")

    decoder = _Decoder(failing())
    with pytest.raises(InputError, match="pulled out"):
        list(decoder)
    decoder.stop()
    assert decoders() == []


@pytest.mark.parametrize("version", [4, 5])
def test_opencv_4_and_5_are_quietened_and_then_speak_again(monkeypatch, tmp_path, version):
    levels = [3]

    def set_level(level):
        levels.append(level)
        return levels[-2]

    place = SimpleNamespace(setLogLevel=set_level)
    utils = SimpleNamespace(logging=place) if version == 5 else SimpleNamespace()
    monkeypatch.setattr(video_header.cv2, "utils", utils)
    if version == 4:
        monkeypatch.setattr(video_header.cv2, "setLogLevel", set_level, raising=False)
    with open_video(make_clip(tmp_path / "a.mp4")) as video:
        assert len(list(video)) > 0
    assert levels[:3] == [3, 0, 3]
