import numpy as np
import pytest

from pose3d_cli.pose.world import World, rotation_with_up


def test_a_level_camera_has_up_against_its_y():
    world = World()
    np.testing.assert_array_equal(rotation_with_up(np.array([0.0, -1.0, 0.0])), world.rotation)
    right, down, ahead = np.eye(3)
    np.testing.assert_array_equal(world.from_camera(right), [1, 0, 0])
    np.testing.assert_array_equal(world.from_camera(down), [0, 0, -1])
    np.testing.assert_array_equal(world.from_camera(ahead), [0, 1, 0])


@pytest.mark.parametrize("up", [(0.2, -0.9, 0.1), (-0.5, -0.5, -0.7), (0.0, 1.0, 0.2)])
def test_up_becomes_z_and_ahead_stays_ahead(up):
    up = np.array(up)
    rotation = rotation_with_up(3 * up)
    np.testing.assert_allclose(rotation @ up / np.linalg.norm(up), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    ahead = rotation @ [0, 0, 1]
    assert ahead[0] == pytest.approx(0)
    assert ahead[1] > 0


def test_there_and_back_again():
    world = World(
        rotation=rotation_with_up(np.array([0.1, -1, -0.4])), camera_m=np.array([0, 0, 2.0])
    )
    points = np.random.default_rng(0).normal(0, 2, (4, 17, 3))
    there = world.from_camera(points)
    np.testing.assert_allclose(world.to_camera(there), points, atol=1e-12)
    homogeneous = np.concatenate([points, np.ones((4, 17, 1))], axis=-1)
    np.testing.assert_allclose((homogeneous @ world.camera_to_world.T)[..., :3], there, atol=1e-12)


def test_a_camera_that_looks_straight_down_has_no_ahead():
    with pytest.raises(ValueError, match="straight up or down"):
        rotation_with_up(np.array([0.0, 0.0, -1.0]))
