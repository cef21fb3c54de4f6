from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.resample import keypoints_at, poses_at, uniform_times

RATES = [10.0, 24.0, 29.97, 30.0, 50.0, 60.0, 120.0, 240.0]


def times(fps: float, seconds: float = 3.0, *, uneven: float = 0.0, seed: int = 0) -> np.ndarray:
    time_s = 5.0 + np.arange(round(seconds * fps) + 1) / fps
    return time_s + np.random.default_rng(seed).uniform(-uneven, uneven, len(time_s)) / fps


def steady(time_s: np.ndarray) -> np.ndarray:
    speed = np.array([[3.0, -1.0], [0.0, 2.0], [-0.5, 0.25]])
    return (speed * (time_s[:, None, None] - 5) + [[1, 2], [3, 4], [5, 6]]).astype(np.float32)


def ones(time_s: np.ndarray) -> np.ndarray:
    return np.ones((len(time_s), 3), np.float32)


@pytest.mark.parametrize("fps", [25.0, 24.0, 25.5])
def test_a_clip_at_the_rate_wanted_stays_exactly_as_it_is(fps):
    time_s = times(fps, uneven=0.02)
    new = uniform_times(time_s, 25.0)
    xy = steady(time_s)
    again, score = keypoints_at(xy, ones(time_s), time_s, new)
    assert new is time_s
    assert np.array_equal(again, xy)
    assert np.array_equal(score, ones(time_s))
    assert np.array_equal(poses_at(xy, new, time_s), xy)


@pytest.mark.parametrize("fps", [*RATES, 15.0])
@pytest.mark.parametrize("uneven", [0.0, 0.4])
def test_new_times_are_even_span_the_clip_and_have_nearly_the_rate(fps, uneven):
    time_s = times(fps, uneven=uneven)
    new = uniform_times(time_s, 25.0)
    if new is time_s:
        assert abs(fps - 25) <= 1.25
        assert uneven == 0
        return
    assert (new[0], new[-1]) == (time_s[0], time_s[-1])
    np.testing.assert_allclose(np.diff(new), 0.04, rtol=0.01)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("uneven", [0.0, 0.4])
def test_steady_motion_survives_there_and_back(fps, uneven):
    time_s = times(fps, uneven=uneven)
    new = uniform_times(time_s, 25.0)
    there, score = keypoints_at(steady(time_s), ones(time_s), time_s, new)
    np.testing.assert_allclose(there, steady(new), atol=1e-5)
    np.testing.assert_allclose(score, 1, atol=1e-6)
    np.testing.assert_allclose(poses_at(there, new, time_s), steady(time_s), atol=1e-5)


@pytest.mark.parametrize("fps", [50.0, 60.0, 120.0, 240.0])
def test_noise_is_averaged_away_where_there_are_frames_to_spare(fps):
    time_s = times(fps, 20.0)
    new = uniform_times(time_s, 25.0)
    noise = np.random.default_rng(0).normal(size=(len(time_s), 3, 2)).astype(np.float32)
    there, _ = keypoints_at(noise, ones(time_s), time_s, new)
    expected = (1.5 * fps / 25) ** -0.5  # of a triangle two new periods wide
    assert there.std() == pytest.approx(expected, rel=0.15)


def test_quick_motion_is_hardly_dulled():
    time_s = times(60.0)
    swing = np.sin(2 * np.pi * 1.5 * time_s)[:, None, None] * np.ones((3, 2), np.float32)
    new = uniform_times(time_s, 25.0)
    there, _ = keypoints_at(swing.astype(np.float32), ones(time_s), time_s, new)
    np.testing.assert_allclose(poses_at(there, new, time_s), swing, atol=0.06)


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_what_was_filled_in_stays_so_and_what_is_unknown_stays_unknown(fps):
    time_s = times(fps)
    xy, score = steady(time_s), ones(time_s)
    score[:, 1] = 0
    xy[:, 2], score[:, 2] = np.nan, 0
    new = uniform_times(time_s, 25.0)
    there, new_score = keypoints_at(xy, score, time_s, new)
    assert (new_score[:, 0] == 1).all()
    assert (new_score[:, 1:] == 0).all()
    np.testing.assert_allclose(there[:, :2], steady(new)[:, :2], atol=1e-5)
    assert np.isnan(there[:, 2]).all()


def test_between_a_seen_and_a_filled_frame_nothing_is_seen():
    time_s, new = np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    score = np.array([[1.0], [0.5], [0.0]], np.float32)
    _, new_score = keypoints_at(np.zeros((3, 1, 2), np.float32), score, time_s, new)
    assert new_score[:, 0].tolist() == [1, 0.5, 0.5, 0, 0]


def test_frames_of_score_nothing_have_no_say_among_others():
    time_s = times(120.0)
    xy, score = steady(time_s), ones(time_s)
    wrong = np.arange(len(time_s)) % 3 == 1
    xy[wrong] += 100
    score[wrong] = 0
    new = uniform_times(time_s, 25.0)
    there, new_score = keypoints_at(xy, score, time_s, new)
    np.testing.assert_allclose(there[1:-1], steady(new)[1:-1], atol=1e-4)
    assert 0.4 < new_score[1:-1].min() < 0.9


def test_a_single_frame_is_left_alone():
    time_s = np.array([7.0])
    assert uniform_times(time_s, 25.0) is time_s


def test_a_slow_clip_of_two_frames_is_drawn_out():
    new = uniform_times(np.array([0.0, 1.0]), 25.0)
    assert len(new) == 26
    assert poses_at(np.array([0.0, 1.0]), np.array([0.0, 1.0]), new)[13] == pytest.approx(0.52)
