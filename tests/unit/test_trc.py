from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.trc import read_trc
from tests.miniatures.folder import POSE2SIM, person_at, times, write_trc

HEAD = (
    "PathFileType\t4\t(X/Y/Z)\ta.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\n"
    "{rate}\t{rate}\t{rows}\t2\t{unit}\t{rate}\n"
    "Frame#\tTime\tA\t\t\tB\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n"
)


@pytest.fixture
def read(tmp_path):
    def from_rows(*rows, unit="mm", rate="100", said=None, blank="\n", encoding="utf-8"):
        head = HEAD.format(rate=rate, rows=len(rows) if said is None else said, unit=unit)
        path = tmp_path / "a.trc"
        path.write_text(head + blank + "".join(f"{row}\n" for row in rows), encoding=encoding)
        return read_trc(path)

    return from_rows


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("cm", 0.01), ("m", 1), ("MM", 0.001)])
def test_the_header_says_the_unit(read, unit, metres):
    table = read("1\t0.0\t1\t2\t3\t4\t5\t6", unit=unit)
    assert table.names == ("A", "B")
    assert table.axes == "y up"
    np.testing.assert_allclose(table.xyz, np.array([[[1, 2, 3], [4, 5, 6]]]) * metres)


@pytest.mark.parametrize("blank", ["", "\n", "\n\n"])
def test_the_blank_line_before_the_rows_may_be_missing(read, blank):
    assert len(read("1\t0.0\t1\t2\t3\t4\t5\t6", "2\t0.01\t1\t2\t3\t4\t5\t6", blank=blank).xyz) == 2


def test_empty_cells_nan_and_the_origin_are_markers_that_were_not_seen(read):
    table = read(
        "1\t0.00\t\t\t\t4\t5\t6",
        "2\t0.01\tNaN\tnan\tNaN\t4\t5\t6",
        "3\t0.02\t0.0\t0.0\t0.0\t4\t5\t6",
        "4\t0.03\t1\t2\t3",
        "5\t0.04\t0\t2\t0\t4\t5\t6\t\t",
        "6\t0.05\t1\t2\t3\t4",
    )
    known = np.isfinite(table.xyz).all(-1)
    np.testing.assert_array_equal(known, [[0, 1], [0, 1], [0, 1], [1, 0], [1, 1], [1, 0]])


def test_rounded_times_are_those_of_the_rate(read):
    rows = [f"{i + 1}\t{i / 60:.3f}\t1\t2\t3\t4\t5\t6" for i in range(20)]
    np.testing.assert_allclose(read(*rows, rate="60").time_s, np.arange(20) / 60, atol=1e-9)


def test_times_of_another_rate_than_the_header_says_stay(read):
    rows = [f"{i + 1}\t{i / 29.97:.5f}\t1\t2\t3\t4\t5\t6" for i in range(100)]
    np.testing.assert_allclose(read(*rows, rate="30").time_s, np.arange(100) / 29.97, atol=1e-5)


def test_a_missing_frame_leaves_a_gap_in_time(read):
    rows = [f"{frame}\t{(frame - 1) / 60:.3f}\t1\t2\t3\t4\t5\t6" for frame in (1, 5, 6)]
    table = read(*rows, rate="60")
    np.testing.assert_allclose(table.time_s, [0, 4 / 60, 5 / 60], atol=1e-9)


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path, read):
    read("1\t0.00\t1\t2\t3\t4\t5\t6", encoding="utf-8-sig")
    path = tmp_path / "a.trc"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_trc(path).xyz.shape == (1, 2, 3)


def test_fewer_rows_than_the_header_says_are_noted(read):
    (note,) = read("1\t0.00\t1\t2\t3\t4\t5\t6", said=9).notes
    assert "says 9 frames, but it has 1 rows" in note


@pytest.mark.parametrize(
    ("rows", "how", "words"),
    [
        (["1\t0,00\t1\t2\t3\t4\t5\t6"], {}, r"line 7: '0,00' is no number; write .* with a point"),
        (["1\t0.00\t1\t2\t3\t4\t5\tsix"], {}, r"line 7: 'six' is no number$"),
        (["1\t0.00\t1\t2\t3\t4\t5\t6\t7"], {}, r"line 7 has 9 cells, but .* make 8"),
        (["1\t0.00\t1\t2\t3\t4\t5\t6"], {"unit": "inches"}, r"Units in its header is 'inches'"),
        (["1\t\t1\t2\t3\t4\t5\t6"], {}, r"line 7: no time"),
        (
            ["1\t0.50\t1\t2\t3\t4\t5\t6", "2\t0.10\t1\t2\t3\t4\t5\t6"],
            {},
            r"line 8: time 0.1 after 0.5; they must rise",
        ),
        ([], {}, r"not a TRC|without a single row"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, rows, how, words):
    with pytest.raises(InputError, match=words):
        read(*rows, **how)


def test_another_file_is_no_trc(tmp_path):
    path = tmp_path / "a.trc"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match="not a TRC"):
        read_trc(path)
    with pytest.raises(InputError, match="no such file"):
        read_trc(tmp_path / "b.trc")


def test_a_file_as_pose2sim_writes_it(tmp_path):
    time_s = times(60, 0.2)
    table = read_trc(write_trc(tmp_path / "walk.trc", time_s, 60, end="\t"))
    assert table.names == tuple(POSE2SIM.values())
    left = table.xyz[:, table.names.index("LWrist")]
    np.testing.assert_allclose(left[0], (0.27, 0.9, 0.1), atol=1e-6)
    np.testing.assert_allclose(table.xyz[:, 0], person_at(time_s)[:, 0], atol=1e-6)
