from __future__ import annotations

import time

import numpy as np
import pytest

from pose3d_cli.pose.measures import (
    LIMB_JOINTS,
    acceleration_error,
    auc,
    distances,
    mpjpe,
    mpjve,
    n_mpjpe,
    p_mpjpe,
    pck,
)
from pose3d_cli.pose.skeleton import H36M17

TRUTH = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
MEASURES = (mpjpe, p_mpjpe, n_mpjpe, pck, auc)


def test_twelve_limb_joints_each_with_its_pair():
    assert len(set(LIMB_JOINTS)) == 12
    assert set(LIMB_JOINTS) < set(H36M17.joints)
    assert not {"pelvis", "spine", "thorax", "nose", "head"} & set(LIMB_JOINTS)


def test_mpjpe_is_the_mean_of_the_distances():
    poses = TRUTH + np.array([[0.3, 0.4, 0], [0, 0, 0], [0, 0, 1], [0, -0.5, 0]])
    np.testing.assert_allclose(distances(poses, TRUTH), [0.5, 0, 1, 0.5], atol=1e-6)
    assert mpjpe(poses, TRUTH) == pytest.approx(0.5)


def test_measures_keep_the_batch():
    poses = np.stack([np.stack([TRUTH, TRUTH + np.array([0, 0, 0.1]), 2 * TRUTH])] * 2)
    truth = np.broadcast_to(TRUTH, poses.shape)
    mean_radius = (1 + 2 + 3) / 4
    np.testing.assert_allclose(mpjpe(poses, truth), [[0, 0.1, mean_radius]] * 2, atol=1e-6)
    np.testing.assert_allclose(p_mpjpe(poses, truth), np.zeros((2, 3)), atol=1e-6)
    assert n_mpjpe(poses, truth)[0, 2] == pytest.approx(0, abs=1e-6)
    assert n_mpjpe(poses, truth)[0, 1] > 0.05


def test_an_unknown_truth_is_left_out_and_a_missing_answer_is_not():
    poses, truth = TRUTH + np.array([0, 0, 0.25]), TRUTH.copy()
    truth[3] = np.nan
    assert mpjpe(poses, truth) == pytest.approx(0.25)
    assert p_mpjpe(poses, truth) == pytest.approx(0, abs=1e-6)
    poses[0, 1] = np.nan
    for measure in MEASURES:
        assert np.isnan(measure(poses, truth)), measure
        assert np.isnan(measure(TRUTH, np.full_like(TRUTH, np.nan))), measure


def test_velocity_error_is_per_frame():
    """The pose runs 0.2 m a frame along x where the truth stands still; then both stand."""
    truth = np.tile(TRUTH, (4, 1, 1))
    poses = truth.copy()
    poses[:, :, 0] += np.array([0, 0.2, 0.4, 0.4])[:, None]
    np.testing.assert_allclose(mpjve(poses, truth), [0.2, 0.2, 0], atol=1e-6)
    np.testing.assert_allclose(acceleration_error(poses, truth), [0, 0.2], atol=1e-6)


def test_pck_and_auc_at_the_border():
    near, at = TRUTH + np.array([0.1499, 0, 0]), TRUTH.astype(np.float64) + np.array([0.15, 0, 0])
    assert pck(near, TRUTH) == 1
    assert auc(near, TRUTH) == pytest.approx(1 / 31)
    assert pck(at, TRUTH.astype(np.float64), 0.15 - 1e-9) == 0
    assert auc(TRUTH, TRUTH) == pytest.approx(30 / 31)  # a distance of 0 is not under 0


def test_pck_counts_joints():
    poses = TRUTH + np.array([[0.2, 0, 0], [0, 0, 0], [0.2, 0, 0], [0.2, 0, 0]])
    assert pck(poses, TRUTH) == 0.25


def test_a_hundred_thousand_poses_take_seconds():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(100_000, 12, 3)).astype(np.float32)
    poses = truth + rng.normal(size=truth.shape).astype(np.float32)
    start = time.process_time()
    p_mpjpe(poses, truth)
    assert time.process_time() - start < 6  # a million within a minute
