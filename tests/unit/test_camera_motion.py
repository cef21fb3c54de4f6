import cv2
import numpy as np
import pytest

from pose3d_cli.detect.camera_motion import CameraWatch
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D

FPS, WIDTH, HEIGHT = 25.0, 480, 270


def scenery(seed=0):
    """A large picture with edges and corners everywhere, as a street has."""
    random = np.random.default_rng(seed)
    image = cv2.resize(random.integers(0, 255, (40, 60, 3), np.uint8), (1440, 960))
    for x, y in random.integers(0, 900, (150, 2)):
        cv2.rectangle(image, (int(x), int(y)), (int(x) + 40, int(y) + 25), int(x) % 255, -1)
    return image


def film(offset, n_frames=60, add=None):
    """Frames of a picture before which the camera is at `offset(time)` (pixels)."""
    image = scenery()
    for index in range(n_frames):
        time_s = index / FPS
        x, y = offset(time_s)
        centre = (500.0 + x, 400.0 + y)
        picture = cv2.getRectSubPix(image, (WIDTH, HEIGHT), centre)
        if add is not None:
            add(picture, time_s)
        yield VideoFrame(image=picture, index=index, time_s=time_s)


def motion(frames, people=()):
    watch = CameraWatch()
    for frame in frames:
        watch.see(frame)
    return watch.motion(people)


def still(_):
    return 0.0, 0.0


def walker(picture, time_s):
    """Somebody as large as the picture allows, patterned, who goes to the right."""
    left = int(20 + 60 * time_s)
    pattern = scenery(1)[:250, 300:540]
    picture[10:260, left : left + 240] = pattern


def walker_keypoints(n_frames=60):
    left = 20 + 60 * np.arange(n_frames) / FPS
    xy = np.zeros((n_frames, 17, 2), np.float32)
    xy[..., 0] = left[:, None] + np.linspace(0, 240, 17)
    xy[..., 1] = np.linspace(10, 260, 17)
    return Keypoints2D(
        xy=xy,
        score=np.ones((n_frames, 17), np.float32),
        frames=np.arange(n_frames),
        time_s=np.arange(n_frames) / FPS,
        fps=FPS,
        image_size=(WIDTH, HEIGHT),
        skeleton=H36M17,
    )


def test_a_camera_that_stays_does_not_move():
    found = motion(film(still))
    assert not found.moves
    assert found.known == 1
    assert found.share == 0


@pytest.mark.parametrize("percent_s", [2.0, 20.0, 80.0])
def test_a_pan_is_found_and_measured(percent_s):
    found = motion(film(lambda t: (percent_s / 100 * WIDTH * t, 0.0)))
    assert found.moves
    assert found.share == 1
    assert found.percent_s == pytest.approx(percent_s, rel=0.05)


def test_a_drift_that_nobody_sees_is_none():
    assert not motion(film(lambda t: (0.003 * WIDTH * t, 0.0))).moves


def test_one_knock_is_no_moving_camera():
    def knocked(time_s):
        return (30.0, 0.0) if time_s > 1.05 else (0.0, 0.0)

    found = motion(film(knocked, n_frames=250))
    assert not found.moves


def test_a_part_of_the_clip_is_enough():
    found = motion(film(lambda t: (max(t - 6.0, 0.0) * 48, 0.0), n_frames=250))
    assert found.moves
    assert found.share == pytest.approx(0.4, abs=0.06)
    assert found.percent_s == pytest.approx(10, rel=0.1)


def test_people_are_no_background():
    frames = list(film(still, add=walker))
    assert motion(frames).moves or motion(frames).known < 1
    found = motion(frames, [walker_keypoints()])
    assert not found.moves
    assert found.known == 1


def test_where_nothing_is_to_hold_on_to_nothing_is_known():
    grey = [
        VideoFrame(image=np.full((HEIGHT, WIDTH, 3), 128, np.uint8), index=i, time_s=i / FPS)
        for i in range(40)
    ]
    found = motion(grey)
    assert found.known == 0
    assert not found.moves


def test_what_was_told_of_one_part_is_forgotten_for_the_next():
    def stops(time_s):
        return 30 * min(time_s, 4.0), 0.0

    watch = CameraWatch()
    for frame in film(stops, 200):
        watch.see(frame)
    assert watch.motion((), 90).moves
    assert not watch.motion((), 199).moves
    assert watch.motion(()).known == 0
