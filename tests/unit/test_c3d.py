from __future__ import annotations

import sys

import numpy as np
import pytest

from pose3d_cli.errors import InputError, MissingExtraError
from pose3d_cli.files.c3d import read_c3d

ezc3d = pytest.importorskip("ezc3d")


def written(path, *, unit="mm", rate=100.0, first=0, screen=None, change=None):
    """Write markers A and B over four frames: A at (1, 2, 3) units, B at (4, 5, 6)."""
    file = ezc3d.c3d()
    about = file["parameters"]["POINT"]
    about["RATE"]["value"], about["UNITS"]["value"] = [rate], [unit]
    about["LABELS"]["value"] = ["A", "B"]
    points = np.ones((4, 2, 4))
    points[:3, 0], points[:3, 1] = np.array([[1], [2], [3]]), np.array([[4], [5], [6]])
    residuals = np.zeros((1, 2, 4))
    if change:
        change(points, residuals)
    file["data"]["points"], file["data"]["meta_points"]["residuals"] = points, residuals
    file["header"]["points"]["first_frame"] = first
    if screen:
        file.add_parameter("POINT", "Y_SCREEN", [screen])
    file.write(str(path))
    return path


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("m", 1), ("cm", 0.01), ("", 0.001)])
def test_the_unit_is_that_of_the_file(tmp_path, unit, metres):
    table = read_c3d(written(tmp_path / "a.c3d", unit=unit))
    assert table.names == ("A", "B")
    expected = np.tile([[1, 2, 3], [4, 5, 6]], (4, 1, 1)) * metres
    np.testing.assert_allclose(table.xyz, expected, rtol=1e-6)


def test_a_negative_residual_nan_and_the_origin_are_markers_not_seen(tmp_path):
    def lose(points, residuals):
        residuals[0, 0, 1] = -1
        points[:3, 1, 2] = np.nan
        points[:3, 0, 3] = 0

    known = np.isfinite(read_c3d(written(tmp_path / "a.c3d", change=lose)).xyz).all(-1)
    np.testing.assert_array_equal(known, [[1, 1], [0, 1], [1, 0], [0, 1]])


def test_a_file_that_was_cut_keeps_its_times(tmp_path):
    table = read_c3d(written(tmp_path / "a.c3d", rate=50, first=100))
    np.testing.assert_allclose(table.time_s, [2.0, 2.02, 2.04, 2.06])


def test_a_rate_that_is_no_whole_number_stays(tmp_path):
    table = read_c3d(written(tmp_path / "a.c3d", rate=29.97))
    np.testing.assert_allclose(table.time_s[-1], 3 / 29.97, rtol=1e-6)


@pytest.mark.parametrize(("screen", "axes"), [(None, "z up"), ("+Z", "z up"), ("+Y", "y up")])
def test_up_is_z_unless_the_file_says_y(tmp_path, screen, axes):
    assert read_c3d(written(tmp_path / "a.c3d", screen=screen)).axes == axes


def test_what_is_wrong_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_c3d(tmp_path / "a.c3d")
    (tmp_path / "a.c3d").write_text("This is no C3D.\n" * 100)
    with pytest.raises(InputError, match="not a readable C3D"):
        read_c3d(tmp_path / "a.c3d")
    with pytest.raises(InputError, match="POINT:UNITS is 'furlong'"):
        read_c3d(written(tmp_path / "b.c3d", unit="furlong"))


def test_a_file_that_is_cut_off_is_told_and_not_read_in_part(tmp_path):
    """Four frames of two points are 4 * 2 * 4 floats; the library would give the first of them."""
    path = written(tmp_path / "a.c3d")
    whole = path.read_bytes()
    begins = 512 * (int.from_bytes(whole[16:18], "little") - 1)
    path.write_bytes(whole[: begins + 4 * 2 * 4 * 4])
    assert len(read_c3d(path).xyz) == 4
    path.write_bytes(whole[: begins + 4 * 2 * 4 * 4 - 1])
    with pytest.raises(InputError, match=r"cut off: it holds 3 of the 4 frames"):
        read_c3d(path)
    for length in (0, 1, 14, 511, 600, begins - 600):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"not a readable C3D: .*; get it anew"):
            read_c3d(path)


@pytest.mark.parametrize(
    ("name", "off", "value", "words"),
    [
        (b"LABELS", 0, 3, "type that cannot be"),
        (b"LABELS", 1, 200, "type that cannot be"),  # of 200 dimensions
        (b"LABELS", 2, 255, "size that cannot be"),  # letters
        (b"LABELS", -2, 1, "size that cannot be"),  # next begins inside of it
        (b"LABELS", -1, 200, "size that cannot be"),  # next begins after the file
        (b"FORMAT", 4, 140, "size that cannot be"),  # a description: the library reads for ever
        (b"GEN_SCALE", 35, 157, "size that cannot be"),  # a group: the library crashes
    ],
)
def test_a_parameter_that_cannot_be_is_told_before_the_library_sees_it(
    tmp_path, name, off, value, words, monkeypatch
):
    path = written(tmp_path / "a.c3d")
    data = bytearray(path.read_bytes())
    data[data.index(name) + len(name) + 2 + off] = value
    path.write_bytes(bytes(data))
    monkeypatch.setattr(ezc3d, "c3d", lambda _: pytest.fail("the library was asked"))
    with pytest.raises(InputError, match=words):
        read_c3d(path)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, 0, "another kind of file"),
        (1, 0, "another kind of file"),
        (515, 7, "its processor is number 7"),
        (17, 255, "its points begin outside of the file"),
    ],
)
def test_a_header_that_cannot_be_is_told(tmp_path, place, value, words):
    path = written(tmp_path / "a.c3d")
    data = bytearray(path.read_bytes())
    data[place] = value
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=words):
        read_c3d(path)


def test_a_missing_package_is_told_with_how_to_get_it(tmp_path, monkeypatch):
    path = written(tmp_path / "a.c3d")
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose3d\[c3d\]'"):
        read_c3d(path)
