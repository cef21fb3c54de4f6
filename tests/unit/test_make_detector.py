"""Which detector a name means, and that the command line says so."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.detect.make import detector_names, make_detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.present import best_there
from pose3d_cli.errors import SettingsError, UnknownNameError, WeightsError
from pose3d_cli.files.catalogue import catalogue
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.pipeline.bench_detect import bench_detect
from pose3d_cli.pose.skeleton import COCO17
from tests.pose_nets import draw_person, write_box_finder, write_finder

NONE = DetectorOptions()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of our own; `put(name)` writes a finder there under a name of the catalogue."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("POSE3D_CACHE", str(folder))
    joints = {"coco17": 17, "halpe26": 26, "wholebody133": 26}

    def put(name):
        model = catalogue()[name]
        if model.kind == "boxes":
            write_box_finder(folder / model.file, model.input_size[0])
        else:
            write_finder(folder / model.file, joints[model.keypoints], model.input_size)

    return put


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A clip with a figure of dots that stands still, and the networks that find it."""
    folder = tmp_path_factory.mktemp("films")
    write_finder(folder / "finder.onnx", 17)
    write_box_finder(folder / "toy-yolox.onnx")
    picture = np.full((240, 320, 3), 40, np.uint8)
    truth = draw_person(picture, COCO17, (100, 10, 220, 230))
    with VideoWriter(folder / "dots.mp4", size_px=(320, 240), fps=25.0) as writer:
        for number in range(12):
            writer.write(picture, number / 25)
    return folder, truth


def flags(folder):
    yield from ("--detector-weights", folder / "finder.onnx", "--boxes", folder / "toy-yolox.onnx")


def test_auto_is_the_best_that_is_there(cache):
    assert make_detector("auto", NONE).name == "blazepose"
    cache("rtmpose-m-coco17")
    assert make_detector("auto", NONE).name == "rtmpose (rtmpose-m-coco17, boxes blazepose)"
    cache("rtmpose-s-halpe26")  # feet go before accuracy
    cache("yolox-nano")
    assert make_detector("auto", NONE).name == "rtmpose (rtmpose-s-halpe26, boxes yolox-nano)"
    cache("rtmpose-m-halpe26")
    assert best_there("keypoints").name == "rtmpose-m-halpe26"


def test_auto_passes_over_what_cannot_be_run_here(cache, monkeypatch):
    cache("rtmpose-m-halpe26")
    monkeypatch.setattr("pose3d_cli.detect.present.onnx_engine", lambda: "")
    assert make_detector("auto", NONE).name == "blazepose"


def test_auto_takes_the_detector_whose_weights_are_given(films):
    folder, _ = films
    options = DetectorOptions(weights=str(folder / "finder.onnx"))
    assert make_detector("auto", options).name == "rtmpose (finder.onnx, boxes blazepose)"


def test_a_detector_that_cannot_be_had_is_told(cache):
    assert detector_names()[0] == "auto"
    with pytest.raises(UnknownNameError, match="no detector 'rtmpos'; did you mean 'rtmpose'"):
        make_detector("rtmpos", NONE)
    with pytest.raises(WeightsError, match="pose3d weights download rtmpose-m-halpe26"):
        make_detector("rtmpose", NONE)
    with pytest.raises(WeightsError, match="pose3d weights download rtmpose-t-coco17"):
        make_detector("rtmpose", DetectorOptions(weights="rtmpose-t-coco17"))
    with pytest.raises(UnknownNameError, match="did you mean 'rtmpose-m-halpe26'"):
        make_detector("rtmpose", DetectorOptions(weights="rtmpose-m-halp26"))
    with pytest.raises(UnknownNameError, match="no model 'foo'; see `pose3d weights list --all`"):
        make_detector("rtmpose", DetectorOptions(weights="foo"))
    with pytest.raises(UnknownNameError, match="yolox-nano finds boxes"):
        make_detector("rtmpose", DetectorOptions(weights="yolox-nano"))


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        (
            "auto",
            {"boxes": "yolox-nano"},
            "--boxes is not for blazepose; choose --detector rtmpose",
        ),
        ("blazepose", {"weights": "a.pth"}, "--detector-weights is not for blazepose"),
        ("rtmpose", {"config": "a.py"}, "--mmpose-config is not for rtmpose"),
        ("rtmpose", {"checkpoint": "a.pth"}, "--mmpose-weights is not for rtmpose"),
        ("mmpose", {"weights": "a.pth"}, "--detector-weights is not for mmpose"),
    ],
)
def test_choices_that_would_be_passed_over_are_refused(name, options, why):
    with pytest.raises(SettingsError, match=why):
        make_detector(name, DetectorOptions(**options))


def test_lifting_says_which_detector_auto_took(pose3d, films, tiny_weights, tmp_path):
    folder, truth = films
    out = ("-o", tmp_path, "--weights", tiny_weights, "--render", "off")
    ran = pose3d("lift", folder / "dots.mp4", *flags(folder), *out)
    told = "rtmpose (finder.onnx, boxes toy-yolox)"
    assert f"detector: {told}" in ran.stderr
    run = json.loads((tmp_path / "dots_pose3d" / "run.json").read_text())
    assert run["meta"]["detector"] == told
    assert run["meta"]["detector_joints"] == list(COCO17.joints)
    with np.load(tmp_path / "dots_pose3d" / "dots_keypoints.npz") as found:
        apart = np.hypot(*(found["xy"].reshape(-1, 17, 2)[0] - truth).T)
    assert apart.max() < 6


def test_a_detector_that_is_named_is_not_announced(pose3d, films, tiny_weights, tmp_path):
    folder, _ = films
    out = ("-o", tmp_path, "--weights", tiny_weights, "--render", "off")
    ran = pose3d("lift", folder / "dots.mp4", "--detector", "rtmpose", *flags(folder), *out)
    assert "detector:" not in ran.stderr


def test_keypoints_are_written_by_the_detector_asked_for(pose3d, films, tmp_path):
    folder, _ = films
    ran = pose3d("data", "detect", folder / "dots.mp4", "-o", tmp_path, *flags(folder))
    assert "detector: rtmpose (finder.onnx, boxes toy-yolox)" in ran.stderr
    with np.load(tmp_path / "dots_keypoints.npz") as found:
        assert found["xy"].shape[-2] == 17


def test_detectors_are_timed_with_each_number_of_threads(pose3d, films):
    folder, _ = films
    wanted = ("--detector", "rtmpose", "--frames", 7, *flags(folder), "--json")
    ran = pose3d("bench", "detect", folder / "dots.mp4", *wanted)
    costs = json.loads(ran.stdout)["costs"]
    assert [cost["threads"] for cost in costs] == [1, 2]
    for cost in costs:
        assert (cost["frames"], cost["people"], cost["people_a_frame"]) == (7, 1, 1.0)
        assert cost["frames_per_s"] > 0
        assert cost["score"] > 0.8
        assert cost["detector"] == "rtmpose (finder.onnx, boxes toy-yolox)"


def test_each_number_of_threads_reaches_the_detector(films, monkeypatch):
    folder, _ = films
    made = []

    def make(name, options):
        made.append((name, options.threads))
        return make_detector(name, options)

    monkeypatch.setattr("pose3d_cli.pipeline.bench_detect.make_detector", make)
    costs = bench_detect([folder / "dots.mp4"], [("blazepose", NONE)], threads=(1, 2), frames=1)
    assert [cost.threads for cost in costs] == [1, 2]
    assert made == [("blazepose", 1), ("blazepose", 2)]


def test_all_detectors_that_are_there_are_timed(pose3d, films, cache):
    cache("rtmpose-t-coco17")
    cache("yolox-tiny")
    folder, _ = films
    wanted = ("--frames", 2, "--threads", 1, "--boxes", "blazepose", "--json")
    costs = json.loads(pose3d("bench", "detect", folder / "dots.mp4", *wanted).stdout)["costs"]
    assert [cost["detector"] for cost in costs] == [
        "blazepose",
        "rtmpose (rtmpose-t-coco17, boxes blazepose)",
        "boxes blazepose",
        "boxes yolox-tiny",
    ]
    assert costs[-1]["people_a_frame"] == 1.0
    ran = pose3d("bench", "detect", folder / "dots.mp4", *wanted, "--boxes", "yolox-tiny")
    assert json.loads(ran.stdout)["costs"][1]["detector"].endswith("boxes yolox-tiny)")
    given = ("--detector-weights", folder / "finder.onnx", "--boxes", "blazepose")
    ran = pose3d("bench", "detect", folder / "dots.mp4", "--frames", 2, *given, "--json")
    assert {cost["detector"] for cost in json.loads(ran.stdout)["costs"]} == {
        "rtmpose (finder.onnx, boxes blazepose)"
    }
    assert "--frames" in pose3d("bench", "detect", folder, "--frames", 0, code=2).stderr
