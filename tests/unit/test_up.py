"""Many votes on which way is up."""

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.pose.up import LONGEST_S, FoundUp, Votes, fused, people_of, robust_mean, said_up
from tests.angles import angle_deg

AHEAD = np.array([0.0, 0.0, 1.0])


def tilted(across_deg=0.0, along_deg=0.0):
    """Up of the picture, tilted to the right, and away from the viewer."""
    across, along = np.radians([across_deg, along_deg])
    up = np.array([np.sin(across), -1.0, np.sin(along)])
    return up / np.linalg.norm(up)


def votes(*ups, seconds=6.0, across_deg=2.0, along_deg=5.0):
    n = len(ups)
    return Votes(
        up=np.array(ups).reshape(-1, 3),
        ray=np.tile(AHEAD, (n, 1)),
        weight=np.full(n, seconds),
        across_deg=np.full(n, across_deg),
        along_deg=np.full(n, along_deg),
    )


def found(across_deg, along_deg, sure=(2.0, 4.0)):
    up = tilted(across_deg, along_deg)
    across = np.cross(AHEAD, up)
    return FoundUp(
        up=up,
        across=across / np.linalg.norm(across),
        across_deg=sure[0],
        along_deg=sure[1],
        seconds=3.0,
    )


def test_one_vote_far_off_hardly_moves_the_mean():
    up, across = robust_mean(votes(*[tilted()] * 9, tilted(0, 40)))
    assert angle_deg(up, tilted()) < 1.5
    assert abs(across @ up) < 1e-9
    assert abs(across @ AHEAD) < 1e-9


def test_votes_count_less_where_they_may_be_farther_off():
    sure = votes(tilted(0, 10), across_deg=2.0, along_deg=2.0)
    unsure = votes(tilted(0, -10), across_deg=2.0, along_deg=8.0)
    up, _ = robust_mean(Votes.of_all([sure, unsure]))
    assert angle_deg(up, tilted(0, 10)) < 3


def test_two_answers_count_each_way_as_far_as_they_are_sure():
    one, other = found(1.0, 2.0, sure=(1.0, 6.0)), found(-1.0, -2.0, sure=(3.0, 2.0))
    both = fused(one, other)
    # 9 : 1 across, 1 : 9 along, of 2 and of 4 degrees between them
    assert angle_deg(both.up, tilted(0.8, -1.6)) < 0.05
    assert both.across_deg == pytest.approx((1 + 1 / 9) ** -0.5)
    assert both.along_deg == pytest.approx((1 / 36 + 1 / 4) ** -0.5)
    assert np.linalg.norm(both.up) == pytest.approx(1)
    assert angle_deg(fused(other, one).up, both.up) < 0.05


def test_answers_that_contradict_each_other_are_less_sure():
    one, other = found(0.0, -20.0, sure=(2.0, 3.0)), found(0.0, 20.0, sure=(2.0, 4.0))
    both = fused(one, other)
    assert both.across_deg == pytest.approx(2 / np.sqrt(2))
    apart = np.sin(np.radians(angle_deg(one.up, other.up)))  # as seen along the axis of one of them
    assert both.along_deg == pytest.approx(12 / 5 * np.degrees(apart) / 5)


def test_an_answer_and_itself_are_surer():
    one = found(3.0, 6.0)
    both = fused(one, one)
    np.testing.assert_allclose(both.up, one.up)
    assert both.sure_deg == pytest.approx(one.sure_deg / np.sqrt(2))


def test_more_windows_of_one_view_do_not_make_it_surer_but_more_people_do():
    one = said_up([votes(tilted(1, 2))])
    long = said_up([votes(*[tilted(1, 2)] * 3)])
    two = said_up([votes(tilted(1, 2)), votes(tilted(1, 2))])
    crowd = said_up([votes(tilted(1, 2))] * 10)
    assert (one.across_deg, one.along_deg) == pytest.approx((2, 5))
    assert (long.across_deg, long.along_deg) == pytest.approx((2, 5))
    assert two.along_deg == pytest.approx(5 / np.sqrt(2))
    assert crowd.along_deg == pytest.approx(5 / np.sqrt(3))
    assert angle_deg(one.up, tilted(1, 2)) < 1e-6
    assert one.seconds == 6
    assert long.seconds == 18


def test_windows_that_differ_by_more_than_they_say_are_less_sure():
    differ = said_up([votes(*[tilted(0, -20), tilted(0, 20)] * 4)])
    assert differ.across_deg == pytest.approx(2)
    assert differ.along_deg == pytest.approx(angle_deg(tilted(0, 20), tilted()), rel=0.03)


def test_who_stays_long_has_no_more_say_than_twenty_seconds():
    stays = votes(*[tilted(0, 8)] * 100)
    passes = votes(*[tilted(0, -2)] * 3, seconds=LONGEST_S / 3)
    assert people_of([20.0, 20.0]) == 2
    assert people_of([20.0, 0.0]) == 1
    up = said_up([stays, passes]).up
    assert angle_deg(up, tilted(0, 3)) < 0.5


def test_windows_that_say_the_picture_lies_are_left_out():
    lying = votes(tilted(), np.array([1.0, 0.0, 0.0]))
    assert angle_deg(said_up([lying]).up, tilted()) < 1e-6
    assert said_up([lying]).seconds == 6
    assert said_up([votes(np.array([1.0, 0.0, 0.0]))]) is None
    assert said_up([votes()]) is None
    assert said_up([]) is None


def test_votes_of_all_keep_their_order():
    one, other = votes(tilted(1, 0)), replace(votes(tilted(2, 0)), weight=np.array([3.0]))
    merged = Votes.of_all([one, other])
    np.testing.assert_allclose(merged.weight, [6, 3])
    np.testing.assert_allclose(merged.up, [tilted(1, 0), tilted(2, 0)])
    assert merged.mean(np.array([1.0, 4.0])) == pytest.approx(2)
