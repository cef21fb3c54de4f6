"""TRC and C3D: joints as markers, read back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.errors import OutputError
from pose3d_cli.files.c3d import read_c3d
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.ground import ground_axes
from pose3d_cli.files.export.names import MARKERS
from pose3d_cli.files.export.track import rate_of, track_of
from pose3d_cli.files.export.zoo import c3d as c3d_file
from pose3d_cli.files.export.zoo.c3d import C3d
from pose3d_cli.files.export.zoo.trc import Trc, write_trc
from pose3d_cli.files.trc import read_trc
from pose3d_cli.pipeline.exports import write_exports
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pose.skeleton import H36M17
from tests.disk import no_file_longer_than
from tests.rigs import result_of, walking_round

OPTIONS = ExportOptions()
NEAR_M = 1e-5
UNEVEN = 1 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.12, 40))


def holed(n_frames=40):
    """Return somebody of whom one joint is lost at times, and everything for a while."""
    xyz = walking_round(n_frames)
    xyz[5:9, 3] = np.nan
    xyz[-1, 16] = np.nan
    xyz[20:25] = np.nan
    return xyz


def world(result, person=0):
    return track_of(result, result.people[person]).xyz


def same(found, expected, atol=NEAR_M):
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def test_a_trc_comes_back_within_a_hundredth_of_a_millimetre(tmp_path):
    result = result_of({4: holed()}, time_s=UNEVEN)
    exported = Trc().write(result, tmp_path / "clip", OPTIONS)
    [path] = exported.files
    found = read_trc(path)
    assert found.names == tuple(MARKERS[joint] for joint in H36M17.joints)
    assert {"Hip", "RHip", "LKnee", "RAnkle", "Neck", "Head", "LWrist"} <= set(found.names)
    assert (found.axes, found.metres, found.notes) == ("y up", 1.0, ())
    same(found.xyz, world(result)[..., [1, 2, 0]])
    np.testing.assert_allclose(found.time_s, UNEVEN, atol=1e-6)
    assert exported.notes == (
        "person 4: in 10 of 40 frames joints have no place; gaps are left open",
    )


def test_the_ground_of_opensim_is_the_world_turned_and_not_mirrored():
    x_right, y_away, z_up = np.eye(3)
    forward, up, right = np.eye(3)
    assert ground_axes(y_away).tolist() == forward.tolist()
    assert ground_axes(z_up).tolist() == up.tolist()
    assert ground_axes(x_right).tolist() == right.tolist()


def test_the_text_of_a_trc_is_what_opensim_needs(tmp_path):
    [path] = Trc().write(result_of({0: holed()}, fps=29.97), tmp_path / "a b", OPTIONS).files
    lines = path.read_text().split("\n")
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\ta b_person0.trc"
    header = dict(zip(*(line.split("\t") for line in lines[1:3]), strict=True))
    assert (header["NumFrames"], header["NumMarkers"]) == ("40", "17")
    assert (header["Units"], header["DataRate"]) == ("m", "29.97")
    rows = [line.split("\t") for line in lines[6:] if line]
    assert len(rows) == 40
    assert {len(row) for row in rows} == {2 + 3 * 17}
    assert all(cell.strip() for row in rows for cell in row)
    assert rows[-1][-3 * 1 :] == ["NaN"] * 3


def test_somebody_who_comes_late_keeps_their_times_and_frame_numbers(tmp_path):
    late = np.arange(10, 22)
    result = result_of({0: walking_round(12)}, rows={0: late})
    [path] = Trc().write(result, tmp_path / "clip", OPTIONS).files
    rows = [line.split("\t") for line in path.read_text().split("\n")[6:] if line]
    assert [int(row[0]) for row in rows] == (late + 1).tolist()
    np.testing.assert_allclose([float(row[1]) for row in rows], late / 30, atol=1e-6)


@pytest.mark.parametrize("names", [["a", "a"], ["a", "b\tc"], ["a", ""]])
def test_names_that_a_reader_would_take_for_others_are_refused(tmp_path, names):
    result = result_of({0: walking_round(3)})
    track = track_of(result, result.people[0])
    track = replace(track, xyz=track.xyz[:, :2])
    with pytest.raises(ValueError, match="must differ"):
        write_trc(tmp_path / "a.trc", track, names, 30.0, track.row)


def test_a_rate_nobody_told_is_that_of_the_frames():
    result = result_of({0: walking_round(5)}, fps=25.0)
    assert rate_of(result) == 25
    assert rate_of(replace(result, meta={})) == pytest.approx(25)
    assert rate_of(result_of({0: walking_round(1)}, fps=np.nan)) == 30


@pytest.fixture
def ezc3d():
    return pytest.importorskip("ezc3d")


def test_a_c3d_comes_back_within_a_hundredth_of_a_millimetre(ezc3d, tmp_path):
    result = result_of({4: holed(), 9: walking_round(40)}, fps=30000 / 1001)
    exported = C3d().write(result, tmp_path / "мой клип", OPTIONS)
    assert [path.name for path in exported.files] == [
        "мой клип_person4.c3d", "мой клип_person9.c3d",
    ]  # fmt: skip
    for place, path in enumerate(exported.files):
        found = read_c3d(path)
        assert found.names == tuple(MARKERS[joint] for joint in H36M17.joints)
        assert (found.axes, found.metres) == ("z up", 0.001)
        same(found.xyz, world(result, place))
        np.testing.assert_allclose(found.time_s, np.arange(40) * 1001 / 30000, atol=1e-6)
    assert exported.notes == (
        "person 4: in 10 of 40 frames joints have no place; gaps are left open",
    )


def test_the_parameters_of_a_c3d_say_what_is_in_it(ezc3d, tmp_path):
    [path] = C3d().write(result_of({0: holed()}, fps=29.97), tmp_path / "a", OPTIONS).files
    file = ezc3d.c3d(str(path))
    point = file["parameters"]["POINT"]
    assert point["RATE"]["value"][0] == pytest.approx(29.97, abs=1e-5)
    assert point["SCALE"]["value"][0] < 0  # floats
    told = {"UNITS": "mm", "X_SCREEN": "+X", "Y_SCREEN": "+Z"}
    assert {key: point[key]["value"][0] for key in told} == told
    residual = file["data"]["meta_points"]["residuals"][0].T
    np.testing.assert_array_equal(residual == -1, np.isnan(world(result_of({0: holed()}))[..., 0]))


def test_uneven_frames_become_even_ones_for_c3d_and_it_is_told(ezc3d, tmp_path):
    still = np.repeat(walking_round(1), 40, axis=0)
    drift = (UNEVEN - UNEVEN[0])[:, None, None] * np.array([1.0, 0, 0])
    result = result_of({0: still + drift}, time_s=UNEVEN)
    exported = C3d().write(result, tmp_path / "a", replace(OPTIONS, fps=20.0))
    assert exported.notes == ("person 0: resampled to an even 20 frames a second for C3D",)
    found = read_c3d(exported.files[0])
    steps = np.diff(found.xyz[:, 0, 0])
    np.testing.assert_allclose(steps, 1 / 20, atol=1e-5)
    assert abs(found.time_s[-1] - (UNEVEN[-1] - UNEVEN[0])) <= 1 / 20


def test_frames_of_who_comes_late_count_from_where_the_clip_begins(ezc3d, tmp_path):
    result = result_of({0: walking_round(12)}, rows={0: np.arange(10, 22)})
    [path] = C3d().write(result, tmp_path / "a", OPTIONS).files
    np.testing.assert_allclose(read_c3d(path).time_s, np.arange(10, 22) / 30, atol=1e-6)


def test_a_long_clip_goes_on_in_a_second_part(ezc3d, tmp_path, monkeypatch):
    monkeypatch.setattr(c3d_file, "MOST_FRAMES", 10)
    people = {0: walking_round(25), 1: walking_round(5)}
    result = result_of(people, rows={0: np.arange(25), 1: np.arange(12, 17)})
    exported = C3d().write(result, tmp_path / "a", OPTIONS)
    assert [path.name for path in exported.files] == [
        "a_person0.c3d", "a_person0_part2.c3d", "a_person0_part3.c3d", "a_person1_part2.c3d",
    ]  # fmt: skip
    again = np.concatenate([read_c3d(path).xyz for path in exported.files[:3]])
    same(again, world(result))
    np.testing.assert_allclose(read_c3d(exported.files[3]).time_s, np.arange(2, 7) / 30, atol=1e-6)
    assert exported.notes[0] == (
        "person 0: a C3D holds 10 frames; those from 0.333 s of the clip on are in "
        "a_person0_part2.c3d"
    )


def test_parts_of_an_earlier_run_go(ezc3d, tmp_path, monkeypatch):
    monkeypatch.setattr(c3d_file, "MOST_FRAMES", 10)
    own = tmp_path / "a_person0_part2_mine.c3d"
    own.touch()
    write_exports("c3d", result_of({0: walking_round(25)}), tmp_path / "a", Silent())
    assert len(list(tmp_path.iterdir())) == 4
    write_exports("c3d", result_of({0: walking_round(8)}), tmp_path / "a", Silent())
    assert {path.name for path in tmp_path.iterdir()} == {"a_person0.c3d", own.name}


def test_a_part_as_long_as_can_be_is_read_back_whole(ezc3d, tmp_path):
    n_frames = c3d_file.MOST_FRAMES + 3
    xyz = np.repeat(walking_round(1), n_frames, axis=0)
    result = result_of({0: xyz + np.arange(n_frames)[:, None, None] * 1e-4})
    first, second = C3d().write(result, tmp_path / "a", OPTIONS).files
    assert len(read_c3d(first).xyz) == c3d_file.MOST_FRAMES
    found = np.concatenate([read_c3d(first).xyz, read_c3d(second).xyz])
    same(found, world(result))


def test_a_full_disk_is_told_though_the_library_does_not_notice(ezc3d, tmp_path):
    result = result_of({0: walking_round(400)})
    with no_file_longer_than(50_000), pytest.raises(OutputError, match="disk is full"):
        C3d().write(result, tmp_path / "a", OPTIONS)
    assert not list(tmp_path.iterdir())
