from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.joint_table import read_joint_table
from tests.miniatures.folder import person_at, times, write_tidy

TIDY = "time_s,joint,x,y,z\n0,a,1,2,3\n0,b,4,5,6\n0.5,a,7,8,9\n0.5,b,,nan,\n"
WIDE = "frame,a_x,a_y,a_z,b_x,b_y,b_z\n0,1,2,3,4,5,6\n2,7,8,9,,NaN,\n"
XYZ = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [np.nan, np.nan, np.nan]]]


@pytest.fixture
def read(tmp_path):
    def from_text(text, **how):
        path = tmp_path / "a.csv"
        path.write_text(text, **how)
        return read_joint_table(path)

    return from_text


def test_a_row_a_joint_and_frame(read):
    table = read(TIDY)
    assert table.names == ("a", "b")
    assert table.frame is None
    assert table.axes == "as given"
    np.testing.assert_allclose(table.time_s, [0, 0.5])
    np.testing.assert_allclose(table.xyz, XYZ)


def test_a_row_a_frame(read):
    table = read(WIDE)
    assert table.names == ("a", "b")
    assert table.time_s is None
    np.testing.assert_array_equal(table.frame, [0, 2])
    np.testing.assert_allclose(table.xyz, XYZ)


def test_rows_of_a_tidy_table_may_stand_in_any_order(read):
    head, *rows = TIDY.splitlines()
    np.testing.assert_allclose(read("\n".join([head, *rows[::-1]])).xyz[:, ::-1], XYZ)


@pytest.mark.parametrize("change", [(",", ";"), (",", "\t"), ("\n", "\r\n"), ("\n", ",,\n")])
@pytest.mark.parametrize("text", [TIDY, WIDE])
def test_other_separators_line_ends_and_trailing_cells_do_not_matter(read, text, change):
    old, new = change
    table = read(text.replace(old, new), newline="")
    np.testing.assert_allclose(table.xyz, XYZ)


def test_a_byte_order_mark_and_capitals_do_not_matter(read):
    text = TIDY.replace("time_s,joint,x,y,z", "Time,Joint,X,Y,Z")
    np.testing.assert_allclose(read(text, encoding="utf-8-sig").xyz, XYZ)


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("cm", 0.01), ("m", 1)])
def test_columns_say_their_unit(read, unit, metres):
    tidy = read(TIDY.replace("x,y,z", f"x_{unit},y_{unit},z_{unit}"))
    wide = read(
        WIDE.replace("_x", f"_x_{unit}")
        .replace("_y", f"_y_{unit}")
        .replace("_z,", f"_z_{unit},")
        .replace("_z\n", f"_z_{unit}\n")
    )
    for table in (tidy, wide):
        np.testing.assert_allclose(table.xyz, np.array(XYZ) * metres)


def test_names_and_axes_of_wide_columns_may_be_parted_in_other_ways(read):
    text = "time_s,LKnee.X,LKnee.Y,LKnee.Z,RHipX,RHipY,RHipZ,index,b_x\n0,1,2,3,4,5,6,7,8\n"
    table = read(text)
    assert table.names == ("LKnee", "RHip")
    np.testing.assert_allclose(table.xyz, [[[1, 2, 3], [4, 5, 6]]])


def test_times_go_before_frame_numbers(read):
    table = read("frame,time_s,a_x,a_y,a_z\n0,0.25,1,2,3\n")
    assert table.frame is None
    np.testing.assert_allclose(table.time_s, [0.25])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("joint,x,y,z\na,1,2,3\n", "no column time_s or frame; found joint, x, y, z"),
        ("time_s,p,q\n0,1,2\n", "neither a column joint .* found time_s, p, q"),
        ("time_s,joint,x,y\n0,a,1,2\n", "lacks some of x, y, z"),
        ("time_s,joint,x,y,z\n0,a,1,2,3\n0,a,1,2,3\n", "line 3: a for the second time"),
        ("time_s,joint,x,y,z\n,a,1,2,3\n", "line 2: no time_s"),
        ("time_s,joint,x,y,z\n0,a,1,two,3\n", "line 2: 'two' is no number"),
        ("time_s;joint;x;y;z\n0;a;1,5;2;3\n", "line 2: '1,5' is no number; write .* with a point"),
        ("time_s,joint,x,y,z\n0,a,1,5,2,0,3,0\n", "line 2 has 8 cells, the first line 5; .*commas"),
        ("time_s,a_x,a_y,a_z\n1,1,2,3\n0,1,2,3\n", "line 3: time_s 0 after 1; they must rise"),
        ("frame,a_x,a_y,a_z\n0.5,1,2,3\n", "frame must be whole numbers"),
        ("time_s,a_x,a_x,a_z\n0,1,2,3\n", "more than one column is called a_x"),
        ("time_s,a_x_mm,a_y_m,a_z\n0,1,2,3\n", "columns are in m and mm; choose one"),
        ("time_s,person,joint,x,y,z\n0,0,a,1,2,3\n0,1,a,1,2,3\n", "holds the people 0, 1"),
        (
            "frame,time_s,person,joint,x,y,z,x_root,u_px,v_px\n",
            "is an answer and no truth|single row",
        ),
        ("time_s,joint,x,y,z\n", "without a single row"),
        ("", "without a single row"),
    ],
)
def test_what_is_wrong_is_told(read, text, words):
    with pytest.raises(InputError, match=words):
        read(text)


def test_our_own_results_are_no_truth(read):
    with pytest.raises(InputError, match="an answer and no truth"):
        read("frame,time_s,person,joint,x,y,z,x_root,u_px,v_px\n0,0,0,nose,1,2,3,4,5,6\n")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_joint_table(tmp_path / "a.csv")


def test_a_whole_person_comes_back(tmp_path):
    time_s = times(50, 0.1)
    table = read_joint_table(write_tidy(tmp_path / "walk.csv", time_s))
    np.testing.assert_allclose(table.xyz, person_at(time_s), atol=1e-6)
