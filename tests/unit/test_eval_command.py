import csv
import json
import pickle

import numpy as np
import pytest

from tests.miniatures import h36m
from tests.motion import tiny_pack

TRIALS = {"Directions 1": 6, "Photo 1": 21, "Walking": 10}


@pytest.fixture(scope="module")
def npz_folder(tmp_path_factory):
    return h36m.write_videopose3d(tmp_path_factory.mktemp("vp3d"), trials=TRIALS)


@pytest.fixture(scope="module")
def mocap(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"), splits=("train", "val", "test"))


@pytest.mark.parametrize("name", ["h36m", "h36m-sh", "3dhp", "humaneva", "3dpw", "mocap", "folder"])
def test_a_data_set_that_is_not_here_says_what_it_is_and_where_to_get_it(pose3d, name):
    ran = pose3d("eval", "--dataset", name, code=11)
    assert "Get it from: " in ran.stderr
    assert len(ran.stderr.splitlines()) >= 2  # the files, a line each
    again = pose3d("eval", "dualstream-xs-27", "--dataset", name, "--data", "/no/where", code=11)
    assert "/no/where: no such file or folder. Give --data" in again.stderr


def test_a_report_is_written_and_compared_with_another_later(
    pose3d, tiny_weights, npz_folder, tmp_path
):
    flags = ("--dataset", "h36m", "--data", npz_folder, "--json")
    one = pose3d("eval", tiny_weights, *flags, "-o", tmp_path / "one", "--no-mirror")
    pose3d("eval", tiny_weights, *flags, "-o", tmp_path / "two", "--csv", tmp_path / "t.csv")
    written = {path.name for path in (tmp_path / "one").iterdir()}
    assert {"evaluation.json", "evaluation.csv", "report.html", "report.png"} <= written
    record = json.loads(one.stdout)
    assert record == json.loads((tmp_path / "one" / "evaluation.json").read_text())
    assert set(record["evaluations"][0]["groups"]) == {"Directions", "Photo", "Walking"}
    mpjpe = f"{record['evaluations'][0]['figures']['mpjpe']['value']:.1f}"
    assert mpjpe in (tmp_path / "one" / "report.html").read_text()
    rows = list(csv.DictReader((tmp_path / "t.csv").open()))
    assert {row["of"] for row in rows} == {"all", "group", "joint"}
    both = pose3d("eval", tmp_path / "one", tmp_path / "two")
    assert "(2) against" in both.stdout
    assert mpjpe in both.stdout
    assert "without the mirror image" in both.stderr


def test_weights_are_compared_with_a_finished_evaluation(
    pose3d, tiny_weights, npz_folder, tmp_path
):
    flags = ("--dataset", "h36m", "--data", npz_folder)
    pose3d("eval", tiny_weights, *flags, "-o", tmp_path / "one")
    ran = pose3d("eval", tmp_path / "one" / "tiny.npz", tiny_weights, *flags)
    assert "+0.00 mm" in ran.stdout
    gt = pose3d("eval", tmp_path / "one", tiny_weights, *flags, "--keypoints", "gt", code=3)
    assert "cannot be compared: keypoints" in gt.stderr


def test_mocap_is_measured_as_seen_and_again_alike(pose3d, tiny_weights, mocap):
    values = {}
    for seen in ("noisy", "clean", "hidden", "noisy"):
        ran = pose3d(
            "eval", tiny_weights, "--dataset", "mocap", "--data", mocap, "--takes", 3, "--json",
            "--keypoints", seen,
        )  # fmt: skip
        figures = json.loads(ran.stdout)["evaluations"][0]["figures"]
        value = figures["mpjpe"]["value"]
        assert values.setdefault(seen, value) == value
        assert seen != "clean" or "unseen" not in figures
        assert seen != "hidden" or figures["unseen"]["value"] > 0
    assert len(set(values.values())) == 3


def test_a_quick_look_is_told_to_be_one(pose3d, tiny_weights, npz_folder):
    flags = ("--dataset", "h36m", "--data", npz_folder)
    ran = pose3d("eval", tiny_weights, *flags, "--limit", 2)
    assert "only the first 2 clips were measured" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give weights and --dataset"),
        (["WEIGHTS"], 2, "measured on what? Give --dataset"),
        (["--dataset", "h36m", "--data", "DATA"], 2, "give weights to measure"),
        (["WEIGHTS", "--dataset", "h63m", "--data", "DATA"], 2, "did you mean 'h36m'"),
        (["WEIGHTS", "--dataset", "h36m", "--data", "DATA", "--protocol", "motionbert"], 2,
         "motionbert measures another data set; this one takes videopose3d"),
        (["WEIGHTS", "--dataset", "h36m", "--data", "DATA", "--keypoints", "cnp"], 2, "cnp"),
        (["WEIGHTS", "--dataset", "h36m", "--data", "DATA", "--split", "val"], 2, "val"),
        (["WEIGHTS", "--dataset", "h36m", "--data", "DATA", "--windows", "tile"], 2, "tiles"),
        (["WEIGHTS", "--dataset", "h36m", "--data", "DATA", "--limit", "-1"], 2, "at least 0"),
        (["WEIGHTS", "--dataset", "mocap", "--data", "DATA"], 3, "index.json"),
        (["--prediction", "a.npz"], 2, "--prediction and --truth, both"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_told_in_one_line(
    pose3d, tiny_weights, npz_folder, arguments, code, said
):
    stand_for = {"WEIGHTS": tiny_weights, "DATA": npz_folder}
    ran = pose3d("eval", *(stand_for.get(a, a) for a in arguments), code=code)
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_pickle_that_would_run_something_is_refused(pose3d, tiny_weights, tmp_path):
    path = tmp_path / "h36m_sh_conf_cam_source_final.pkl"
    marker = tmp_path / "ran"
    path.write_bytes(pickle.dumps(Runs(str(marker))))
    ran = pose3d("eval", tiny_weights, "--dataset", "h36m-sh", "--data", path, code=3)
    assert "refused to unpickle" in ran.stderr
    assert not marker.exists()


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_measured(
    pose3d, tiny_weights, npz_folder, tmp_path
):
    (tmp_path / "file").write_text("")
    flags = ("--dataset", "h36m", "--data", npz_folder)
    ran = pose3d("eval", tiny_weights, *flags, "-o", tmp_path / "file" / "x", code=9)
    assert "cannot be written" in ran.stderr
    assert "evaluate" not in ran.stderr
    assert not ran.stdout


def test_figures_are_told_even_if_their_table_cannot_be_written(
    pose3d, tiny_weights, npz_folder, tmp_path
):
    flags = ("--dataset", "h36m", "--data", npz_folder)
    ran = pose3d("eval", tiny_weights, *flags, "--csv", tmp_path / "no" / "t.csv", code=9)
    assert "MPJPE mm" in ran.stdout


def test_a_wrong_command_leaves_no_empty_folder(pose3d, tiny_weights, tmp_path):
    flags = ("--dataset", "h36m", "--data", tmp_path, "-o", tmp_path / "new")
    pose3d("eval", tiny_weights, *flags, code=3)
    assert not (tmp_path / "new").exists()


def test_data_check_says_what_is_there(pose3d, npz_folder, mocap, tmp_path):
    ran = pose3d("data", "check", npz_folder)
    assert "checked as: h36m, 2D: cpn" in ran.stdout
    assert f"test: {2 * 3 * 4} clips, {2 * 4 * (6 + 21 + 10)} frames" in ran.stdout
    assert "checked as: mocap" in pose3d("data", "check", mocap).stdout
    sh = h36m.write_sh(tmp_path)
    assert "checked as: h36m-sh" in pose3d("data", "check", tmp_path).stdout
    assert "checked as: h36m-sh" in pose3d("data", "check", sh).stdout
    record = json.loads(pose3d("data", "check", sh, "--json").stdout)
    assert record["splits"]["test"]["subjects"] == ["S11", "S9"]


def test_data_check_says_all_that_is_wrong(pose3d, tmp_path):
    positions = {
        subject: {trial: 1000 * xyz for trial, xyz in trials.items()}
        for subject, trials in h36m.positions_3d(TRIALS).items()
    }
    h36m.save_3d(tmp_path, positions)
    h36m.save_2d(tmp_path, "cpn_ft_h36m_dbb", h36m.positions_2d("cpn_ft_h36m_dbb", TRIALS))
    ran = pose3d("data", "check", tmp_path, code=3)
    assert "wrong: " in ran.stdout
    assert "millimetres" in ran.stdout
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert (
        "no data set that pose3d knows"
        in pose3d("data", "check", tmp_path / "other.npz", code=3).stdout
    )
    assert "no such file" in pose3d("data", "check", tmp_path / "none", code=11).stderr
