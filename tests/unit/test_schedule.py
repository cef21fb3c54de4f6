import pytest

from pose3d_cli.detect.base import Search
from pose3d_cli.detect.schedule import Schedule


def run(schedule, n_pictures, lost=()):
    searches = []
    for index in range(n_pictures):
        searches.append(schedule.due())
        schedule.passed(searches[-1], somebody_lost=index in lost)
    return searches


def places(searches, least):
    return [index for index, search in enumerate(searches) if search >= least]


def test_three_searches_a_second_and_every_third_of_them_is_thorough():
    searches = run(Schedule.of(30.0), 61)
    assert places(searches, Search.USUAL) == [0, 10, 20, 30, 40, 50, 60]
    assert places(searches, Search.THOROUGH) == [0, 30, 60]


def test_whoever_is_lost_is_searched_for_at_once_but_not_thoroughly():
    searches = run(Schedule.of(30.0), 30, lost=(4, 5))
    assert places(searches, Search.USUAL) == [0, 5, 6, 16, 26]
    assert places(searches, Search.THOROUGH) == [0]


@pytest.mark.parametrize(("every", "thorough"), [(1, [0, 10, 20]), (12, [0, 12, 24])])
def test_the_pace_asked_for_is_kept_and_searches_are_thorough_once_a_second(every, thorough):
    searches = run(Schedule.of(10.0, every), 25)
    assert places(searches, Search.USUAL) == list(range(0, 25, every))
    assert places(searches, Search.THOROUGH) == thorough


def test_of_few_pictures_a_second_all_are_searched():
    assert run(Schedule.of(0.5), 4) == [Search.THOROUGH] * 4
