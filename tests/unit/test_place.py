from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.place import place_root, smooth_depth
from pose3d_cli.pose.skeleton import H36M17

# A standing person, metres, x right, y down, z away; the middle line, then the left half.
MIDDLE = {
    "pelvis": (0, 0, 0),
    "spine": (0, -0.25, 0.02),
    "thorax": (0, -0.5, 0),
    "nose": (0, -0.62, -0.08),
    "head": (0, -0.75, 0),
}
LEFT = {
    "hip": (0.13, 0, 0),
    "knee": (0.14, 0.43, -0.05),
    "ankle": (0.14, 0.85, 0.05),
    "shoulder": (0.17, -0.46, 0.02),
    "elbow": (0.25, -0.2, 0.05),
    "wrist": (0.28, 0.03, -0.08),
}
PLACES = MIDDLE | {
    f"{side}_{joint}": (sign * x, y, z)
    for side, sign in (("left", 1), ("right", -1))
    for joint, (x, y, z) in LEFT.items()
}
PERSON = np.array([PLACES[joint] for joint in H36M17.joints], np.float64)
FOCAL_PX = 1145


def rays_of(xyz: np.ndarray) -> np.ndarray:
    return xyz[..., :2] / xyz[..., 2:]


def walk(root: np.ndarray, *, noise_px: float = 0, noise_m: float = 0, seed: int = 0):
    """Return the pose as a lifter would see it, the rays a detector would, and full weights."""
    random = np.random.default_rng(seed)
    pose = np.repeat(PERSON[None], len(root), 0)
    rays = rays_of(pose + root[:, None])
    rays += random.normal(0, noise_px / FOCAL_PX, rays.shape)
    return pose + random.normal(0, noise_m, pose.shape), rays, np.ones(pose.shape[:2])


ROOT = np.array([[0.3, -0.2, 4.5], [-1, 0.5, 2.0], [3, 0, 9.0]])


def test_the_pelvis_is_found_exactly():
    np.testing.assert_allclose(place_root(*walk(ROOT)), ROOT, atol=1e-9)


def test_a_joint_without_weight_does_not_matter():
    pose, rays, weight = walk(ROOT)
    weight[:, ::2] = 0
    rays[:, 0], rays[:, 2] = np.nan, 7.0
    np.testing.assert_allclose(place_root(pose, rays, weight), ROOT, atol=1e-9)


def test_the_answer_is_the_weighted_least_squares():
    pose, rays, _ = walk(ROOT[:1], noise_px=9, noise_m=0.05)
    weight = np.random.default_rng(3).uniform(0.1, 1, pose.shape[:2])
    rows, wanted = [], []
    for p, n, w in zip(pose[0], rays[0], weight[0], strict=True):
        rows += [np.sqrt(w) * np.array([1, 0, -n[0]]), np.sqrt(w) * np.array([0, 1, -n[1]])]
        wanted += [np.sqrt(w) * (n[0] * p[2] - p[0]), np.sqrt(w) * (n[1] * p[2] - p[1])]
    answer, *_ = np.linalg.lstsq(np.array(rows), np.array(wanted))
    np.testing.assert_allclose(place_root(pose, rays, weight)[0], answer, rtol=1e-9)


def test_noise_costs_what_the_geometry_says():
    root = np.repeat([[0.2, -0.1, 4.5]], 2000, 0)
    error = place_root(*walk(root, noise_px=3)) - root
    # 3 px of noise at f = 1145 px and 4.5 m: some 25 mm in depth, far less sideways.
    assert 0.015 < np.abs(error[:, 2]).mean() < 0.035
    assert np.abs(error[:, :2]).mean() < 0.005


def test_two_joints_do_not_place_a_person():
    pose, rays, weight = walk(ROOT)
    weight[1, 2:] = 0
    root = place_root(pose, rays, weight)
    assert np.isnan(root[1]).all()
    np.testing.assert_allclose(root[[0, 2]], ROOT[[0, 2]], atol=1e-9)


def test_joints_on_one_ray_do_not_place_a_person():
    pose, _, weight = walk(ROOT[:1])
    assert np.isnan(place_root(pose, np.full((1, 17, 2), 0.1), weight)).all()
    # Nor do joints that differ by less than any detector could tell.
    assert np.isnan(place_root(pose, 0.1 + 1e-9 * pose[..., :2], weight)).all()


def test_nobody_stands_behind_the_camera():
    pose, rays, weight = walk(ROOT[:1])
    # Seen upside down and left for right: only a person behind the camera projects so.
    assert np.isnan(place_root(pose, -rays, weight)).all()


def test_no_weight_at_all_is_no_place_and_no_warning():
    pose, rays, weight = walk(ROOT)
    with np.errstate(all="raise"):
        assert np.isnan(place_root(pose, rays, weight * 0)).all()


TIME_S = np.arange(300) / 30


def approach(time_s: np.ndarray) -> np.ndarray:
    """Walk towards the camera at 0.4 m/s, drifting sideways."""
    return np.stack([0.2 * time_s, 0 * time_s - 0.1, 8 - 0.4 * time_s], -1)


def depth_error_m(root: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(root[:, 2] - truth[:, 2]).mean())


def test_smoothing_takes_most_of_the_noise_of_depth():
    truth = approach(TIME_S)
    placed = place_root(*walk(truth, noise_px=6, noise_m=0.05))
    smooth = smooth_depth(placed, TIME_S)
    assert depth_error_m(placed, truth) > 0.08
    assert depth_error_m(smooth, truth) < 0.4 * depth_error_m(placed, truth)
    # The ends have neighbours on one side only, and still gain.
    assert depth_error_m(smooth[-15:], truth[-15:]) < depth_error_m(placed[-15:], truth[-15:])


def test_the_pelvis_stays_on_its_ray():
    placed = place_root(*walk(approach(TIME_S), noise_px=6, noise_m=0.05))
    np.testing.assert_allclose(rays_of(smooth_depth(placed, TIME_S)), rays_of(placed), atol=1e-12)


def test_steady_walking_is_not_held_back():
    truth = approach(TIME_S)
    np.testing.assert_allclose(smooth_depth(truth, TIME_S), truth, rtol=2e-3)


def test_uneven_frame_times_do_no_harm():
    time_s = np.cumsum(np.random.default_rng(5).uniform(0.01, 0.12, 200))
    truth = approach(time_s * 0.8)
    np.testing.assert_allclose(smooth_depth(truth, time_s), truth, rtol=2e-3)


@pytest.mark.parametrize("bad", [slice(100, 101), slice(100, 106), slice(0, 3), slice(297, 300)])
def test_frames_that_jump_away_are_pulled_back(bad):
    truth = approach(TIME_S)
    noisy = truth * (1 + np.random.default_rng(7).normal(0, 0.01, (300, 1)))
    noisy[bad] *= 2.5
    error = np.abs(smooth_depth(noisy, TIME_S)[:, 2] - truth[:, 2])
    assert error.max() < 0.15


def test_gaps_are_filled_along_the_way():
    truth = approach(TIME_S)
    gappy = truth.copy()
    gappy[[0, 50, 51, 52, 53, 299]] = np.nan
    gappy[120:150] = np.nan
    smooth = smooth_depth(gappy, TIME_S)
    assert np.isfinite(smooth).all()
    np.testing.assert_allclose(smooth[1:299], truth[1:299], atol=0.05)


@pytest.mark.parametrize("n_frames", [1, 2, 3, 5])
def test_short_clips_are_kept(n_frames):
    truth = approach(TIME_S[:n_frames])
    np.testing.assert_allclose(smooth_depth(truth, TIME_S[:n_frames]), truth, rtol=1e-3)


def test_a_person_who_is_nowhere_stays_nowhere():
    assert np.isnan(smooth_depth(np.full((4, 3), np.nan), TIME_S[:4])).all()


def test_no_frames_are_no_trouble():
    assert smooth_depth(np.zeros((0, 3)), np.zeros(0)).shape == (0, 3)


def test_the_blocks_of_a_long_clip_do_not_show():
    time_s = np.arange(9000) / 30
    truth = np.stack([0 * time_s, 0 * time_s, 5 + np.sin(time_s / 3)], -1)
    np.testing.assert_allclose(smooth_depth(truth, time_s), truth, rtol=5e-3, atol=1e-9)
