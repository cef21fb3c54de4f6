from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose3d_cli.detect.base import Search
from pose3d_cli.detect.blaze_landmark import sharpen
from pose3d_cli.detect.blaze_net import BlazeNet
from pose3d_cli.detect.blaze_person import anchors
from pose3d_cli.detect.blaze_roi import (
    crop_to_picture,
    cut,
    roi_to_crop,
    side_px,
    small_tiles,
    tiles,
)
from pose3d_cli.detect.zoo.blazepose import BlazePose
from pose3d_cli.errors import MissingExtraError, WeightsError
from pose3d_cli.files.shipped import shipped
from pose3d_cli.files.video import open_video
from pose3d_cli.pose.boxes import closeness, keep_best

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.mp4"
SHA256 = {
    "pose_detection.tflite": "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}


@pytest.fixture(scope="module")
def blazepose():
    return BlazePose()


@pytest.fixture(scope="module")
def pictures():
    with open_video(SAMPLE) as video:
        return [frame.image for frame, _ in zip(video, range(6), strict=False)]


@pytest.mark.parametrize("name", SHA256)
def test_the_shipped_weights_are_the_published_ones(name):
    assert hashlib.sha256(shipped(name).read_bytes()).hexdigest() == SHA256[name]


def test_missing_weights_are_told_in_words():
    with pytest.raises(WeightsError, match=r"absent\.tflite: not found in .*Reinstall pose3d"):
        shipped("absent.tflite")


def test_broken_weights_are_told_in_words(tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no network" * 100)
    with pytest.raises(WeightsError, match=r"broken\.tflite: not a readable TFLite network"):
        BlazeNet(broken)


def test_a_runtime_that_is_not_there_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match="`pip install ai-edge-litert`"):
        BlazeNet(shipped("pose_detection.tflite"))


def test_loading_says_nothing_on_stderr(capfd):
    BlazeNet(shipped("pose_detection.tflite"))
    assert capfd.readouterr().err == ""


def test_anchors_are_cell_centres():
    found = anchors()
    assert found.shape == (2254, 2)
    np.testing.assert_allclose(found[0], [0.5 / 28, 0.5 / 28])
    np.testing.assert_allclose(found[2], [1.5 / 28, 0.5 / 28])
    np.testing.assert_allclose(found[-1], [6.5 / 7, 6.5 / 7])


def test_keep_best_drops_what_a_better_one_covers():
    box = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 0, 30, 10], [8, 0, 18, 10]], float)
    score = np.array([0.6, 0.9, 0.7, 0.8])
    assert keep_best(box, score, 0.3).tolist() == [1, 3, 2]
    assert len(keep_best(np.zeros((0, 4)), np.zeros(0), 0.3)) == 0


@given(
    x=st.floats(-50, 500), y=st.floats(-50, 500), length=st.floats(20, 400),
    angle=st.floats(-np.pi, np.pi),
)  # fmt: skip
def test_a_region_stands_upright_in_its_crop(x, y, length, angle):
    roi = np.array([[x, y], [x + length * np.cos(angle), y + length * np.sin(angle)]])
    to_crop = roi_to_crop(roi, 256)
    in_crop = roi @ to_crop[:, :2].T + to_crop[:, 2]
    np.testing.assert_allclose(in_crop[0], [128, 128], atol=1e-6)
    np.testing.assert_allclose(in_crop[1], [128, 128 - 256 / 2.5], atol=1e-6)
    assert np.linalg.det(to_crop[:, :2]) > 0  # turned and scaled, never mirrored
    np.testing.assert_allclose(crop_to_picture(in_crop, to_crop), roi, atol=1e-2)


def test_a_cut_shows_what_the_region_holds():
    image = np.zeros((400, 300, 3), np.uint8)
    image[195:205, 95:105] = 255
    for length in (40, 400):  # enlarged, and averaged
        roi = np.array([[100.0, 200.0], [100.0, 200.0 - length]])
        crop = cut(image, roi_to_crop(roi, 256), 256)
        y, x = np.argwhere(crop[..., 0] > 100).mean(0)
        assert abs(x - 127.5) < 1.5
        assert abs(y - 127.5) < 1.5


def test_side_of_a_region():
    assert side_px(np.array([[10.0, 10.0], [10.0, 110.0]])) == pytest.approx(250)


@pytest.mark.parametrize("size", [(640, 480), (1080, 1920), (1920, 1080), (500, 500), (4000, 300)])
def test_tiles_cover_the_picture_and_overlap(size):
    width, height = size
    whole, *parts = tiles(width, height)
    assert whole[2] == max(size)
    assert (whole[0] + whole[2] / 2, whole[1] + whole[2] / 2) == pytest.approx(
        (width / 2, height / 2), abs=1
    )
    if not parts:
        assert max(size) < 1.2 * min(size)
        return
    long_axis = 0 if width > height else 1
    starts = [part[long_axis] for part in parts]
    side = min(size)
    assert all(part[2] == side and part[1 - long_axis] == 0 for part in parts)
    assert starts[0] == 0
    assert starts[-1] + side == max(size)
    assert max(np.diff(starts)) <= 2 / 3 * side + 1


@pytest.mark.parametrize("size", [(640, 480), (1080, 1920), (500, 500), (4000, 300)])
def test_small_tiles_cover_the_picture_and_overlap_both_ways(size):
    side = min(size) // 2
    squares = np.array(small_tiles(*size))
    assert set(squares[:, 2]) == {side}
    for axis in (0, 1):
        starts = np.unique(squares[:, axis])
        assert (starts[0], starts[-1] + side) == (0, size[axis])
        assert np.diff(starts).max() <= 2 / 3 * side + 1
    n_starts = [len(np.unique(squares[:, axis])) for axis in (0, 1)]
    assert len(squares) == n_starts[0] * n_starts[1]


def test_there_are_no_small_tiles_in_which_nobody_could_be_seen():
    assert small_tiles(320, 180) == []


def smaller(picture, scale):
    """A picture shown small, in the corner of a grey one of its size."""
    canvas = np.full_like(picture, 110)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas[-small.shape[0] :, -small.shape[1] :] = small
    return canvas


def test_a_thorough_search_finds_people_whom_the_usual_one_misses(blazepose, pictures):
    picture = smaller(pictures[0], 0.4)  # people of a sixth of the shorter side
    assert len(blazepose.detect(picture, search=Search.USUAL)) == 1
    found = blazepose.detect(picture, search=Search.THOROUGH)
    assert len(found) == 2
    large = blazepose.detect(pictures[0], search=Search.USUAL)
    height, width = picture.shape[:2]
    expected = 0.4 * large.xy.mean(1) + (0.6 * width, 0.6 * height)
    apart = np.linalg.norm(found.xy.mean(1)[:, None] - expected, axis=-1)
    assert apart.min(0).max() < 8


def test_a_thorough_search_finds_nobody_twice(blazepose, pictures):
    assert len(blazepose.detect(pictures[0], search=Search.THOROUGH)) == 2
    known = blazepose.detect(smaller(pictures[0], 0.4))
    assert len(known) == 2
    again = blazepose.detect(smaller(pictures[1], 0.4), known, search=Search.THOROUGH)
    assert again.origin.tolist() == [0, 1]


def test_new_small_people_whom_a_second_look_moves_are_none(pictures, monkeypatch):
    blazepose, looked = BlazePose(), []
    look = blazepose._look

    def unsteady(image, roi):
        person = look(image, roi)
        looked.append(person)
        moved = 0.02 * side_px(person.roi) * len(looked)
        return replace(person, xy=person.xy + np.float32(moved))

    monkeypatch.setattr(blazepose, "_look", unsteady)
    picture = smaller(pictures[0], 0.4)
    assert len(blazepose.detect(picture, search=Search.USUAL)) == 1
    assert len(blazepose.detect(picture, search=Search.THOROUGH)) == 1


def test_sharpen_moves_to_the_heat_and_leaves_dim_points():
    heat = np.full((64, 64, 3), -20.0, np.float32)
    heat[20, 33, 0] = 5
    heat[31, 40, 1] = -1  # below the least peak
    points = np.array([[31.2, 21.4], [40.2, 31.4], [0.1, 63.9]]) / 64
    moved = sharpen(points, heat)
    np.testing.assert_allclose(moved[0] * 64, [33, 20], atol=1e-3)
    np.testing.assert_array_equal(moved[1:], points[1:])


def test_closeness_falls_from_the_border_outwards():
    points = np.array([[0, 0], [99, 49], [-5, 20], [50, 54], [-10, 20], [400, 400]], np.float32)
    np.testing.assert_allclose(closeness(points, 100, 50, 10.0), [1, 1, 0.5, 0.5, 0, 0])


def test_a_followed_person_is_the_same_without_searching(blazepose, pictures):
    first = blazepose.detect(pictures[0])
    assert len(first) == 2
    later = blazepose.detect(pictures[1], first, search=Search.NONE)
    assert later.origin.tolist() == [0, 1]
    again = blazepose.detect(pictures[1], first.take(np.array([1, 0])), search=Search.NONE)
    np.testing.assert_allclose(again.xy, later.xy[::-1])
    reach = 0.1 * (first.box[:, 3] - first.box[:, 1])
    moved = np.median(np.hypot(*np.moveaxis(later.xy - first.xy, -1, 0)), axis=1)
    assert np.all(moved < reach)


def test_a_newcomer_joins_those_followed(blazepose, pictures):
    both = blazepose.detect(pictures[0])
    one = both.take(np.array([1]))
    assert len(blazepose.detect(pictures[1], one, search=Search.NONE)) == 1
    found = blazepose.detect(pictures[1], one, search=Search.THOROUGH)
    assert found.origin.tolist() == [0, -1]


def test_two_regions_on_one_person_give_one_person(blazepose, pictures):
    one = blazepose.detect(pictures[0]).take(np.array([0, 0]))
    assert len(blazepose.detect(pictures[1], one, search=Search.NONE)) == 1


def test_of_two_regions_on_one_person_the_one_who_moved_less_stays(blazepose, pictures):
    one = blazepose.detect(pictures[0]).take(np.array([0, 0]))
    one.xy[0] += 60
    assert blazepose.detect(pictures[1], one, search=Search.NONE).origin.tolist() == [1]
    one.xy[0] -= 60
    one.xy[1] += 60
    assert blazepose.detect(pictures[1], one, search=Search.NONE).origin.tolist() == [0]


def test_at_most_so_many_people(pictures):
    assert len(BlazePose(max_people=1).detect(pictures[0])) == 1


def test_joints_far_outside_the_picture_score_low(blazepose, pictures):
    person = blazepose.detect(pictures[0])
    row = int((person.box[:, 3] - person.box[:, 1]).argmax())
    hips = blazepose.skeleton.index("left_hip")
    cut_off = pictures[0][: int(person.xy[row, hips, 1])]  # legs are below the picture
    found = blazepose.detect(cut_off, person.take(np.array([row])), search=Search.NONE)
    assert len(found) == 1
    ankle, shoulder = (blazepose.skeleton.index(f"left_{j}") for j in ("ankle", "shoulder"))
    assert found.score[0, ankle] < 0.1
    assert found.score[0, shoulder] > 0.5
    assert not np.isnan(found.xy[0, ankle]).any()


def test_a_person_upside_down_is_followed(blazepose, pictures):
    upright = blazepose.detect(pictures[0])
    height, width = pictures[0].shape[:2]
    turned = np.ascontiguousarray(pictures[0][::-1, ::-1])
    near = upright.take(np.arange(len(upright)))
    flipped_hint = np.array([width - 1, height - 1], np.float32) - upright.hint
    near = type(near)(
        box=near.box, xy=near.xy, score=near.score, origin=near.origin, hint=flipped_hint
    )
    found = blazepose.detect(turned, near, search=Search.NONE)
    assert len(found) == len(upright)
    back = np.array([width - 1, height - 1]) - found.xy
    apart = np.median(np.hypot(*np.moveaxis(back - upright.xy, -1, 0)), axis=1)
    assert np.all(apart < 0.05 * (upright.box[:, 3] - upright.box[:, 1]))
