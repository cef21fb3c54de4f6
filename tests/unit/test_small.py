import json

import cv2
import numpy as np
import pytest

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.learn.rendered.small import bench_small
from pose3d_cli.learn.rendered.truth import camera_that_sees, read_all, write_truth
from pose3d_cli.pose.skeleton import COCO17, H36M17

SIZE = (320, 240)
TALL_M, FAR_M = 1.6, 4.0


def figure():
    """A stick of the height of a person, hips in the middle, (joints, 3) in metres."""
    xyz = np.tile([0.0, 0.0, FAR_M], (17, 1))
    xyz[:, 1] = np.linspace(-TALL_M / 2, TALL_M / 2, 17)
    for joint in ("pelvis", "left_hip", "right_hip"):
        xyz[H36M17.index(joint), 1] = 0
    return xyz


@pytest.fixture
def folder(tmp_path):
    """Two clips of a bright stick on black, and where its joints are."""
    camera = camera_that_sees(np.array([0.4, 0.3]), SIZE[0], "test")
    xy = figure() @ camera.matrix.T
    xy = xy[:, :2] / xy[:, 2:]
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    top, bottom = (int(value) for value in (xy[:, 1].min(), xy[:, 1].max()))
    x = int(xy[0, 0])
    cv2.rectangle(picture, (x - 9, top), (x + 9, bottom), (250, 250, 250), -1)
    for number in range(2):
        video = tmp_path / f"stick{number}.mp4"
        with VideoWriter(video, size_px=SIZE, fps=25.0) as writer:
            for index in range(10):
                writer.write(picture, index / 25)
        write_truth(video, np.repeat(figure()[None], 10, axis=0), camera, 25.0, {})
    return tmp_path


class Sticks:
    """Finds the bright stick of at least so many pixels, and a thing in every corner."""

    name, skeleton = "sticks", COCO17

    def __init__(self, usual_px, thorough_px):
        self.least = {Search.USUAL: usual_px, Search.THOROUGH: thorough_px}

    def detect(self, image, near=None, *, search=Search.THOROUGH):
        y, x = np.nonzero(image[..., 0] > 128)
        middles = [(0.0, 0.0)]
        if len(y) and np.ptp(y) >= self.least[search]:
            middles.append((x.mean(), y.mean()))
        xy = np.repeat(np.array(middles, np.float32)[:, None], 17, axis=1)
        return People2D(
            box=np.concatenate([xy[:, 0], xy[:, 0]], axis=1),
            xy=xy,
            score=np.ones(xy.shape[:2], np.float32),
            origin=np.full(len(xy), -1, np.int64),
        )


def test_the_share_of_people_found_by_height_and_search(folder):
    rows = list(bench_small(Sticks(usual_px=50, thorough_px=35), read_all(folder)))
    found = {(row.height, row.search): row.found for row in rows}
    # Heights are in shorter sides, of 240 pixels: 84, 60, 43, 30, ...
    assert [found[h, Search.USUAL] for h in (0.5, 0.35, 0.25, 0.18)] == [1, 1, 1, 0]
    assert [found[h, Search.THOROUGH] for h in (0.25, 0.18, 0.125)] == [1, 1, 0]
    assert {row.people for row in rows} == {2}
    assert {row.others for row in rows} == {1.0}


def test_somebody_found_elsewhere_is_another(folder):
    class Beside(Sticks):
        def detect(self, image, near=None, *, search=Search.THOROUGH):
            people = super().detect(image, near, search=search)
            people.xy[1:] += 100
            return people

    rows = list(bench_small(Beside(0, 0), read_all(folder)))
    assert {row.found for row in rows} == {0.0}
    assert {row.others for row in rows} == {2.0}


def test_the_command_prints_a_row_a_height(folder, pose3d):
    told = json.loads(pose3d("bench", "small", folder, "--json").stdout)
    assert told["detector"] == "blazepose"
    assert [row["search"] for row in told["sizes"][:2]] == ["usual", "thorough"]
    assert {row["found"] for row in told["sizes"]} == {0.0}  # a stick is nobody


def test_a_folder_without_truth_is_refused(tmp_path, pose3d):
    assert "data render" in pose3d("bench", "small", tmp_path, code=3).stderr
