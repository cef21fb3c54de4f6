from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.learn.fit_camera import fit_camera, fit_placed_camera
from pose3d_cli.pose.camera import camera_to_pixels
from tests.miniatures.walkers import stand, walk

STUDIO = {"focal": (1497.7, 1490.1), "centre": (1024.7, 1051.4), "size": (2048, 2048)}
ROOM = {"focal": (765.2, 764.1), "centre": (331.0, 247.0), "size": (640, 480)}
BENT = (-0.22, 0.17, 8e-4, -2e-3)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def studio(frames=200, fps=25):
    """Pixels and camera-space joints of a walk before a camera without distortion."""
    world, eye = walk(frames, fps, 1), stand((3.8, 0.5, 1.2), **STUDIO)
    return eye.project(world), eye.to_camera(world), eye


def room(frames=200, fps=60, distortion=BENT):
    world, eye = walk(frames, fps, 2), stand((4.06, 0.66, 1.53), distortion=distortion, **ROOM)
    return eye.project(world), world, eye


def test_exact_pairs_give_the_very_camera():
    xy, xyz, eye = studio()
    camera = fit_camera(xy, xyz, eye.size)
    np.testing.assert_allclose(camera.matrix, eye.matrix, atol=1e-6)
    assert camera.image_size == (2048, 2048)
    assert not camera.distortion.size
    np.testing.assert_allclose(camera_to_pixels(xyz, camera), xy, atol=1e-6)


def test_what_is_fitted_says_that_it_is_and_to_what():
    xy, xyz, eye = studio()
    source = fit_camera(xy + 0.5, xyz, eye.size).source
    assert source.startswith("fitted to the annotation: 3400 pairs of pixels and points in space")
    assert "residual" in source


def test_the_unit_of_length_does_not_matter_nor_does_float32():
    xy, xyz, eye = studio()
    camera = fit_camera(xy.astype(np.float32), (1000 * xyz).astype(np.float32), eye.size)
    np.testing.assert_allclose(camera.matrix, eye.matrix, atol=0.01)


def test_noise_and_some_wrong_pairs_bend_the_camera_little(random):
    xy, xyz, eye = studio()
    xy = xy + random.normal(0, 0.8, xy.shape)
    wrong = random.random(xy.shape[:2]) < 0.15
    xy[wrong] = random.uniform(0, 2048, (wrong.sum(), 2))
    xyz[5], xy[6] = np.nan, np.nan
    camera = fit_camera(xy, xyz, eye.size)
    np.testing.assert_allclose(camera.focal_px, STUDIO["focal"], rtol=2e-3)
    np.testing.assert_allclose(camera.centre_px, STUDIO["centre"], atol=1)


def test_wrong_pairs_that_all_pull_one_way_do_not_bend_the_camera():
    xy, xyz, eye = studio()
    rightmost = xy[..., 0] > np.quantile(xy[..., 0], 0.85)
    xy[rightmost] = (0, 2048)
    camera = fit_camera(xy, xyz, eye.size)
    np.testing.assert_allclose(camera.matrix, eye.matrix, atol=1e-6)


def test_points_behind_the_camera_have_no_say():
    xy, xyz, eye = studio()
    behind = np.concatenate([xyz[:20] * [1, 1, -1], xyz])
    camera = fit_camera(np.concatenate([xy[:20], xy]), behind, eye.size)
    np.testing.assert_allclose(camera.matrix, eye.matrix, atol=1e-6)


def test_people_of_another_size_fit_no_camera_but_their_pelvis_does():
    xy, xyz, eye = studio()
    scaled = xyz[:, :1] + 1.08 * (xyz - xyz[:, :1])
    assert fit_camera(xy, scaled, eye.size) is None
    camera = fit_camera(xy[:, 0], scaled[:, 0], eye.size)
    np.testing.assert_allclose(camera.matrix, eye.matrix, atol=1e-6)


def nothing(xy, xyz):
    return xy[:0], xyz[:0]


def five_pairs(xy, xyz):
    return xy[0, :5], xyz[0, :5]


def one_joint_that_stands_still(xy, xyz):
    return np.repeat(xy[:1, 0], 100, 0), np.repeat(xyz[:1, 0], 100, 0)


def one_joint_that_moves_a_millimetre(xy, xyz):
    sway = np.linspace(-5e-4, 5e-4, 100)[:, None]
    point = xyz[0, 0] + sway * [1, 1, 0]
    return point[:, :2] / point[:, 2:] * STUDIO["focal"] + STUDIO["centre"], point


def pixels_of_another_walk(xy, xyz):
    return xy[::-1], xyz


def half_of_them_wrong(xy, xyz):
    wrong = np.arange(xy.size // 2).reshape(xy.shape[:2]) % 2 == 0
    return np.where(wrong[..., None], np.roll(xy, 7, 0), xy), xyz


def x_to_the_left(xy, xyz):
    return xy, xyz * [-1, 1, 1]


def y_up(xy, xyz):
    return xy, xyz * [1, -1, 1]


def z_backwards(xy, xyz):
    return xy, -xyz


@pytest.mark.parametrize(
    "spoil",
    [
        nothing, five_pairs, one_joint_that_stands_still, one_joint_that_moves_a_millimetre,
        pixels_of_another_walk, half_of_them_wrong, x_to_the_left, y_up, z_backwards,
    ],
)  # fmt: skip
def test_no_camera_is_made_up_of(spoil):
    xy, xyz, eye = studio()
    assert fit_camera(*spoil(xy, xyz), eye.size) is None


@pytest.mark.parametrize("distortion", [(), BENT, (-0.3, 0.2, 0, 0, -0.05)])
def test_a_camera_in_a_room_is_found_with_its_place_and_its_lens(distortion):
    xy, world, eye = room(distortion=distortion)
    unknown = world.copy()
    unknown[3, 4, 0], xy[5, 6] = np.nan, np.nan
    placed = fit_placed_camera(xy.astype(np.float32), unknown.astype(np.float32), eye.size)
    np.testing.assert_allclose(placed.to_camera(world), eye.to_camera(world), atol=1e-4)
    np.testing.assert_allclose(placed.camera.matrix, eye.matrix, atol=0.1)
    np.testing.assert_allclose(placed.rotation, eye.rotation, atol=1e-5)
    np.testing.assert_allclose(placed.camera.distortion[:4], eye.distortion[:4], atol=0.02)
    shown = camera_to_pixels(placed.to_camera(world), placed.camera)
    np.testing.assert_allclose(shown, eye.project(world), atol=0.01)
    assert placed.camera.source.startswith("fitted to the annotation")


def test_a_long_annotation_is_thinned_out_but_not_to_one_joint():
    xy, world, eye = room(frames=6000)  # every 17th pair is a pelvis
    placed = fit_placed_camera(xy, world, eye.size)
    assert placed.camera.source.startswith("fitted to the annotation: 6000 pairs")
    np.testing.assert_allclose(placed.to_camera(world), eye.to_camera(world), atol=1e-5)


def test_points_keep_their_type_and_unit():
    xy, world, eye = room()
    placed = fit_placed_camera(xy, 1000 * world, eye.size)
    moved = placed.to_camera((1000 * world).astype(np.float32))
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, 1000 * eye.to_camera(world), atol=0.05)


@pytest.mark.parametrize("spoil", [nothing, five_pairs, one_joint_that_stands_still, x_to_the_left])
def test_no_camera_in_a_room_is_made_up_of(spoil):
    xy, world, eye = room()
    assert fit_placed_camera(*spoil(xy, world), eye.size) is None


def test_no_camera_in_a_room_follows_from_points_in_one_plane():
    _, world, eye = room()
    world[..., 0] = 0.3
    assert fit_placed_camera(eye.project(world), world, eye.size) is None


def test_no_camera_in_a_room_follows_from_2d_of_something_else():
    xy, world, eye = room()
    assert fit_placed_camera(np.roll(xy, 3, 0), world, eye.size) is None


def test_noise_is_let_through_only_where_it_does_not_turn_the_camera(random):
    xy, world, eye = room(frames=40)
    assert fit_placed_camera(xy + random.normal(0, 0.2, xy.shape), world, eye.size) is None
    xy, world, eye = room(frames=1500)
    placed = fit_placed_camera(xy + random.normal(0, 0.2, xy.shape), world, eye.size)
    found, true = placed.to_camera(world), eye.to_camera(world)
    np.testing.assert_allclose(found - found[:, :1], true - true[:, :1], atol=1e-3)


def test_2d_that_is_nearly_a_pixel_off_is_no_projection_however_sure_the_camera(random):
    eye = stand((4.06, 0.66, 1.53), **ROOM)
    points = random.uniform((-2, -2, 0), (2, 2, 2), (6000, 3))
    xy = eye.project(points)
    assert fit_placed_camera(xy + random.normal(0, 0.2, xy.shape), points, eye.size)
    assert fit_placed_camera(xy + random.normal(0, 0.6, xy.shape), points, eye.size) is None
