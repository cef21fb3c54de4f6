from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pose3d_cli.pose.camera import (
    Camera,
    camera_from_fov,
    camera_to_pixels,
    pixels_to_rays,
    pixels_to_screen,
    rays_to_pixels,
    scale_camera,
    screen_to_pixels,
)

# A busy machine is slow now and then; that is no failure.
UNHURRIED = settings(deadline=None)

SIZES = st.tuples(st.integers(16, 8000), st.integers(16, 8000))
RAYS = arrays(np.float64, (5, 2), elements=st.floats(-0.6, 0.6))
FOVS = st.floats(20, 120)


@st.composite
def lenses(draw):
    """Draw lenses that do not fold within the rays above."""
    k1, k2 = draw(st.floats(-0.25, 0.3)), draw(st.floats(0, 0.2))
    p1, p2 = draw(st.floats(-0.005, 0.005)), draw(st.floats(-0.005, 0.005))
    return np.array([k1, k2, p1, p2])


@st.composite
def cameras(draw):
    simple = camera_from_fov(draw(FOVS), draw(SIZES))
    return Camera(
        matrix=simple.matrix,
        distortion=draw(lenses()),
        image_size=simple.image_size,
        source="drawn",
    )


@UNHURRIED
@given(cameras(), RAYS)
def test_pixels_and_rays_undo_each_other(camera, rays):
    np.testing.assert_allclose(
        pixels_to_rays(rays_to_pixels(rays, camera), camera), rays, atol=1e-10
    )


@UNHURRIED
@given(cameras(), arrays(np.float64, (5, 2), elements=st.floats(-1e5, 1e5)))
def test_every_pixel_has_a_finite_ray(camera, xy):
    assert np.isfinite(pixels_to_rays(xy, camera)).all()


@UNHURRIED
@given(cameras(), RAYS, st.floats(0.1, 50), st.floats(0.1, 50))
def test_points_on_one_ray_share_a_pixel(camera, rays, near, far):
    through = np.concatenate([rays, np.ones((5, 1))], 1)
    np.testing.assert_allclose(
        camera_to_pixels(through * near, camera),
        camera_to_pixels(through * far, camera),
        atol=1e-6,
    )


@UNHURRIED
@given(cameras(), RAYS, st.integers(2, 6))
def test_a_larger_picture_of_the_same_scene_has_the_same_rays(camera, rays, times):
    width, height = camera.image_size
    large = scale_camera(camera, (width * times, height * times))
    xy = rays_to_pixels(rays, camera)
    np.testing.assert_allclose(pixels_to_rays(xy * times, large), rays, atol=1e-10)


@UNHURRIED
@given(SIZES, arrays(np.float64, (5, 2), elements=st.floats(-1e4, 1e4)))
def test_pixels_and_screen_undo_each_other(size, xy):
    np.testing.assert_allclose(screen_to_pixels(pixels_to_screen(xy, size), size), xy, atol=1e-8)


@UNHURRIED
@given(SIZES)
def test_the_picture_fills_the_screen_and_no_more(size):
    corners = pixels_to_screen(np.array([[0.0, 0.0], np.array(size, float)]), size)
    np.testing.assert_allclose(np.abs(corners).max(), 1)
    np.testing.assert_allclose(corners[0], -corners[1], atol=1e-12)
