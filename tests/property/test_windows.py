from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose3d_cli.lift.strands import blended, strands_at
from pose3d_cli.lift.windows import cut, lay_windows, stitch

lengths = st.integers(1, 200)
window_lengths = st.integers(1, 60)


@st.composite
def clips(draw):
    n_frames, window = draw(lengths), draw(window_lengths)
    stride = draw(st.none() | st.integers(1, window))
    return n_frames, lay_windows(n_frames, window, stride)


@given(clips(), st.integers(0, 1000))
def test_stitching_what_was_cut_gives_the_clip(clip, seed):
    n_frames, windows = clip
    values = np.random.default_rng(seed).normal(size=(n_frames, 4, 3)).astype(np.float32)
    again = stitch(cut(values, windows), windows)
    assert again.dtype == values.dtype
    np.testing.assert_allclose(again, values, rtol=1e-6)


@given(clips())
def test_every_frame_has_a_real_place_and_every_window_a_rising_run_of_them(clip):
    n_frames, windows = clip
    assert set(windows.index[windows.is_real]) == set(range(n_frames))
    for index, real in zip(windows.index, windows.is_real, strict=True):
        assert (np.diff(index[real]) == 1).all()
    assert (windows.weight > 0).tolist() == windows.is_real.tolist()


@given(lengths, window_lengths)
def test_neighbours_in_a_window_are_neighbours_in_the_clip(n_frames, window):
    steps = np.abs(np.diff(lay_windows(n_frames, window).index, axis=1))
    assert (steps == (1 if n_frames > 1 else 0)).all()


@given(st.integers(28, 300), st.integers(0, 1000))
def test_windows_that_disagree_are_blended_without_a_jump(n_frames, seed):
    """Answers that are 0 in some windows and 1 in others: the change takes half a window."""
    windows = lay_windows(n_frames, 27)
    offset = np.random.default_rng(seed).choice([0.0, 1.0], size=len(windows.index))
    answers = np.broadcast_to(offset[:, None, None], (*windows.index.shape, 1))
    steps = np.abs(np.diff(stitch(answers, windows), axis=0))
    assert steps.max() < 1 / 9


def test_a_short_clip_stands_in_the_middle_and_is_reflected():
    windows = lay_windows(4, 9)
    assert windows.index.tolist() == [[2, 1, 0, 1, 2, 3, 2, 1, 0]]
    assert windows.is_real[0].nonzero()[0].tolist() == [2, 3, 4, 5]


def test_one_frame_repeats_itself():
    windows = lay_windows(1, 5)
    assert windows.index.tolist() == [[0] * 5]
    assert windows.is_real.sum() == 1


def test_at_most_half_a_window_apart_and_the_last_ends_with_the_clip():
    assert lay_windows(29, 9).index[:, 0].tolist() == [0, 4, 8, 12, 16, 20]
    assert lay_windows(30, 9).index[:, 0].tolist() == [0, 4, 7, 10, 14, 18, 21]
    assert lay_windows(9, 9).index[:, 0].tolist() == [0]


@pytest.mark.parametrize(("n_frames", "stride"), [(0, None), (10, 0), (10, 10)])
def test_windows_that_would_leave_frames_out_are_refused(n_frames, stride):
    with pytest.raises(ValueError, match="cannot lay windows of 9"):
        lay_windows(n_frames, 9, stride)


def test_answers_of_another_shape_are_refused():
    windows = lay_windows(20, 9)
    with pytest.raises(ValueError, match="do not fit"):
        stitch(np.zeros((1, 9, 3)), windows)
    with pytest.raises(ValueError, match="cannot cut 19"):
        cut(np.zeros((19, 3)), windows)


def test_strands_follow_the_rate_of_the_clip_up_to_what_is_worth_lifting():
    assert [strands_at(hz, 12.5) for hz in (0.0, 5.0, 15.0, 24.0, 30.0, 240.0)] == [
        1,
        1,
        1,
        2,
        2,
        2,
    ]
    assert [strands_at(hz, 25.0) for hz in (5.0, 30.0, 240.0)] == [1, 1, 1]


def test_strands_that_agree_on_an_even_motion_are_left_alone_and_a_tremble_between_two_is_gone():
    even = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    np.testing.assert_allclose(blended(even)[1:-1], even[1:-1], atol=1e-6)
    tremble = np.where(np.arange(20) % 2, 0.01, -0.01).astype(np.float32)[:, None]
    np.testing.assert_allclose(blended(even + tremble)[1:-1], even[1:-1], atol=1e-6)
    assert blended(even[:1]) == even[:1]
