"""Answers in units of the screen made metres, of videos and of data sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pose3d_cli.lift.screen import AS_VIDEO, Screen, in_metres
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.camera import (
    Camera,
    camera_from_fov,
    camera_to_pixels,
    pixels_to_screen,
    screen_to_pixels,
)
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature, statures
from tests.nets import CAMERA, about, seen, standing, walker

PELVIS, HEAD = H36M17.index("pelvis"), H36M17.index("head")
N_FRAMES = 50
TIME_S = np.arange(N_FRAMES) / 25
LENS = Camera(
    matrix=np.array([[900.0, 0, 600], [0, 900, 400], [0, 0, 1]]),
    distortion=np.array([-0.2, 0.1, 0.001, 0, 0]),
    image_size=(1280, 720),
    source="a test",
)
ABOUT = about("dualstream", input="screen", units="screen,root")


def turning(x_m, z_m, camera=CAMERA):
    """Return somebody 1.70 m tall who turns, seen at a place; in metres, and as keypoints."""
    angle = 2 * TIME_S[:, None]
    body = standing()
    x, z = body[:, 0] * np.cos(angle), body[:, 0] * np.sin(angle) + body[:, 2]
    xyz = np.stack([x, np.broadcast_to(body[:, 1], x.shape), z], -1)
    xyz *= 1.70 / stature(xyz)
    xyz -= xyz[:, PELVIS, None]
    place = np.stack([x_m + 0 * TIME_S, 0 * TIME_S, z_m + 0 * TIME_S], -1)
    pixels = camera_to_pixels(xyz + place[:, None], camera)
    return xyz, place, replace(seen(pixels, TIME_S, 25.0), image_size=camera.image_size)


def as_taught(xyz, place, points, camera=CAMERA, width=None):
    """Return what Human3.6M's files teach: places in the picture, depth at the pelvis's scale."""
    half = (width or max(camera.image_size)) / 2
    flat = (points.xy - points.xy[:, PELVIS, None]) / half
    deep = xyz[..., 2:] / place[:, None, 2:] * camera.focal_px[0] / half
    return np.concatenate([flat, deep], -1).astype(np.float32)


WALKS = {
    "in the middle": (0.0, 4.0),
    "at the edge": (1.8, 4.0),
    "towards the camera": (0.0, 8 - 2 * TIME_S),
    "away at the edge": (-1.2, 3 + 2 * TIME_S),
}


@pytest.mark.parametrize("camera", [CAMERA, LENS], ids=["pinhole", "lens"])
@pytest.mark.parametrize("walk", WALKS)
def test_what_the_picture_shows_becomes_the_person_in_the_cameras_axes(walk, camera):
    xyz, place, points = turning(*WALKS[walk], camera)
    answer = as_taught(xyz, place, points, camera)
    metres = in_metres(answer, points, camera, AS_VIDEO, ABOUT)
    assert metres.dtype == np.float32
    # Smoothing over a quarter of a second bends fast walks by a little.
    np.testing.assert_allclose(metres, xyz, atol=0.01)


def test_a_picture_held_upright_is_measured_by_its_longer_side():
    camera = camera_from_fov(60.0, (720, 1280))
    xyz, place, points = turning(0.5, 5.0, camera)
    answer = as_taught(xyz, place, points, camera)
    np.testing.assert_allclose(in_metres(answer, points, camera, AS_VIDEO, ABOUT), xyz, atol=5e-3)


def test_the_width_that_the_screen_is_made_by_is_that_of_the_answer():
    xyz, place, points = turning(1.0, 4.0)
    answer = as_taught(xyz, place, points, width=700.0)
    metres = in_metres(answer, points, CAMERA, Screen(width=700.0), ABOUT)
    np.testing.assert_allclose(metres, xyz, atol=5e-3)
    other = in_metres(answer, points, CAMERA, AS_VIDEO, ABOUT)
    assert np.abs(other - xyz).max() > 0.02


def test_without_a_camera_the_size_is_right_and_the_axes_are_the_pictures():
    xyz, place, points = turning(0.0, 8 - 2 * TIME_S)
    answer = as_taught(xyz, place, points)
    metres = in_metres(answer, points, None, AS_VIDEO, ABOUT)
    scale = metres[:, HEAD, 1] / answer[:, HEAD, 1]
    np.testing.assert_allclose(metres, answer * scale[:, None, None], atol=1e-5)
    assert scale[0] / scale[-1] == pytest.approx(8 / (8 - 2 * TIME_S[-1]), rel=0.02)
    assert stature(metres) == pytest.approx(1.70, rel=0.01)


def test_a_frame_that_errs_in_size_does_not_jump():
    xyz, place, points = turning(0.0, 4.0)
    answer = as_taught(xyz, place, points)
    answer[20] *= 1.5
    metres = in_metres(answer, points, None, AS_VIDEO, ABOUT)
    others = np.arange(N_FRAMES) != 20
    np.testing.assert_allclose(statures(metres)[others], 1.70, rtol=0.01)
    assert statures(metres)[20] == pytest.approx(1.5 * 1.70, rel=0.01)


def test_frames_that_show_hardly_anything_do_not_say_how_far_away_the_person_is():
    """Somebody who leaves the picture: what is left of the keypoints shrinks to nothing."""
    xyz, place, points = turning(0.0, 4.0)
    points.score[40:] = 0.1
    answer = as_taught(xyz, place, points)
    shrinking = np.linspace(1, 0.2, 10)[:, None, None]
    answer[40:] *= shrinking
    metres = in_metres(answer, points, None, AS_VIDEO, ABOUT)
    np.testing.assert_allclose(statures(metres)[:40], 1.70, rtol=0.01)
    np.testing.assert_allclose(statures(metres)[40:], 1.70 * shrinking[:, 0, 0], rtol=0.02)


def test_weights_that_were_taught_axes_of_the_camera_have_one_scale_for_all():
    xyz, _, points = turning(1.8, 8 - 2 * TIME_S)
    taught = replace(ABOUT, more={"axes": "camera"})
    metres = in_metres((xyz / 1.024).astype(np.float32), points, CAMERA, AS_VIDEO, taught)
    np.testing.assert_allclose(metres, xyz, atol=1e-5)
    taller = replace(taught, stature_m=1.90)
    metres = in_metres((xyz / 1.024).astype(np.float32), points, CAMERA, AS_VIDEO, taller)
    np.testing.assert_allclose(metres, xyz * 1.90 / 1.70, atol=1e-5)


@pytest.mark.parametrize("more", [{}, {"axes": "camera"}], ids=["picture", "camera"])
def test_the_rule_of_a_data_set_goes_before_stature_and_camera(more):
    xyz, place, points = turning(1.8, 8 - 2 * TIME_S)
    answer = as_taught(xyz, place, points)
    rule = np.linspace(0.5, 2.0, N_FRAMES)
    metres = in_metres(
        answer, points, CAMERA, Screen(metres_per_unit=rule), replace(ABOUT, more=more)
    )
    for frame in (0, 17, N_FRAMES - 1):
        np.testing.assert_allclose(metres[frame], answer[frame] * rule[frame], rtol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("more", [{}, {"axes": "camera"}], ids=["picture", "camera"])
def test_an_answer_without_size_and_frames_left_out_do_no_harm(more):
    xyz, place, points = turning(0.0, 4.0)
    told = replace(ABOUT, more=more)
    nothing = np.zeros_like(xyz, np.float32)
    assert (in_metres(nothing, points, CAMERA, AS_VIDEO, told) == 0).all()
    answer = as_taught(xyz, place, points) if not more else xyz.astype(np.float32)
    answer[45:] = np.nan
    metres = in_metres(answer, points, CAMERA, AS_VIDEO, told)
    np.testing.assert_allclose(metres[:45], xyz[:45], atol=5e-3)
    assert np.isnan(metres[45:]).all()


def test_statures_are_those_of_single_frames():
    xyz, _, _ = turning(0.0, 4.0)
    xyz = xyz * np.linspace(0.9, 1.1, N_FRAMES)[:, None, None]
    xyz[:, H36M17.index("right_ankle")] += [0.1, 0.2, 0]
    np.testing.assert_allclose(statures(xyz), [stature(frame[None]) for frame in xyz])
    xyz[3, H36M17.index("left_knee")] = np.nan
    assert np.isnan(statures(xyz)).nonzero()[0].tolist() == [3]


class Standing(nn.Module):
    """Answers with somebody who stands, of no size worth the name; remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.clone())
        return 0.25 * torch.from_numpy(standing()).float().expand(*x.shape[:2], 17, 3)


def lifter_of(network, **changes):
    told = replace(ABOUT, **changes)
    return WindowedLifter(network, told, torch.device("cpu"), mirror=False)


def test_a_lifter_makes_a_video_s_person_as_tall_as_the_weights_say():
    for tall in (1.70, 1.85):
        pose = lifter_of(Standing(), stature_m=tall).lift(walker(20), CAMERA)
        assert stature(pose.xyz) == pytest.approx(tall, rel=1e-4)
        assert pose.is_metric


def test_a_lifter_takes_the_rule_and_the_width_of_a_data_set():
    network, points = Standing(), walker(9)
    rule = np.linspace(1, 3, 9)
    pose = lifter_of(network).lift(points, None, Screen(width=500.0, metres_per_unit=rule))
    wanted = 0.25 * standing() * rule[:, None, None]
    np.testing.assert_allclose(pose.xyz, wanted, atol=1e-6)
    shown = pixels_to_screen(points.xy, points.image_size, 500.0)
    np.testing.assert_allclose(network.seen[0][0, ..., :2], shown, atol=1e-6)


def test_answers_in_metres_are_left_alone():
    pose = lifter_of(Standing(), units="m,root").lift(walker(9), CAMERA)
    np.testing.assert_allclose(pose.xyz, np.tile(0.25 * standing(), (9, 1, 1)), atol=1e-6)


@pytest.mark.parametrize("width", [None, 1000.0, 1002.0])
@pytest.mark.parametrize("size", [(1000, 1002), (2048, 2048), (1920, 1080), (720, 1280)])
def test_pixels_come_back_from_the_screen(width, size):
    xy = np.random.default_rng(0).uniform(-50, 2100, (20, 17, 2))
    screen = pixels_to_screen(xy, size, width)
    np.testing.assert_allclose(screen_to_pixels(screen, size, width), xy, atol=1e-9)


def test_the_papers_screen_divides_by_the_width_even_if_the_height_is_greater():
    """x / w * 2 - 1 and y / w * 2 - h / w."""
    corners = np.array([[0.0, 0.0], [1000.0, 1002.0], [1000.0, 501.0]])
    screen = pixels_to_screen(corners, (1000, 1002), 1000.0)
    np.testing.assert_allclose(screen, [[-1, -1.002], [1, 1.002], [1, 0]], atol=1e-12)
    longer = pixels_to_screen(corners, (1000, 1002))
    np.testing.assert_allclose(longer[1], [1000 / 1002, 1], atol=1e-12)
