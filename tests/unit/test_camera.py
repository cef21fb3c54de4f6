from __future__ import annotations

import cv2
import numpy as np
import pytest

from pose3d_cli.errors import SettingsError
from pose3d_cli.pose.camera import (
    Camera,
    camera_from_focal35,
    camera_from_fov,
    camera_record,
    camera_to_pixels,
    default_camera,
    pixels_to_rays,
    pixels_to_screen,
    rays_to_pixels,
    scale_camera,
    screen_to_pixels,
)

MATRIX = np.array([[1681.2, 0, 533.0], [0, 1680.1, 948.1], [0, 0, 1]])
LENSES = {
    "none": [],
    "mild": [-7.2e-4, 2.2e-3, 9.5e-6, 1.1e-5],
    "barrel": [-0.3, 0.1, 1e-3, -2e-3, -0.02],
    "pincushion": [0.3, 0.1, 0, 0],
    "rational": [-0.28, 0.07, 0, 0, 0, 0.01, 0.02, 0.001],
    "prism": [-0.1, 0.02, 1e-3, 1e-3, 0, 0, 0, 0, 1e-3, 1e-4, -1e-3, 1e-4],
}


def camera_with(distortion: list[float]) -> Camera:
    return Camera(
        matrix=MATRIX, distortion=np.array(distortion), image_size=(1088, 1920), source="test"
    )


@pytest.fixture(params=LENSES.values(), ids=LENSES)
def camera(request):
    return camera_with(request.param)


def test_ninety_degrees_reach_the_edge_at_a_slope_of_one():
    camera = camera_from_fov(90.0, (1000, 500))
    np.testing.assert_allclose(camera.focal_px, 500)
    edge = pixels_to_rays(np.array([[1000.0, 250.0], [500.0, 500.0]]), camera)
    np.testing.assert_allclose(edge, [[1, 0], [0, 0.5]], atol=1e-12)


def test_a_phone_held_upright_has_the_lens_of_one_held_level():
    level, upright = default_camera((1920, 1080)), default_camera((1080, 1920))
    np.testing.assert_allclose(level.focal_px, upright.focal_px)
    np.testing.assert_allclose(upright.centre_px, [540, 960])


def test_36_mm_spans_the_longer_side():
    np.testing.assert_allclose(camera_from_focal35(36.0, (640, 480)).focal_px, 640)


def test_the_source_says_what_was_assumed_or_given():
    assert "assumed 55 degrees across the longer side" in default_camera((640, 480)).source
    assert "--fov 60" in camera_from_fov(60.0, (640, 480)).source
    assert "--focal35 26" in camera_from_focal35(26.0, (640, 480)).source


@pytest.mark.parametrize("fov_deg", [0.0, -5.0, 180.0, float("nan")])
def test_an_impossible_field_of_view_is_refused(fov_deg):
    with pytest.raises(SettingsError, match=r"--fov .*between 1 and 170 degrees"):
        camera_from_fov(fov_deg, (640, 480))


@pytest.mark.parametrize("focal_mm", [0.0, -26.0, float("inf")])
def test_an_impossible_focal_length_is_refused(focal_mm):
    with pytest.raises(SettingsError, match=r"--focal35 .*between 2 and 2000 mm"):
        camera_from_focal35(focal_mm, (640, 480))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"matrix": np.eye(2)}, r"shape \(2, 2\); expected 3 rows"),
        ({"matrix": np.diag([-1.0, 1, 1])}, "both must be positive"),
        ({"matrix": np.full((3, 3), np.nan)}, "no numbers"),
        ({"matrix": MATRIX.T}, r"matrix must be \[\[fx, skew, cx\]"),
        ({"distortion": np.zeros(3)}, "known are 0, 4, 5, 8, 12 coefficients"),
        ({"distortion": np.array([np.inf, 0, 0, 0])}, "no numbers"),
        ({"image_size": (0, 5)}, "no area"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(change, text):
    sound = {"matrix": MATRIX, "distortion": np.zeros(0), "image_size": (9, 9), "source": ""}
    with pytest.raises(ValueError, match=text):
        Camera(**{**sound, **change})


def test_projection_is_opencvs(camera):
    xyz = np.random.default_rng(0).uniform([-0.5, -0.5, 1], [0.5, 0.5, 1], (200, 3))
    theirs, _ = cv2.projectPoints(
        xyz[:, None], np.zeros(3), np.zeros(3), camera.matrix, camera.distortion
    )
    np.testing.assert_allclose(camera_to_pixels(xyz, camera), theirs[:, 0], atol=1e-9)


def test_a_ray_through_a_lens_comes_back_exactly(camera):
    rays = np.random.default_rng(1).uniform(-0.55, 0.55, (3, 100, 2))
    np.testing.assert_allclose(
        pixels_to_rays(rays_to_pixels(rays, camera), camera), rays, atol=1e-12
    )


def test_skew_is_undone():
    matrix = MATRIX.copy()
    matrix[0, 1] = 30
    camera = Camera(matrix=matrix, distortion=np.zeros(0), image_size=(1088, 1920), source="test")
    rays = np.array([[0.1, 0.3], [-0.2, 0.05]])
    np.testing.assert_allclose(
        rays_to_pixels(rays, camera), (np.c_[rays, [1, 1]] @ matrix.T)[:, :2]
    )
    np.testing.assert_allclose(pixels_to_rays(rays_to_pixels(rays, camera), camera), rays)


def test_pixels_that_no_ray_reaches_stay_finite_and_on_their_side(camera):
    xy = np.array([[1e5, 948.0], [533.0, -1e5], [-4000.0, 9000.0]])
    rays = pixels_to_rays(xy, camera)
    assert np.isfinite(rays).all()
    assert (np.sign(rays[[0, 1], [0, 1]]) == [1, -1]).all()


def test_a_folding_lens_gives_the_edge_of_what_it_maps():
    camera = camera_with([-0.4, 0, 0, 0])
    far = pixels_to_rays(np.array([[1e4, MATRIX[1, 2]]]), camera)
    # r (1 - 0.4 r^2) turns round at r = 1 / sqrt(1.2).
    np.testing.assert_allclose(far, [[1 / np.sqrt(1.2), 0]], atol=1e-3)


def test_no_pixel_is_sent_beyond_the_fold():
    xy = np.random.default_rng(2).uniform(-2e4, 2e4, (500, 2))
    rays = pixels_to_rays(xy, camera_with([-0.4, 0, 0, 0]))
    assert np.hypot(*rays.T).max() < 1 / np.sqrt(1.2) + 1e-9
    # Newton's method starts on the right side and must not jump over the axis.
    assert ((rays * (xy - MATRIX[:2, 2])).sum(-1) > 0).all()


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_nan_without_a_warning():
    xy = np.array([[np.inf, 3.0], [np.nan, 3.0], [np.nan, np.nan]])
    assert np.isnan(pixels_to_rays(xy, camera_with(LENSES["rational"]))).all()


def test_what_was_not_seen_stays_unseen_and_disturbs_nobody(camera):
    xy = np.array([[100.0, 200.0], [np.nan, np.nan], [300.0, 400.0]])
    rays = pixels_to_rays(xy, camera)
    assert np.isnan(rays[1]).all()
    np.testing.assert_allclose(rays_to_pixels(rays[::2], camera), xy[::2], atol=1e-9)


def test_single_precision_stays_single_and_empty_stays_empty(camera):
    assert pixels_to_rays(np.zeros((4, 17, 2), np.float32), camera).dtype == np.float32
    assert pixels_to_rays(np.zeros((0, 17, 2), np.float32), camera).shape == (0, 17, 2)


def test_points_behind_the_camera_have_no_pixel():
    xyz = np.array([[0.1, 0.1, -2.0], [0.1, 0.1, 0.0], [0.0, 0.0, 2.0]])
    xy = camera_to_pixels(xyz, camera_with([]))
    assert np.isnan(xy[:2]).all()
    np.testing.assert_allclose(xy[2], MATRIX[:2, 2])


def test_a_camera_scales_with_its_picture():
    camera = camera_with(LENSES["barrel"])
    half = scale_camera(camera, (544, 960))
    xy = np.array([[100.0, 200.0], [900.0, 1500.0]])
    np.testing.assert_allclose(pixels_to_rays(xy / 2, half), pixels_to_rays(xy, camera))
    assert half.image_size == (544, 960)


@pytest.mark.parametrize("size", [(1920, 1088), (1088, 1088), (1088, 1600)])
def test_a_camera_does_not_scale_to_another_shape(size):
    with pytest.raises(ValueError, match=r"calibrated at 1088x1920, but the picture is"):
        scale_camera(camera_with([]), size)


def test_an_encoder_may_round_a_side_to_an_even_number():
    camera = camera_from_fov(60.0, (1921, 1081))
    assert scale_camera(camera, (1920, 1080)).image_size == (1920, 1080)


def test_the_record_of_a_camera_is_plain():
    record = camera_record(camera_with(LENSES["mild"]))
    assert record["matrix"] == MATRIX.tolist()
    assert record["distortion"] == LENSES["mild"]
    assert record["image_size"] == [1088, 1920]


def test_the_screen_runs_from_minus_one_to_one_along_the_longer_side():
    corners = np.array([[0.0, 0.0], [100.0, 400.0], [50.0, 200.0]])
    screen = pixels_to_screen(corners, (100, 400))
    np.testing.assert_allclose(screen, [[-0.25, -1], [0.25, 1], [0, 0]])
    np.testing.assert_allclose(screen_to_pixels(screen, (100, 400)), corners)
