"""Videos out: what is written is read back, and what fails leaves nothing behind."""

from __future__ import annotations

import sys

import av
import numpy as np
import pytest

from pose3d_cli.errors import OutputError
from pose3d_cli.files.video import open_video
from pose3d_cli.files.video_writer import VideoWriter
from tests.clips import BLUE, GREEN, RED, colour_at, number_in, picture
from tests.disk import no_file_longer_than

NTSC = 30000 / 1001


@pytest.fixture
def without_pyav(monkeypatch):
    """What a user without the `video` extra has: `import av` fails."""
    monkeypatch.setitem(sys.modules, "av", None)


def write(path, times_s, *, fps=30.0, size=(192, 96)):
    with VideoWriter(path, size_px=size, fps=fps) as writer:
        for number, time_s in enumerate(times_s):
            writer.write(picture(number, size), time_s)
    return writer


def read(path):
    with open_video(path) as video:
        return list(video), video


@pytest.fixture(params=["h264", "mp4v"])
def codec(request):
    if request.param == "mp4v":
        request.getfixturevalue("without_pyav")
    return request.param


@pytest.mark.parametrize("fps", [25.0, 30.0, NTSC, 60.0])
def test_frames_times_and_rate_come_back(tmp_path, codec, fps):
    times_s = np.arange(40) / fps
    writer = write(tmp_path / "a.mp4", times_s, fps=fps)
    frames, video = read(tmp_path / "a.mp4")
    assert writer.codec == codec
    assert [number_in(frame.image) for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-4)
    assert video.fps == pytest.approx(fps, rel=1e-6)
    assert video.warnings == []


def test_a_red_picture_is_red(tmp_path, codec):
    write(tmp_path / "a.mp4", [0.0, 1 / 30])
    frames, _ = read(tmp_path / "a.mp4")
    for spot, colour in [((0.25, 0.5), RED), ((0.75, 0.5), BLUE), ((0.5, 0.9), GREEN)]:
        np.testing.assert_allclose(colour_at(frames[0].image, *spot), colour, atol=25)


@pytest.mark.parametrize("size", [(193, 95), (192, 95), (193, 96)])
def test_odd_sizes_are_padded_by_one(tmp_path, codec, size):
    write(tmp_path / "a.mp4", [0.0], size=size)
    frames, video = read(tmp_path / "a.mp4")
    assert video.size_px == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    np.testing.assert_allclose(colour_at(frames[0].image, 0.999, 0.5), BLUE, atol=30)
    np.testing.assert_allclose(colour_at(frames[0].image, 0.5, 0.999), GREEN, atol=30)


def test_uneven_times_are_kept_and_the_first_is_the_start(tmp_path):
    times_s = np.array([2, 2.033, 2.066, 2.2, 2.233, 2.3, 2.5, 2.533])
    write(tmp_path / "a.mp4", times_s)
    frames, _ = read(tmp_path / "a.mp4")
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s - 2, atol=1e-5)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].start_time == 0
        assert container.duration / 1e6 == pytest.approx(0.533 + 1 / 30, abs=2e-3)


def test_browsers_can_play_it(tmp_path):
    write(tmp_path / "a.mp4", np.arange(10) / 30)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    whole = (tmp_path / "a.mp4").read_bytes()
    assert 0 < whole.index(b"moov") < whole.index(b"mdat")


def half_write(path, error):
    with VideoWriter(path, size_px=(192, 96), fps=30.0) as writer:
        for number in range(10):
            writer.write(picture(number), number / 30)
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_video_leaves_nothing(tmp_path, codec, error):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the one before")
    with pytest.raises(error):
        half_write(path, error)
    assert path.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [path]


def write_noise(path):
    rng = np.random.default_rng(0)
    with VideoWriter(path, size_px=(192, 96), fps=30.0) as writer:
        for number in range(60):
            writer.write(rng.integers(0, 255, (96, 192, 3), dtype=np.uint8), number / 30)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, codec):
    with (
        no_file_longer_than(50_000),
        pytest.raises(OutputError, match=r"a\.mp4: cannot be written"),
    ):
        write_noise(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder(tmp_path, codec):
    with (
        pytest.raises(OutputError, match="there is no folder"),
        VideoWriter(tmp_path / "no" / "a.mp4", size_px=(192, 96), fps=30.0),
    ):
        pytest.fail("the block must not run")


def test_a_picture_of_another_size_is_refused(tmp_path, codec):
    with (
        pytest.raises(ValueError, match=r"picture \(96, 190, 3\) in a video of 96 x 192"),
        VideoWriter(tmp_path / "a.mp4", size_px=(192, 96), fps=30.0) as writer,
    ):
        writer.write(picture(0, (190, 96)), 0.0)
    assert list(tmp_path.iterdir()) == []
