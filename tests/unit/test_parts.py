"""Long clips lifted in parts: their files, what is readable when, what goes with the next run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.errors import InputError, NobodyFoundError
from pose3d_cli.files.keypoints import read_keypoints
from pose3d_cli.files.results import read_result
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.info import describe_file
from pose3d_cli.pipeline.provenance import holds_results, part_folders
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.resume import made_with, standing
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.summary import with_still
from pose3d_cli.pipeline.view import view
from tests.actors import Actors, film, keypoint_file

SECONDS = 20
PART = 60
FILES = ["a.csv", "a.npz", "a_keypoints.npz"]


def script(frame):
    """One throughout, one round the first boundary; nobody else."""
    return {"a": 50.0} | ({"b": 140.0} if 40 <= frame < 85 else {})


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return film(tmp_path_factory.mktemp("film") / "a.mp4", SECONDS)


@pytest.fixture
def settings(tiny_weights):
    return LiftSettings(weights=str(tiny_weights), render="off", part_minutes=0.1)


def lift(clip, folder, settings, reporter=None, *, acts=script):
    lifter = ClipLifter(settings)
    if not settings.from_2d:
        lifter.detector = Actors(acts)
    return lifter.lift(clip, folder / "a_pose3d", reporter or Silent())


def contents(folder):
    """Every file below a folder but the record, with its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def names(folder):
    return sorted(contents(folder))


def joined(folder, key):
    """What the parts of a clip hold of each person, one after another; NaN where they are not."""
    parts = [np.load(part / "a.npz") for part in part_folders(folder)]
    people = sorted({int(n) for part in parts for n in part["person_id"]})
    rows = {person: [] for person in people}
    for part in parts:
        there = part["person_id"].tolist()
        for person in people:
            nobody = np.full(part[key].shape[1:], np.nan)
            rows[person].append(part[key][there.index(person)] if person in there else nobody)
    return {person: np.concatenate(each) for person, each in rows.items()}


def test_a_long_clip_has_the_files_of_each_part(clip, tmp_path, settings):
    report = lift(clip, tmp_path, settings)
    folder = tmp_path / "a_pose3d"
    assert names(folder) == [f"part_00{n}/{name}" for n in (1, 2, 3) for name in FILES]
    assert (report.people, report.frames, report.folder) == (2, 200, folder)
    record = json.loads((folder / "run.json").read_text())
    assert record["files"] == {name: len(data) for name, data in contents(folder).items()}
    assert [part["frames"] for part in record["parts"]] == [60, 60, 80]
    assert [part["people"] for part in record["parts"]] == [[0, 1], [0, 1], [0]]
    assert [part["start_s"] for part in record["parts"]] == [0, 6, 12]
    results = [read_result(folder / f"part_00{n}" / "a.npz") for n in (1, 2, 3)]
    assert np.concatenate([result.frame for result in results]).tolist() == list(range(200))
    np.testing.assert_allclose(np.concatenate([r.time_s for r in results]), np.arange(200) / 10)
    assert [r.meta["part"] for r in results] == [
        {"number": 1, "is_last": False},
        {"number": 2, "is_last": False},
        {"number": 3, "is_last": True},
    ]
    table = (folder / "part_002" / "a.csv").read_text().splitlines()
    assert table[1].startswith("60,6.000000,0,pelvis,")


def test_parts_are_as_the_whole_and_nothing_jumps_where_they_meet(clip, tmp_path, settings):
    settings = replace(settings, weights="dualstream-xs-27", mirror=False)
    lift(clip, tmp_path / "parts", settings)
    lift(clip, tmp_path / "whole", replace(settings, part_minutes=0.0))
    whole = np.load(tmp_path / "whole" / "a_pose3d" / "a.npz")
    for key, allowed in (("keypoints_px", 0), ("score", 0), ("xyz_root", 0.03)):
        parts = joined(tmp_path / "parts" / "a_pose3d", key)
        assert list(parts) == whole["person_id"].tolist() == [0, 1]
        for person, found in parts.items():
            expected = whole[key][person]
            if key == "score":
                found = np.nan_to_num(found)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            np.testing.assert_allclose(found, expected, atol=allowed)
    for person, found in joined(tmp_path / "parts" / "a_pose3d", "xyz_camera").items():
        steps = np.linalg.norm(np.diff(found, axis=0), axis=-1).mean(-1)
        expected = np.linalg.norm(np.diff(whole["xyz_camera"][person], axis=0), axis=-1).mean(-1)
        at = [PART - 1, 2 * PART - 1]
        np.testing.assert_allclose(steps[at], expected[at], atol=0.01)


@pytest.mark.parametrize("part_minutes", [10.0, 0.25])
def test_a_clip_of_one_part_has_the_bytes_of_the_whole(clip, tmp_path, settings, part_minutes):
    lift(clip, tmp_path / "one", replace(settings, part_minutes=part_minutes))
    lift(clip, tmp_path / "whole", replace(settings, part_minutes=0.0))
    one, whole = (contents(tmp_path / name / "a_pose3d") for name in ("one", "whole"))
    assert sorted(whole) == FILES
    assert one == whole


def test_videos_of_parts_show_their_own_frames(clip, tmp_path, settings):
    import cv2

    drawn = replace(settings, render="side-by-side", start=1.0)
    report = lift(clip, tmp_path, drawn)
    videos = [path for kind, path in report.outputs.items() if kind.endswith("/video")]
    lengths = [int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)) for path in videos]
    assert lengths == [60, 60, 70]


class Stopped(BaseException):
    pass


class Stopper(Silent):
    """Stops the run while it looks at the second part, having read what there is of the first."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.n_lifts = folder, 0

    def stage(self, name, total):
        self.n_lifts += name == "lift"
        if self.n_lifts == 2:
            assert len(read_result(self.folder / "part_001" / "a.npz").people) == 2
            assert len(read_keypoints(self.folder / "part_001" / "a_keypoints.npz")) == 2
            assert describe_file(self.folder)["parts"] == {"part_001": FILES}
            raise Stopped


def test_the_first_part_is_readable_while_the_second_is_worked_on(clip, tmp_path, settings):
    folder = tmp_path / "a_pose3d"
    with pytest.raises(Stopped):
        lift(clip, tmp_path, settings, Stopper(folder))
    assert names(folder) == [f"part_001/{name}" for name in FILES]
    assert holds_results(folder)  # no folder of clips, whatever lies in it
    assert standing(clip, folder, made_with(settings)).state == "new"
    # Given again, all is done anew.
    lift(clip, tmp_path, settings)
    lift(clip, tmp_path / "other", settings)
    assert contents(folder) == contents(tmp_path / "other" / "a_pose3d")


def test_what_is_done_is_kept(clip, tmp_path, settings):
    lift(clip, tmp_path, settings)
    folder = tmp_path / "a_pose3d"
    found = standing(clip, folder, made_with(settings))
    assert found.state == "done"
    assert found.report.folder == folder
    assert len(found.report.outputs) == 10
    assert all(path.is_file() for path in found.report.outputs.values())
    (folder / "part_002" / "a.csv").unlink()
    why = standing(clip, folder, made_with(settings)).why
    assert why == "files are missing or changed: part_002/a.csv"
    other = replace(settings, part_minutes=0.2)
    assert standing(clip, folder, made_with(other)).why == "other settings: part_minutes"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"end": 12.0}, [f"part_00{n}/{name}" for n in (1, 2) for name in FILES]),
        ({"end": 5.0}, FILES),
        ({"part_minutes": 0.0}, FILES),
    ],
)
def test_parts_of_an_earlier_longer_run_are_gone(clip, tmp_path, settings, change, expected):
    lift(clip, tmp_path, settings)
    (tmp_path / "a_pose3d" / "part_003" / ".a.0123456789ab.npz").write_text("half")
    (tmp_path / "a_pose3d" / "part_001" / "notes.txt").write_text("mine")
    lift(clip, tmp_path, replace(settings, **change))
    assert names(tmp_path / "a_pose3d") == sorted([*expected, "part_001/notes.txt"])
    assert not (tmp_path / "a_pose3d" / "part_003").exists()


def test_a_whole_result_is_gone_when_its_clip_is_done_in_parts(clip, tmp_path, settings):
    lift(clip, tmp_path, replace(settings, part_minutes=0.0))
    lift(clip, tmp_path, settings)
    assert names(tmp_path / "a_pose3d") == [
        f"part_00{n}/{name}" for n in (1, 2, 3) for name in FILES
    ]


def late(frame):
    return {"a": 50.0} if frame >= 130 else {}


def test_a_part_may_show_nobody(clip, tmp_path, settings):
    drawn = replace(settings, render="side-by-side")
    report = lift(clip, tmp_path, drawn, acts=late)
    folder = tmp_path / "a_pose3d"
    files = ["a.csv", "a.mp4", "a.npz", "a.png"]
    assert sorted(path.name for path in (folder / "part_001").iterdir()) == files
    assert list(read_result(folder / "part_001" / "a.npz").people) == []
    assert report.people == 1
    assert report.keypoints == folder / "part_003" / "a_keypoints.npz"
    assert with_still(report).still.startswith(b"\xff\xd8")


@pytest.mark.parametrize("render", ["off", "side-by-side"])
def test_a_long_clip_of_nobody_leaves_nothing(clip, tmp_path, settings, render):
    with pytest.raises(NobodyFoundError, match=r"nobody was found in 200 frames by actors"):
        lift(clip, tmp_path, replace(settings, render=render), acts=lambda _: {})
    assert list(tmp_path.iterdir()) == []


def test_people_are_chosen_in_each_part(clip, tmp_path, settings):
    told = Silent()
    report = lift(clip, tmp_path, replace(settings, person="largest"), told)
    assert report.people == 1
    assert any("choose in each of them anew" in warning for warning in told.warnings)
    assert any("choose in each of them anew" in warning for warning in report.warnings)
    second = lift(clip, tmp_path, replace(settings, person="1"))
    record = json.loads(second.outputs["run"].read_text())
    assert [part["people"] for part in record["parts"]] == [[1], [1], []]
    with pytest.raises(NobodyFoundError, match=r"--person 7: not in this clip. Found: 0, 1."):
        lift(clip, tmp_path / "no", replace(settings, person="7"))
    assert not (tmp_path / "no").exists()


def test_ready_keypoints_are_cut_into_parts_too(clip, tmp_path, settings):
    points = keypoint_file(tmp_path / "points.npz", script, SECONDS * 10)
    ready = replace(settings, from_2d=str(points))
    lift(clip, tmp_path, ready)
    folder = tmp_path / "a_pose3d"
    assert names(folder) == [f"part_00{n}/{name}" for n in (1, 2, 3) for name in FILES]
    rows = joined(folder, "score")
    assert [int((rows[person] > 0).any(-1).sum()) for person in (0, 1)] == [200, 45]
    parts = [read_keypoints(part / "a_keypoints.npz") for part in part_folders(folder)]
    assert [[len(person) for person in people] for people in parts] == [[60, 20], [60, 25], [80]]


def test_a_gap_over_a_boundary_is_bridged_from_both_sides(clip, tmp_path, settings):
    points = tmp_path / "points.npz"
    keypoint_file(points, lambda frame: {} if 40 <= frame < 85 else {"a": 50.0}, 200)
    ready = replace(settings, from_2d=str(points), max_gap=5.0)
    lift(clip, tmp_path, ready)
    lift(clip, tmp_path / "whole", replace(ready, part_minutes=0.0))
    found = joined(tmp_path / "a_pose3d", "keypoints_px")[0]
    assert np.isfinite(found).all()
    whole = np.load(tmp_path / "whole" / "a_pose3d" / "a.npz")["keypoints_px"][0]
    np.testing.assert_array_equal(found, whole)


def test_ready_keypoints_of_another_clip_leave_nothing(clip, tmp_path, settings):
    points = keypoint_file(tmp_path / "points.npz", late, 300)
    shifted = read_keypoints(points)[0].frames.min()
    assert shifted == 130
    ready = replace(settings, from_2d=str(points), end=12.5)
    with pytest.raises(InputError, match=r"which has the frames 0 to 124 here"):
        lift(clip, tmp_path / "out", ready)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [-1.0, 0.001])
def test_parts_of_no_length_are_refused(value):
    with pytest.raises(ValueError, match="part_minutes"):
        LiftSettings(part_minutes=value)


def test_exports_of_an_earlier_run_are_gone_and_files_of_ones_own_stay(clip, tmp_path, settings):
    whole = replace(settings, part_minutes=0.0)
    lift(clip, tmp_path, replace(whole, export="bvh,json"))
    folder = tmp_path / "a_pose3d"
    exported = set(names(folder)) - set(FILES)
    assert exported
    (folder / "a_person7.bvh").write_text("mine")
    (tmp_path / "beside.txt").write_text("mine")
    record = json.loads((folder / "run.json").read_text())
    record["files"]["../beside.txt"] = 4  # whoever wrote that, it is not ours
    (folder / "run.json").write_text(json.dumps(record))
    lift(clip, tmp_path, whole)
    assert names(folder) == sorted([*FILES, "a_person7.bvh"])
    assert (tmp_path / "beside.txt").exists()


def test_a_part_can_be_viewed_and_knows_its_clip(clip, tmp_path, settings):
    lift(clip, tmp_path, settings)
    folder = tmp_path / "a_pose3d"
    with pytest.raises(InputError, match=r"in 3 parts; view one of them: .*part_001"):
        view(folder)
    viewed = view(folder / "part_002")
    assert (viewed.video, viewed.frames, viewed.has_video) == (clip, PART, True)


def test_what_a_killed_run_left_of_any_file_is_gone(clip, tmp_path, settings):
    whole = replace(settings, part_minutes=0.0)
    lift(clip, tmp_path, whole)
    folder = tmp_path / "a_pose3d"
    for name in (".a_person0.0123456789ab.bvh", ".a.0123456789ab.html", ".run.0123456789ab.json"):
        (folder / name).write_text("half")
    (folder / ".another.0123456789ab.bvh").write_text("somebody's")
    lift(clip, tmp_path, whole)
    assert names(folder) == sorted([*FILES, ".another.0123456789ab.bvh"])
