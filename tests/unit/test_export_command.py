from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.errors import InputError, NobodyFoundError, OutputError, SettingsError
from pose3d_cli.files.bvh import read_bvh
from pose3d_cli.files.results import write_result
from pose3d_cli.pipeline.export import export_all
from pose3d_cli.pipeline.export_settings import ExportSettings
from pose3d_cli.pipeline.exports import write_exports
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings
from tests.people import make_film, walking
from tests.rigs import result_of, walking_round


def put(path, people=(0,)):
    """Write a result with some people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_result(path, result_of({who: walking_round(8) for who in people}))
    return path


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_result_is_exported_beside_itself(pose3d, tmp_path):
    path = put(tmp_path / "мой клип_pose3d" / "мой клип.npz", people=(0, 3))
    done = pose3d("export", path.parent, "--to", "bvh,glb,json")
    assert names(path.parent) == [
        "мой клип.glb", "мой клип.npz", "мой клип_joints.json",
        "мой клип_person0.bvh", "мой клип_person3.bvh",
    ]  # fmt: skip
    assert [line.rsplit("/")[-1] for line in done.stdout.splitlines()] == [
        "мой клип_person0.bvh", "мой клип_person3.bvh", "мой клип.glb", "мой клип_joints.json",
    ]  # fmt: skip
    assert "person 3: bones are given constant lengths, which moves joints by 0 mm" in done.stderr


def test_options_reach_the_files(pose3d, tmp_path):
    path = put(tmp_path / "a.npz", people=(0, 3))
    options = ("--preset", "mixamo", "--fps", "60", "--person", "3", "-o", tmp_path / "out")
    pose3d("export", path, "--to", "bvh", *options)
    assert names(tmp_path / "out") == ["a_person3.bvh"]
    found = read_bvh(tmp_path / "out" / "a_person3.bvh")
    assert found.joints[0] == "mixamorig:Hips"
    assert found.fps == pytest.approx(60)


def test_json_says_what_was_written(pose3d, tmp_path):
    path = put(tmp_path / "a.npz")
    told = json.loads(pose3d("export", path, "--to", "glb,json", "--json").stdout)
    assert told["outputs"]["glb"] == [str(tmp_path / "a.glb")]
    record = json.loads((tmp_path / "a_joints.json").read_text())
    assert record["format"] == "pose3d-json/1"
    [person] = record["people"]
    xyz = np.array(person["xyz_world"], float)
    expected = walking_round(8)[..., [0, 2, 1]] * [1, -1, 1]
    np.testing.assert_allclose(xyz, expected, atol=2e-5)
    assert person["frame"] == list(range(8))


def test_a_folder_of_results_is_mirrored_and_one_that_fails_is_told(pose3d, tmp_path):
    put(tmp_path / "in" / "a_pose3d" / "clip.npz")
    put(tmp_path / "in" / "b_pose3d" / "clip.npz")
    (tmp_path / "in" / "bad.npz").write_text("no result")
    (tmp_path / "in" / "a_pose3d" / "clip_keypoints.npz").write_text("not looked at")
    done = pose3d("export", tmp_path / "in", "--to", "glb", "-o", tmp_path / "out", code=6)
    assert names(tmp_path / "out") == ["a_pose3d/clip.glb", "b_pose3d/clip.glb"]
    assert "bad.npz: not a readable" in done.stderr
    assert "keypoints" not in done.stderr


def test_results_that_would_replace_each_other_are_refused_before_any_work(tmp_path):
    inputs = [put(tmp_path / place / "clip.npz") for place in ("a", "b")]
    settings = ExportSettings(to="glb", output=str(tmp_path / "out"))
    with pytest.raises(InputError, match=r"a/clip.npz and .*b/clip.npz would both be written"):
        export_all(inputs, settings)
    assert not (tmp_path / "out").exists()


def test_a_result_without_people_has_nobody_to_export(pose3d, tmp_path):
    path = put(tmp_path / "a.npz", people=())
    done = pose3d("export", path, "--to", "bvh", code=NobodyFoundError.exit_code)
    assert "nobody is in this result, so there is nobody to export" in done.stderr
    nowhere = result_of({0: np.full((3, 17, 3), np.nan)})
    nowhere.people[0].xyz_root[:] = 0.1
    write_result(path, nowhere)
    done = pose3d("export", path, "--to", "bvh,glb", code=NobodyFoundError.exit_code)
    assert "nobody to export: person 0 is left out" in done.stderr
    assert names(tmp_path) == ["a.npz"]


def test_what_cannot_be_is_told_before_any_work(pose3d, tmp_path):
    path = put(tmp_path / "a.npz")
    wrong = {
        ("--to", "bhv"): "no exporter 'bhv'; did you mean 'bvh'?",
        (): "say what to export to, such as --to bvh,glb",
        ("--to", "bvh", "--preset", "mixam"): "no preset 'mixam'; did you mean 'mixamo'?",
        ("--to", "bvh", "--person", "a"): r"person (a) must be all, or numbers",
        ("--to", "bvh", "--fill", "zero"): "fill is 'zero'; known: lines, hold",
    }
    for flags, text in wrong.items():
        done = pose3d("export", path, *flags, code=SettingsError.exit_code)
        assert text in done.stderr
    done = pose3d("export", tmp_path / "no.npz", "--to", "bvh", code=InputError.exit_code)
    assert "no.npz: no such file or folder" in done.stderr
    (tmp_path / "empty").mkdir()
    done = pose3d("export", tmp_path / "empty", "--to", "bvh", code=InputError.exit_code)
    assert "no results (.npz) in this folder" in done.stderr
    assert names(tmp_path) == ["a.npz"]


def test_a_folder_that_cannot_be_written_is_told(pose3d, tmp_path):
    path = put(tmp_path / "a.npz")
    (tmp_path / "out").write_text("a file in the way")
    flags = ("--to", "glb", "-o", tmp_path / "out")
    done = pose3d("export", path, *flags, code=OutputError.exit_code)
    assert "cannot be written" in done.stderr


def test_lift_exports_too_and_keeps_what_is_done(pose3d, tmp_path):
    clip = make_film(tmp_path / "a.mp4", walking(4, (320, 180)))
    command = ("lift", clip, "--person", "largest", "--render", "off", "--export", "bvh,glb")
    pose3d(*command)
    folder = tmp_path / "a_pose3d"
    exported = {p.name for p in folder.iterdir() if p.suffix in (".bvh", ".glb")}
    assert "a.glb" in exported
    assert any(name.startswith("a_person") for name in exported)
    record = json.loads((folder / "run.json").read_text())
    assert exported < set(record["files"])
    assert "done already" in pose3d(*command).stderr
    (folder / "a.glb").unlink()
    assert "done already" not in pose3d(*command).stderr
    assert (folder / "a.glb").exists()


def test_the_page_of_a_clip_lifted_elsewhere_refers_to_it(pose3d, tmp_path):
    (tmp_path / "clips").mkdir()
    clip = make_film(tmp_path / "clips" / "a.mp4", walking(4, (320, 180)))
    flags = ("-o", tmp_path / "out", "--person", "largest", "--render", "off", "--export", "html")
    pose3d("lift", clip, *flags)
    assert "../../clips/a.mp4" in (tmp_path / "out" / "a_pose3d" / "a.html").read_text("utf-8")


def test_a_wrong_export_is_told_before_lifting(pose3d, tmp_path):
    done = pose3d("lift", tmp_path / "no.mp4", "--export", "bvh,glbb", code=2)
    assert "no exporter 'glbb'; did you mean 'glb'" in done.stderr
    assert LiftSettings(export="bvh,glb").export == "bvh,glb"


def test_files_of_people_whom_only_an_earlier_run_found_go(tmp_path):
    stem = tmp_path / "a"
    two, one = (result_of({who: walking_round(4) for who in people}) for people in ((0, 1), (0,)))
    assert set(write_exports("bvh,csv", two, stem, Silent())) == {"bvh_0", "bvh_1"}
    (tmp_path / "a_person1.bvh.txt").write_text("somebody's own")
    (tmp_path / "b_person1.bvh").write_text("of another clip")
    assert write_exports("bvh", one, stem, Silent()) == {"bvh": tmp_path / "a_person0.bvh"}
    assert names(tmp_path) == ["a_person0.bvh", "a_person1.bvh.txt", "b_person1.bvh"]
    assert write_exports("", two, stem, Silent()) == {}
