"""A clip's time cut into parts, whatever its length and its times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose3d_cli.pose.spans import Parting


def cut(times_s, part_s=10.0, margin_s=3.0):
    return list(Parting(part_s=part_s, margin_s=margin_s).spans(enumerate(times_s)))


def seconds(length_s, fps=10):
    return np.arange(round(length_s * fps)) / fps


def own(spans):
    return [(float(s.own_time_s[0]), float(s.own_time_s[-1])) for s in spans]


@pytest.mark.parametrize("length_s", [0.1, 9.9, 10, 10.1, 15])
def test_a_clip_of_up_to_one_part_and_a_half_is_one(length_s):
    (span,) = cut(seconds(length_s))
    assert span.is_whole
    assert len(span.own_frames) == len(span.frames) == round(length_s * 10)
    assert span.shared_from_s == np.inf


def test_the_last_part_is_never_short():
    assert own(cut(seconds(15.2))) == [(0, 9.9), (10, 15.1)]
    assert own(cut(seconds(24.9))) == [(0, 9.9), (10, 24.8)]
    spans = cut(seconds(25.2))
    assert own(spans) == [(0, 9.9), (10, 19.9), (20, 25.1)]
    assert [span.number for span in spans] == [1, 2, 3]
    assert [span.is_last for span in spans] == [False, False, True]
    assert not any(span.is_whole for span in spans)


def test_parts_see_three_seconds_of_their_neighbours():
    spans = cut(seconds(40))
    assert [(float(s.time_s[0]), float(s.time_s[-1])) for s in spans] == [
        (0, 12.9),
        (7, 22.9),
        (17, 32.9),
        (27, 39.9),
    ]
    assert [span.shared_from_s for span in spans] == [7, 17, 27, np.inf]


def test_a_part_is_told_as_soon_as_that_is_sure():
    read = []

    def pictures():
        for picture in enumerate(seconds(40)):
            read.append(picture[1])
            yield picture

    next(Parting(part_s=10.0, margin_s=3.0).spans(pictures()))
    assert read[-1] == 15


def test_parts_begin_with_the_first_picture_and_not_with_the_file():
    assert own(cut(seconds(30) + 4))[0] == (4, 13.9)


def test_of_few_pictures_a_second_ten_are_seen_of_neighbours():
    spans = cut(np.arange(60) * 3.0, part_s=60.0)
    assert spans[0].time_s[-1] == 87
    assert spans[1].time_s[0] == 30


def test_a_pause_of_several_parts_leaves_none_empty():
    times_s = np.concatenate([seconds(12), seconds(50) + 75])
    spans = cut(times_s)
    assert own(spans)[:3] == [(0, 9.9), (10, 11.9), (75, 79.9)]
    assert all(len(span.own_frames) for span in spans)


def test_no_picture_is_no_part():
    assert cut([]) == []


@given(
    st.lists(st.floats(0.01, 3.0), min_size=1, max_size=200),
    st.floats(0.5, 20),
    st.floats(0.1, 5),
)
def test_every_picture_is_in_one_part_and_neighbours_share_their_margins(steps, part_s, margin_s):
    times_s = np.cumsum(steps)
    spans = cut(times_s, part_s, margin_s)
    assert np.concatenate([s.own_frames for s in spans]).tolist() == list(range(len(steps)))
    assert [s.is_last for s in spans] == [False] * (len(spans) - 1) + [True]
    for one, other in pairwise(spans):
        shared = one.frames[one.time_s >= one.shared_from_s]
        assert np.array_equal(other.frames[: len(shared)], shared)
        assert one.shared_from_s <= other.own_time_s[0] - margin_s + 1e-6
