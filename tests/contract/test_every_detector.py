"""What every detector on the shelf keeps, whatever it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.detect.base import Detector, People2D
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.files.video import open_video

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.mp4"


@pytest.fixture(scope="module", params=DETECTORS.names())
def detector(request) -> Detector:
    return DETECTORS.get(request.param)()


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    with open_video(SAMPLE) as video:
        return next(iter(video)).image


@pytest.fixture(scope="module")
def people(detector, picture) -> People2D:
    return detector.detect(picture)


def test_the_shelf_is_not_empty():
    assert "blazepose" in DETECTORS.names()
    with pytest.raises(UnknownNameError, match="no detector 'blazpose'; did you mean 'blazepose'"):
        DETECTORS.get("blazpose")


def test_it_knows_its_name(detector):
    assert detector.name in DETECTORS.names()


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


def test_people_are_found_where_they_are(detector, people, picture):
    # In the first frame a man stands on the roof on the left, a woman walks on the right.
    height, width = picture.shape[:2]
    assert len(people) >= 1
    nose, ankle = (detector.skeleton.index(joint) for joint in ("nose", "left_ankle"))
    assert np.all(people.xy[:, nose, 1] < people.xy[:, ankle, 1])
    woman = np.array([0.84 * width, 0.72 * height])
    middle = np.nanmean(people.xy, axis=1)
    assert np.hypot(*(middle - woman).T).min() < 0.1 * width


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
    assert swapped.xy.shape != people.xy.shape or np.abs(swapped.xy - people.xy).max() > 0.1


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
