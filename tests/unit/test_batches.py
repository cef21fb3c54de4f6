import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose3d_cli.lift.batches import answered

WINDOW = 3


def part(numbers):
    """Windows that show their number everywhere."""
    shown = np.array(numbers, np.float32)[:, None, None]
    score = np.broadcast_to(shown, (len(numbers), WINDOW, 17))
    return np.repeat(score[..., None], 2, axis=-1), score


class Run:
    """Answers each window with its number, and notes how many it is given."""

    def __init__(self):
        self.batches = []

    def __call__(self, cuts):
        coordinates, score = cuts
        np.testing.assert_array_equal(coordinates[..., 0], score)
        self.batches.append(len(score))
        return np.repeat(coordinates[..., :1], 3, axis=-1)


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), max_size=8), st.integers(1, 7))
def test_answers_belong_to_their_parts_and_batches_are_full_but_the_last(lengths, batch):
    numbers = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1]) if lengths else []
    run = Run()
    found = list(answered((part(n) for n in numbers), run, batch))
    assert [answer[:, 0, 0, 0].tolist() for answer in found] == [n.tolist() for n in numbers]
    assert run.batches[:-1] == [batch] * (len(run.batches) - 1)
    assert sum(run.batches) == sum(lengths)


def test_parts_are_taken_as_they_are_needed():
    taken = []

    def parts():
        for number in range(5):
            taken.append(number)
            yield part([number] * 4)

    answers = answered(parts(), Run(), 4)
    next(answers)
    assert taken == [0]


def test_a_part_is_given_back_before_the_next_is_answered():
    run = Run()
    answers = answered([part([0, 0]), part([1, 1]), part([2, 2])], run, 3)
    next(answers)
    assert run.batches == [3]


@pytest.mark.parametrize("batch", [1, 100])
def test_nobody_is_nothing(batch):
    assert list(answered([], Run(), batch)) == []
