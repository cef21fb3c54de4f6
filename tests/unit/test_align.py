from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose import align
from pose3d_cli.pose.align import procrustes, root_relative, scaled

# A tetrahedron with edges of different length: no symmetry to hide behind.
BODY = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
QUARTER_TURN = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)


def test_root_relative_puts_the_middle_of_the_roots_at_the_origin():
    moved = root_relative(BODY + 5, ("left_hip", "right_hip", "a", "b"))
    np.testing.assert_allclose(moved[:2], [[-0.5, 0, 0], [0.5, 0, 0]])
    np.testing.assert_allclose(moved[2], [-0.5, 2, 0])
    with pytest.raises(ValueError, match="left_hip"):
        root_relative(BODY, ("a", "b", "c", "d"))


def test_root_relative_of_an_unknown_root_is_unknown():
    body = BODY.copy()
    body[0, 2] = np.nan
    assert np.isnan(root_relative(body, tuple("abcd"), root=("a", "b"))[:, 2]).all()
    assert np.isfinite(root_relative(body, tuple("abcd"), root=("b", "c"))[1:]).all()


def test_procrustes_undoes_a_turn_a_scale_and_a_move():
    poses = 2.5 * BODY @ QUARTER_TURN.T + [1, 2, 3]
    np.testing.assert_allclose(procrustes(poses, BODY), BODY, atol=1e-6)


def test_procrustes_never_uses_a_mirror_image():
    mirrored = BODY * [-1, 1, 1]
    aligned = procrustes(mirrored, BODY)
    assert np.linalg.norm(aligned - BODY, axis=-1).max() > 0.2
    # At the best scale what is left over is square to the pose.
    assert ((aligned - BODY) * (aligned - aligned.mean(0))).sum() == pytest.approx(0, abs=1e-6)
    edges = aligned[1:] - aligned[0]
    assert np.linalg.det(edges) * np.linalg.det(mirrored[1:] - mirrored[0]) > 0


def test_procrustes_of_a_flat_body_is_exact():
    """Three points lie in a plane: the third singular value is 0 and its sign is free."""
    flat = BODY[:3]
    np.testing.assert_allclose(procrustes(flat @ QUARTER_TURN.T, flat), flat, atol=1e-6)


def test_procrustes_fits_known_joints_only():
    poses = 3 * BODY + 1
    poses[3] = np.nan
    aligned = procrustes(poses, BODY)
    np.testing.assert_allclose(aligned[:3], BODY[:3], atol=1e-6)
    assert np.isnan(aligned[3]).all()


def test_procrustes_without_size_or_without_joints():
    aligned = procrustes(np.ones_like(BODY), BODY)
    np.testing.assert_allclose(aligned, np.tile(BODY.mean(0), (4, 1)), atol=1e-6)
    assert np.isnan(procrustes(np.full_like(BODY, np.nan), BODY)).all()


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    poses, truth = rng.normal(size=(2, 5, 7, 6, 3))
    whole = procrustes(poses, truth)
    assert whole.shape == (5, 7, 6, 3)
    monkeypatch.setattr(align, "_BLOCK", 4)
    np.testing.assert_allclose(procrustes(poses, truth), whole, atol=1e-12)


def test_scaled_finds_the_factor_and_turns_nothing():
    np.testing.assert_allclose(scaled(4 * BODY, BODY), BODY, atol=1e-6)
    turned = BODY @ QUARTER_TURN.T
    factor = (turned * BODY).sum() / (BODY**2).sum()
    np.testing.assert_allclose(scaled(turned, BODY), factor * turned, atol=1e-6)


def test_scaled_of_nothing_is_nothing():
    assert not scaled(np.zeros_like(BODY), BODY).any()
    np.testing.assert_array_equal(scaled(-BODY, BODY), 0 * BODY)  # -1 would be a mirror image
    poses = 2 * BODY
    poses[3] = np.nan
    np.testing.assert_allclose(scaled(poses, BODY)[:3], BODY[:3], atol=1e-6)
