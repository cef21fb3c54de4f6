"""Detectors in two steps: whom they follow, whom they find anew, whom they drop."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.detect.topdown import TopDown
from pose3d_cli.pose.skeleton import COCO17

PICTURE = np.zeros((400, 600, 3), np.uint8)
SHAPE = np.random.default_rng(1).random((17, 2))
SHAPE[[0, 16]] = [[0.0, 0.0], [1.0, 1.0]]


class Boxes:
    """Stands for a person detector that finds what it is told to."""

    name = "boxes"

    def __init__(self, *rows):
        self.rows, self.asked = rows, 0

    def boxes(self, image):
        self.asked += 1
        return np.array(self.rows, np.float32).reshape(-1, 5)


class Net:
    """Stands for a keypoint network that knows where people are: the nearest to a box answers."""

    skeleton = COCO17

    def __init__(self, *people, score=0.9):
        self.people, self.score, self.looked = np.array(people, float), score, []

    def keypoints(self, image, box):
        self.looked.append(box.copy())
        middle = (box[:, :2] + box[:, 2:]) / 2
        truth = (self.people[:, :2] + self.people[:, 2:]) / 2
        apart = np.hypot(*(middle[:, None] - truth).transpose(2, 0, 1))
        person = self.people[apart.argmin(1)]
        xy = person[:, None, :2] + SHAPE * (person[:, None, 2:] - person[:, None, :2])
        near = apart.min(1) < 100
        score = np.where(near[:, None], self.score, 0.05) * np.ones((1, 17))
        return xy.astype(np.float32), score.astype(np.float32)


ONE, OTHER = [50, 50, 150, 350], [400, 60, 500, 360]


def sure(box, score=0.9):
    return [*box, score]


def test_people_are_found_in_their_boxes():
    net = Net(ONE, OTHER)
    found = TopDown("toy", Boxes(sure(ONE), sure(OTHER)), net).detect(PICTURE)
    assert found.origin.tolist() == [-1, -1]
    np.testing.assert_allclose(found.xy[0, 16], ONE[2:])
    np.testing.assert_allclose(found.xy[1, 0], OTHER[:2])
    # A tenth wider on each side than the keypoints, and a pixel.
    np.testing.assert_allclose(found.box[0], [39, 19, 161, 381], atol=1e-3)


def test_newcomers_are_looked_at_a_second_time_from_their_keypoints():
    net = Net(ONE)
    TopDown("toy", Boxes(sure([0, 0, 200, 400])), net).detect(PICTURE)
    np.testing.assert_allclose(net.looked[1], [[39, 19, 161, 381]], atol=1e-3)


def test_nobody_is_found_where_nobody_is():
    net = Net(ONE, score=0.05)
    assert len(TopDown("toy", Boxes(sure(ONE)), net).detect(PICTURE)) == 0
    empty = TopDown("toy", Boxes(), net).detect(PICTURE)
    assert empty.xy.shape == (0, 17, 2)
    assert empty.box.shape == (0, 4)


def test_known_people_are_followed_without_a_search():
    boxes, net = Boxes(sure(ONE), sure(OTHER)), Net(ONE, OTHER)
    detector = TopDown("toy", boxes, net)
    before = detector.detect(PICTURE)
    moved = Net([60, 55, 160, 355], [390, 60, 490, 360])
    detector = TopDown("toy", boxes, moved)
    after = detector.detect(PICTURE, before, search=Search.NONE)
    assert boxes.asked == 1
    assert after.origin.tolist() == [0, 1]
    np.testing.assert_allclose(after.xy[0, 16], [160, 355])
    # Nobody near means searching anyway.
    nobody = before.take(np.zeros(2, bool))
    assert len(detector.detect(PICTURE, nobody, search=Search.NONE)) == 2
    assert boxes.asked == 2


def test_a_search_gives_those_known_new_boxes_and_finds_newcomers():
    boxes, net = Boxes(sure(OTHER, 0.95), sure([55, 50, 155, 350])), Net(ONE, OTHER)
    detector = TopDown("toy", boxes, net)
    before = TopDown("toy", Boxes(sure(ONE)), net).detect(PICTURE)
    net.looked.clear()
    after = detector.detect(PICTURE, before)
    assert after.origin.tolist() == [0, -1]
    np.testing.assert_allclose(net.looked[0], [[55, 50, 155, 350], OTHER])


def test_whom_the_search_misses_is_still_followed():
    net = Net(ONE, OTHER)
    before = TopDown("toy", Boxes(sure(ONE), sure(OTHER)), net).detect(PICTURE)
    after = TopDown("toy", Boxes(sure(OTHER)), net).detect(PICTURE, before)
    assert after.origin.tolist() == [0, 1]


def test_two_boxes_of_one_person_are_one_person():
    net = Net(ONE)
    twice = Boxes(sure(ONE), sure([50, 40, 150, 200], 0.8))
    assert len(TopDown("toy", twice, net).detect(PICTURE)) == 1
    followed = People2D(
        box=np.array([ONE, [60, 60, 140, 340]], np.float32),
        xy=np.zeros((2, 17, 2), np.float32),
        score=np.ones((2, 17), np.float32),
        origin=np.array([-1, -1]),
    )
    after = TopDown("toy", Boxes(), net).detect(PICTURE, followed, search=Search.NONE)
    assert after.origin.tolist() == [0]


def test_people_who_overlap_are_both_found():
    beside = [90, 50, 190, 350]
    net = Net(ONE, beside)
    before = TopDown("toy", Boxes(sure(ONE)), net).detect(PICTURE)
    after = TopDown("toy", Boxes(sure(ONE), sure(beside)), net).detect(PICTURE, before)
    assert after.origin.tolist() == [0, -1]


def test_unsure_keypoints_do_not_widen_the_box():
    class Unsure(Net):
        def keypoints(self, image, box):
            xy, score = super().keypoints(image, box)
            xy[:, 3], score[:, 3] = [599, 399], 0.1
            return xy, score

    found = TopDown("toy", Boxes(sure(ONE)), Unsure(ONE)).detect(PICTURE)
    np.testing.assert_allclose(found.box[0], [39, 19, 161, 381], atol=1e-3)


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_people_than_asked_for(most):
    boxes = Boxes(sure(ONE), sure(OTHER), sure([250, 60, 350, 360]))
    net = Net(ONE, OTHER, [250, 60, 350, 360])
    detector = TopDown("toy", boxes, net, max_people=most)
    first = detector.detect(PICTURE)
    assert len(first) == most
    assert len(detector.detect(PICTURE, first)) == most


def test_specks_are_no_people():
    net = Net([10, 10, 20, 30])
    assert len(TopDown("toy", Boxes(sure([10, 10, 20, 30])), net).detect(PICTURE)) == 0
    assert net.looked == []


def test_joints_outside_the_picture_count_for_nothing():
    edge = [500, 60, 700, 360]  # the picture ends at 600
    found = TopDown("toy", Boxes(sure(edge)), Net(edge)).detect(PICTURE)
    outside = found.xy[0, :, 0] > 599 + 0.1 * 360
    inside = found.xy[0, :, 0] <= 599
    assert outside.any()
    assert np.all(found.score[0, outside] == 0)
    np.testing.assert_allclose(found.score[0, inside], 0.9, rtol=1e-5)


def test_a_second_box_of_somebody_known_takes_nobodys_place():
    net = Net(ONE, OTHER)
    before = TopDown("toy", Boxes(sure(ONE)), net).detect(PICTURE)
    twice = Boxes(sure(ONE), sure([52, 52, 150, 348], 0.95), sure(OTHER, 0.5))
    after = TopDown("toy", twice, net, max_people=2).detect(PICTURE, before)
    assert after.origin.tolist() == [0, -1]
    np.testing.assert_allclose(after.xy[1, 0], OTHER[:2])


def test_of_too_many_known_the_first_are_followed():
    net = Net(ONE, OTHER)
    before = TopDown("toy", Boxes(sure(ONE), sure(OTHER)), net).detect(PICTURE)
    after = TopDown("toy", Boxes(), net, max_people=1).detect(PICTURE, before, search=Search.NONE)
    assert after.origin.tolist() == [0]


@pytest.mark.parametrize(
    ("sure_joints", "score", "rest", "people"),
    [(4, 0.95, 0.05, 0), (3, 0.95, 0.25, 0), (4, 0.95, 0.25, 1), (17, 0.31, 0.0, 1)],
)
def test_a_person_has_some_sure_joints_and_is_not_all_guess(sure_joints, score, rest, people):
    class Pattern(Net):
        def keypoints(self, image, box):
            xy, found = super().keypoints(image, box)
            found[:] = rest
            found[:, :sure_joints] = score
            return xy, found

    found = TopDown("toy", Boxes(sure(ONE)), Pattern(ONE)).detect(PICTURE)
    assert len(found) == people
