"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pose3d_cli.errors import ExitCode, OutputError
from pose3d_cli.files.atomic import replacing


def test_the_file_appears_only_after_the_block(tmp_path):
    path = tmp_path / "clip.npz"
    with replacing(path) as temporary:
        temporary.write_bytes(b"whole")
        assert not path.exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        assert temporary.name.startswith(".")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_is_replaced(tmp_path):
    path = tmp_path / "clip.csv"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def half_write(path, error):
    with replacing(path) as temporary:
        temporary.write_text("ne")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_whatever_ends_the_block_leaves_the_folder_as_it_was(tmp_path, error):
    path = tmp_path / "clip.csv"
    path.write_text("old")
    with pytest.raises(error):
        half_write(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "cannot be written to"),
        (errno.EROFS, "cannot be written to"),
        (errno.EIO, "input/output error"),
    ],
)
def test_a_failing_write_is_told_in_words(tmp_path, code, words):
    path = tmp_path / "clip.npz"
    with pytest.raises(OutputError, match=words) as caught, replacing(path):
        raise OSError(code, os.strerror(code))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.CANNOT_WRITE
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_found_before_the_work(tmp_path):
    with (
        pytest.raises(OutputError, match="there is no folder"),
        replacing(tmp_path / "nowhere" / "clip.npz"),
    ):
        pytest.fail("the block must not run")


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="there is no folder"),
        replacing(tmp_path / "file" / "clip.npz"),
    ):
        pytest.fail("the block must not run")


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "clip.npz").mkdir()
    with (
        pytest.raises(OutputError, match="a folder of this name is in the way"),
        replacing(tmp_path / "clip.npz") as temporary,
    ):
        temporary.write_text("x")
    assert [found.name for found in tmp_path.iterdir()] == ["clip.npz"]


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder not even root writes")
def test_a_read_only_folder():
    with (
        pytest.raises(OutputError, match="cannot be written to; choose another"),
        replacing(Path("/sys/kernel/clip.npz")),
    ):
        pytest.fail("the block must not run")


def test_trouble_with_another_file_is_not_called_trouble_with_this_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), replacing(tmp_path / "clip.npz"):
        (tmp_path / "other").read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("x" * 251 + ".npz")
    with replacing(path) as temporary:
        temporary.write_text("x")
    assert path.exists()
