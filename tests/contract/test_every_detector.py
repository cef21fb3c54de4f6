"""What every detector on the shelf keeps, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from pose3d_cli.detect.base import Detector, People2D
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.files.video import open_video
from pose3d_cli.pose.skeleton import COCO17
from tests.miniatures.mmpose import FINDER, write_checkpoint, write_config
from tests.pose_nets import dot_colours, draw_person, write_box_finder, write_finder

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.mp4"


@dataclass(frozen=True, eq=False)
class Case:
    """A detector, a picture with people, and where one of them is: by her middle, and her box."""

    detector: Detector
    picture: np.ndarray
    middle: np.ndarray
    box: tuple[int, int, int, int]


def blazepose(_folder: Path) -> Case:
    # In the first frame a man stands on the roof on the left, a woman walks on the right.
    with open_video(SAMPLE) as video:
        picture = next(iter(video)).image
    detector = DETECTORS.get("blazepose")(DetectorOptions())
    return Case(detector, picture, np.array([752, 389]), (690, 305, 815, 515))


def rtmpose(folder: Path) -> Case:
    # No published weights come with the project: a network that finds figures of coloured dots.
    write_finder(folder / "finder.onnx", 17)
    return dots("rtmpose", folder, weights=str(folder / "finder.onnx"))


def mmpose(folder: Path) -> Case:
    config = write_config(folder, more=FINDER)
    state = {"backbone.wanted": torch.from_numpy(dot_colours(17))}
    checkpoint = write_checkpoint(folder / "finder.pth", state)
    return dots("mmpose", folder, config=str(config), checkpoint=str(checkpoint))


def dots(name: str, folder: Path, **network: str) -> Case:
    """Return the case of a network that finds figures of coloured dots, and one of them."""
    write_box_finder(folder / "toy-yolox.onnx")
    picture = np.full((540, 960, 3), 40, np.uint8)
    truth = draw_person(picture, COCO17, (600, 100, 840, 500))
    boxes = str(folder / "toy-yolox.onnx")
    detector = DETECTORS.get(name)(DetectorOptions(boxes=boxes, device="cpu", **network))
    return Case(detector, picture, truth.mean(0), (600, 100, 840, 500))


CASES = {"blazepose": blazepose, "rtmpose": rtmpose, "mmpose": mmpose}


@pytest.fixture(scope="module", params=DETECTORS.names())
def case(request, tmp_path_factory) -> Case:
    if request.param == "mmpose":
        pytest.importorskip("mmpose")
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def detector(case) -> Detector:
    return case.detector


@pytest.fixture(scope="module")
def picture(case) -> np.ndarray:
    return case.picture


@pytest.fixture(scope="module")
def people(detector, picture) -> People2D:
    return detector.detect(picture)


def one(found: People2D, middle: np.ndarray) -> int:
    """Return the row of whoever is nearest to a point."""
    return int(np.hypot(*(np.nanmean(found.xy, axis=1) - middle).T).argmin())


def test_the_shelf_is_not_empty():
    assert "blazepose" in DETECTORS.names()
    with pytest.raises(UnknownNameError, match="no detector 'blazpose'; did you mean 'blazepose'"):
        DETECTORS.get("blazpose")


def test_it_knows_its_name(detector):
    assert detector.name.split()[0] in DETECTORS.names()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((240, 320, 3), np.uint8),
        np.full((320, 240, 3), 128, np.uint8),
        np.full((64, 64, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8),
        np.random.default_rng(1).integers(0, 256, (480, 270, 3), dtype=np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ],
    ids=["black", "grey", "white", "noise", "noise-tall", "one-pixel"],
)
def test_there_is_nobody_in_a_picture_of_nothing(detector, image):
    found = detector.detect(image)
    n_joints = len(detector.skeleton.joints)
    assert len(found) == 0
    assert found.box.shape == (0, 4)
    assert found.xy.shape == (0, n_joints, 2)
    assert found.score.shape == (0, n_joints)
    assert found.origin.shape == (0,)


def test_people_are_found_where_they_are(case, people):
    found = people.xy[one(people, case.middle)]
    left, top, right, bottom = case.box
    assert np.hypot(*(np.nanmean(found, axis=0) - case.middle)) < 0.15 * (bottom - top)
    assert np.all(np.nanmin(found, axis=0) > [left - 20, top - 20])
    assert np.all(np.nanmax(found, axis=0) < [right + 20, bottom + 20])
    assert np.nanmean(people.score[one(people, case.middle)]) > 0.5


def test_a_person_cut_by_the_picture_s_edge_has_no_sure_joints_beyond_it(case, people):
    cut = (case.box[1] + case.box[3]) // 2
    found = case.detector.detect(np.ascontiguousarray(case.picture[:cut]))
    row, before = one(found, case.middle - [0, 60]), one(people, case.middle)
    reach = 0.1 * (case.box[3] - case.box[1])
    beyond = people.xy[before, :, 1] > cut + reach
    assert beyond.sum() >= 5
    assert np.all(found.score[row, beyond] < 0.5)
    inside = people.xy[before, :, 1] < cut - 2 * reach
    apart = np.hypot(*(found.xy[row] - people.xy[before])[inside].T)
    assert np.nanmedian(apart) < reach


def test_neighbours_do_not_change_a_person(case, people):
    alone = np.full_like(case.picture, 90)
    left, top, right, bottom = case.box
    margin = (bottom - top) // 2
    window = (slice(max(top - margin, 0), bottom + margin), slice(left - margin, right + margin))
    alone[window] = case.picture[window]
    found = case.detector.detect(alone)
    apart = found.xy[one(found, case.middle)] - people.xy[one(people, case.middle)]
    assert np.nanmedian(np.hypot(*apart.T)) < 0.02 * (bottom - top)


def test_upside_down_people_keep_their_left_and_right(case, people):
    turned = case.detector.detect(np.ascontiguousarray(case.picture[::-1, ::-1]))
    height, width = case.picture.shape[:2]
    corner = np.array([width - 1, height - 1])
    back = corner - turned.xy[one(turned, corner - case.middle)]
    there = people.xy[one(people, case.middle)]
    size = case.box[3] - case.box[1]
    apart = np.hypot(*(back - there).T)
    swapped = np.hypot(*(back - there[case.detector.skeleton.mirror]).T)
    assert np.nanmedian(apart) < 0.05 * size
    assert np.nanmedian(apart) < np.nanmedian(swapped)


def test_arrays_fit_together(detector, people):
    n_people, n_joints = len(people), len(detector.skeleton.joints)
    assert people.xy.shape == (n_people, n_joints, 2)
    assert people.score.shape == (n_people, n_joints)
    assert people.box.shape == (n_people, 4)
    assert {people.xy.dtype, people.score.dtype, people.box.dtype} == {np.dtype(np.float32)}
    assert np.all((people.score >= 0) & (people.score <= 1))
    assert np.all(people.score[np.isnan(people.xy).any(-1)] == 0)
    assert np.all(people.box[:, 2:] > people.box[:, :2])
    assert np.all(people.origin == -1)
    assert people.hint is None or len(people.hint) == n_people


def test_the_same_picture_gives_the_same_people(detector, picture, people):
    detector.detect(np.ascontiguousarray(picture[:, ::-1]))  # leaves no trace
    again = detector.detect(picture)
    np.testing.assert_array_equal(again.xy, people.xy)
    np.testing.assert_array_equal(again.score, people.score)


def test_the_picture_is_left_alone(detector, picture):
    before = picture.copy()
    detector.detect(picture)
    np.testing.assert_array_equal(picture, before)


def test_colours_are_told_apart(detector, picture, people):
    swapped = detector.detect(np.ascontiguousarray(picture[..., ::-1]))
    same = swapped.xy.shape == people.xy.shape
    assert not same or np.nanmax(np.abs(swapped.xy - people.xy)) > 0.1


def test_a_picture_need_not_be_contiguous(detector, picture, people):
    view = np.ascontiguousarray(picture[:, ::-1])[:, ::-1]
    assert not view.flags.c_contiguous
    np.testing.assert_array_equal(detector.detect(view).xy, people.xy)


def test_people_near_come_first_and_say_so(detector, picture, people):
    found = detector.detect(picture, people)
    followed = found.origin >= 0
    assert np.all(np.diff(found.origin[followed]) > 0)
    assert np.all(np.diff(followed.astype(int)) <= 0)
    assert np.all(found.origin < len(people))
