from __future__ import annotations

import csv
import json
import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pytest

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files.results import (
    META_KEYS,
    ClipResult,
    PersonResult,
    read_result,
    write_result,
)
from pose3d_cli.files.tables import COLUMNS, write_csv
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import World, rotation_with_up

META = dict.fromkeys(META_KEYS, "known") | {"fps": 30000 / 1001}


def make_result(n_people: int = 2, n_frames: int = 3) -> ClipResult:
    """Return people of whom the last is absent in the first frame, with one joint unseen."""
    random = np.random.default_rng(0)

    def draw(rows, *channels: int):
        return random.normal(0, 1, (len(rows), len(H36M17.joints), *channels)).astype(np.float32)

    def make_person(place: int) -> PersonResult:
        rows = np.arange(int(n_people > 1 and place == n_people - 1), n_frames)
        keypoints_px, score = 100 * draw(rows, 2), np.abs(draw(rows))
        keypoints_px[rows == 1, 3], score[rows == 1, 3] = np.nan, 0
        return PersonResult(
            person=place * 5,
            rows=rows,
            xyz_camera=draw(rows, 3) + np.float32([0, 0, 5]),
            xyz_root=draw(rows, 3),
            keypoints_px=keypoints_px,
            score=score,
        )

    return ClipResult(
        people=[make_person(place) for place in range(n_people)],
        time_s=np.array([0.1, 0.1333333, 0.2])[:n_frames],
        frame=np.array([3, 4, 6])[:n_frames],
        joint_names=H36M17.joints,
        parents=H36M17.parent_index,
        meta=META,
    )


def assert_same(new, old, names):
    for name in names:
        np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
        assert np.asarray(getattr(new, name)).dtype == np.asarray(getattr(old, name)).dtype


@pytest.mark.parametrize(("n_people", "n_frames"), [(2, 3), (1, 1), (0, 3)])
def test_a_result_comes_back_as_it_was(tmp_path, n_people, n_frames):
    result = make_result(n_people, n_frames)
    write_result(tmp_path / "clip.npz", result)
    again = read_result(tmp_path / "clip.npz")
    assert len(again.people) == n_people
    for new, old in zip(again.people, result.people, strict=True):
        assert_same(new, old, [field.name for field in fields(PersonResult)])
    assert_same(again, result, ["time_s", "frame", "joint_names", "parents"])
    assert again.meta["fps"] == META["fps"]


TILTED = World(
    rotation=rotation_with_up(np.array([0.1, -0.8, -0.3])),
    camera_m=np.array([0.0, 0.0, 1.4]),
    up="feet of 2 people",
    up_sure_deg=1.5,
    floor="feet of 2 people",
)


def test_the_world_comes_back_with_how_it_was_found(tmp_path):
    write_result(tmp_path / "clip.npz", replace(make_result(), world=TILTED))
    again = read_result(tmp_path / "clip.npz").world
    np.testing.assert_allclose(again.camera_to_world, TILTED.camera_to_world, atol=1e-12)
    assert (again.up, again.up_sure_deg, again.floor) == (TILTED.up, 1.5, TILTED.floor)
    assert np.isnan(again.floor_sure_m)


def test_places_in_the_world_are_those_of_the_camera_turned_and_lifted(tmp_path):
    write_result(tmp_path / "clip.npz", replace(make_result(), world=TILTED))
    with np.load(tmp_path / "clip.npz") as file:
        camera, world, matrix = (file[n] for n in ("xyz_camera", "xyz_world", "camera_to_world"))
        told = json.loads(str(file["meta"]))["world"]
    expected = camera @ matrix[:3, :3].T.astype(np.float32) + matrix[:3, 3].astype(np.float32)
    np.testing.assert_allclose(world, expected, atol=1e-5)
    assert told["floor_sure_m"] is None
    assert told["up_sure_deg"] == 1.5


def test_a_result_of_the_first_format_is_read_with_a_level_camera(tmp_path):
    path = doctor(
        tmp_path / "clip.npz",
        camera_to_world=None,
        xyz_world=None,
        meta=np.array(json.dumps({**META, "format": "pose3d-result/1"})),
    )
    world = read_result(path).world
    assert world.up.startswith("assumed")
    np.testing.assert_array_equal(world.from_camera(np.array([1.0, 2.0, 3.0])), [1, 3, -2])


def test_the_file_has_a_place_for_everybody_in_every_frame(tmp_path):
    result = make_result()
    write_result(tmp_path / "clip.npz", result)
    with np.load(tmp_path / "clip.npz") as file:
        arrays = {name: file[name] for name in ("xyz_camera", "xyz_root", "keypoints_px", "score")}
        assert file["person_id"].tolist() == [0, 5]
    first, last = result.people
    for name, values in arrays.items():
        assert values.shape[:3] == (2, 3, 17)
        np.testing.assert_array_equal(values[0], getattr(first, name))
        np.testing.assert_array_equal(values[1, 1:], getattr(last, name))
        absent = values[1, 0]
        assert np.all(absent == 0) if name == "score" else np.isnan(absent).all()


def test_memory_grows_with_the_frames_people_are_in_not_with_all_frames(tmp_path):
    """A hundred people, each there for one of 3,000 frames, laid out take 180 MB."""
    one = make_result(1, 1).people[0]
    result = replace(
        make_result(1, 1),
        people=[replace(one, person=i, rows=np.array([i * 30])) for i in range(100)],
        time_s=np.arange(3000) / 25,
        frame=np.arange(3000),
    )
    tracemalloc.start()
    write_result(tmp_path / "clip.npz", result)
    write_csv(tmp_path / "clip.csv", result)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


def test_the_file_opens_without_us(tmp_path):
    write_result(tmp_path / "clip.npz", make_result())
    with np.load(tmp_path / "clip.npz", allow_pickle=False) as file:
        assert set(file) == {
            "xyz_world", "xyz_camera", "xyz_root", "camera_to_world", "keypoints_px", "score",
            "time_s", "frame", "joint_names", "parents", "person_id", "meta",
        }  # fmt: skip
        meta = json.loads(str(file["meta"]))
        assert file["xyz_camera"].dtype == np.float32
    assert meta["format"] == "pose3d-result/2"
    assert meta["units"].startswith("metres")
    assert "x right, y down, z forward" in meta["axes"]
    assert set(META_KEYS) <= set(meta)


@pytest.mark.parametrize("key", META_KEYS)
def test_a_result_that_does_not_say_how_it_was_made_is_not_written(tmp_path, key):
    meta = {k: v for k, v in META.items() if k != key}
    with pytest.raises(ValueError, match=f"meta lacks {key}"):
        write_result(tmp_path / "clip.npz", replace(make_result(), meta=meta))
    assert not list(tmp_path.iterdir())


def doctor(path, **changes):
    """Write a result with some of its arrays replaced, or left out where None."""
    write_result(path, make_result())
    with np.load(path, allow_pickle=False) as file:
        arrays = {**file, **changes}
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"score": np.zeros((2, 3, 16))}, r"score has shape \(2, 3, 16\); expected \(2, 3, 17\)"),
        ({"xyz_root": np.zeros((1, 3, 17, 3))}, "xyz_root has shape"),
        ({"time_s": np.zeros(2)}, r"time_s has shape \(2,\); expected \(3,\)"),
        ({"time_s": np.array([0.3, 0.2, 0.1])}, "frames and times must rise"),
        ({"frame": np.array([3, 3, 6])}, "frames and times must rise"),
        ({"parents": np.zeros(16, np.int64)}, "parents has shape"),
        ({"frame": np.array(3)}, r"of unsized object"),
        ({"camera_to_world": np.eye(3)}, r"camera_to_world has shape"),
        ({"camera_to_world": None}, r"pose3d-result/2 without camera_to_world"),
        ({"meta": np.array('{"format": "pose3d-result/2"}')}, r"do not fit: 'world'"),
        ({"xyz_root": None}, r"pose3d-result/2 without xyz_root; damaged\?"),
        ({"score": np.array([{}], object)}, r"not a readable \.npz"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_bad_input(tmp_path, change, text):
    with pytest.raises(InputError, match=rf"clip\.npz: .*{text}"):
        read_result(doctor(tmp_path / "clip.npz", **change))


def test_files_that_are_not_ours_are_refused(tmp_path):
    path = tmp_path / "clip.npz"
    with pytest.raises(InputError, match=r"clip\.npz: no such file"):
        read_result(path)
    path.write_text("frame,x,y,z")
    with pytest.raises(InputError, match=r"not a readable \.npz"):
        read_result(path)
    np.savez(path, poses=np.zeros(3))
    with pytest.raises(InputError, match="not written by pose3d"):
        read_result(path)
    np.savez(path, meta=np.array("no json"))
    with pytest.raises(InputError, match="`meta` is no JSON"):
        read_result(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="a single array"):
        read_result(path)


def test_a_missing_folder_is_an_output_error_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError):
        write_result(tmp_path / "absent" / "clip.npz", make_result())
    with pytest.raises(OutputError):
        write_csv(tmp_path / "absent" / "clip.csv", make_result())
    assert not list(tmp_path.iterdir())


def test_who_is_present_is_told_with_their_own_row():
    result = make_result()
    told = [[(who.person, own) for who, own in result.present(row)] for row in range(3)]
    assert told == [[(0, 0)], [(0, 1), (5, 0)], [(0, 2), (5, 1)]]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_a_joint_person_and_frame(tmp_path):
    result = make_result()
    write_csv(tmp_path / "clip.csv", result)
    rows = rows_of(tmp_path / "clip.csv")
    assert tuple(rows[0]) == COLUMNS
    # Three frames of one person and two of the other.
    assert len(rows) == 5 * len(H36M17.joints)
    assert {(row["frame"], row["person"]) for row in rows} == {
        ("3", "0"), ("4", "0"), ("4", "5"), ("6", "0"), ("6", "5"),
    }  # fmt: skip


def test_the_table_says_what_the_arrays_say(tmp_path):
    result = replace(make_result(), world=TILTED)
    write_csv(tmp_path / "clip.csv", result)
    [row] = [
        row
        for row in rows_of(tmp_path / "clip.csv")
        if (row["frame"], row["person"], row["joint"]) == ("6", "5", "left_knee")
    ]
    place = 1, H36M17.index("left_knee")  # this person's second frame is the clip's third
    person = result.people[1]
    expected = {
        f"{axis}_{frame}_m": xyz[place][i]
        for frame, xyz in {
            "world": result.world.from_camera(person.xyz_camera),
            "camera": person.xyz_camera,
            "root": person.xyz_root,
        }.items()
        for i, axis in enumerate("xyz")
    }
    for column, value in expected.items():
        assert float(row[column]) == pytest.approx(value, abs=1e-5)
    assert float(row["u_px"]) == pytest.approx(person.keypoints_px[place][0], abs=0.01)
    assert float(row["v_px"]) == pytest.approx(person.keypoints_px[place][1], abs=0.01)
    assert float(row["score"]) == pytest.approx(person.score[place], abs=1e-4)
    assert float(row["time_s"]) == pytest.approx(0.2)


def test_what_is_unknown_is_an_empty_cell(tmp_path):
    write_csv(tmp_path / "clip.csv", make_result())
    unseen = [
        row
        for row in rows_of(tmp_path / "clip.csv")
        if row["frame"] == "4" and row["joint"] == H36M17.joints[3]
    ]
    assert len(unseen) == 2
    for row in unseen:
        assert (row["u_px"], row["v_px"]) == ("", "")
        assert float(row["score"]) == 0
        assert row["x_world_m"]
    assert "nan" not in (tmp_path / "clip.csv").read_text()
