"""Floors and planes by feet whose places are known by thought."""

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.pose.feet import SOLE, Contacts, Stretch, find_contacts
from pose3d_cli.pose.floor import find_floor, tilt_by_feet
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import SHARE
from pose3d_cli.pose.up import FoundUp
from pose3d_cli.pose.world import rotation_with_up
from tests.angles import angle_deg

FPS, SOLE_M = 25.0, 0.085
LEVEL = np.array([0.0, -1.0, 0.0])
CAMERA_M = 1.4


def contacts(on_floor, up=LEVEL, seconds=None, person=None):
    """Steps at (x right, y away, z above the floor) in the world below a camera."""
    on_floor = np.asarray(on_floor, float)
    height = on_floor + np.array([0, 0, SOLE_M - CAMERA_M])
    n = len(on_floor)
    return Contacts(
        ankle=height @ rotation_with_up(up),
        sole_m=np.full(n, SOLE_M),
        seconds=np.full(n, 0.4) if seconds is None else seconds,
        person=np.zeros(n, int) if person is None else person,
    )


def walk(n=12, noise_m=0.01, seed=0):
    """Steps of somebody who goes across and away, on the floor."""
    random = np.random.default_rng(seed)
    place = np.linspace([-1.5, 4.0, 0], [1.5, 6.0, 0], n)
    return place + random.normal(0, noise_m, (n, 3))


def test_the_floor_is_where_feet_stand():
    floor = find_floor(contacts(walk()), LEVEL)
    assert floor.height_m == pytest.approx(CAMERA_M, abs=0.01)
    assert floor.steps == 12
    assert 0.01 < floor.sure_m < 0.03


def test_a_foot_that_is_held_up_is_no_floor():
    """A dancer on one leg: the other foot is still as often, half a metre up."""
    held = walk() + np.array([0, 0, 0.5])
    floor = find_floor(contacts(np.concatenate([walk(), held])), LEVEL)
    assert floor.height_m == pytest.approx(CAMERA_M, abs=0.01)


def test_a_foot_that_seems_to_be_below_the_floor_is_an_error_not_a_floor():
    guessed = [[0.0, 4.0, -0.6]]
    floor = find_floor(contacts(np.concatenate([walk(), guessed])), LEVEL)
    assert floor.height_m == pytest.approx(CAMERA_M, abs=0.01)


def test_no_feet_no_floor():
    assert find_floor(contacts(np.zeros((0, 3))), LEVEL) is None
    assert find_floor(contacts(walk(1)), LEVEL) is None


def bodies(up):
    """What bodies say, off by 3 degrees across the view and by 4 along it at most."""
    up = np.asarray(up) / np.linalg.norm(up)
    across = np.cross([0.0, 0.0, 1.0], up)
    across /= np.linalg.norm(across)
    return FoundUp(up=up, across=across, across_deg=3.0, along_deg=4.0, seconds=4.0)


@pytest.mark.parametrize("wrong", [(0.05, 0.0), (0.0, 0.05), (-0.04, 0.03)])
def test_feet_mend_what_bodies_say(wrong):
    """A wide place, seen from a little above: both tilts are known by its steps."""
    random = np.random.default_rng(1)
    place = np.stack([random.uniform(-2, 2, 40), random.uniform(3, 8, 40), np.zeros(40)], -1)
    seen = contacts(place + random.normal(0, 0.01, place.shape))
    guess = LEVEL + np.array([wrong[0], 0, wrong[1]])
    up, sure_deg = tilt_by_feet(bodies(guess), seen)
    assert angle_deg(up, LEVEL) < 0.7
    assert sure_deg < 1.5


def test_feet_that_go_nowhere_say_nothing_of_up():
    guess = np.array([0.05, -1.0, 0.0]) / np.linalg.norm([0.05, 1.0])
    up, sure_deg = tilt_by_feet(bodies(guess), contacts(np.tile([0.2, 4.0, 0.0], (10, 1))))
    assert angle_deg(up, guess) < 0.1
    assert sure_deg == pytest.approx(5.0, abs=0.1)


def test_depth_that_is_off_does_not_tilt_the_plane():
    """A camera that looks down steeply: a foot that is put too far away is put too low."""
    up = np.array([0.0, -np.cos(0.6), -np.sin(0.6)])
    seen = contacts(walk(n=10, noise_m=0.0), up)
    off = Contacts(
        ankle=seen.ankle * np.where(np.arange(10) % 4 < 2, 1.06, 0.94)[:, None],
        sole_m=seen.sole_m,
        seconds=seen.seconds,
        person=seen.person,
    )
    found, sure_deg = tilt_by_feet(bodies(up), off)
    assert angle_deg(found, up) < 2.5
    assert angle_deg(found, up) < 0.3 * angle_deg(plain_plane(off.ankle), up)
    assert sure_deg > 2.5


def two_sizes(metres_taller):
    """One person near, one far who is taller than assumed and so put nearer, and too high."""
    up = np.array([0.0, -np.cos(0.4), -np.sin(0.4)])
    near = np.linspace([-1.0, 3.0, 0], [1.0, 4.0, 0], 8)
    seen = contacts(
        np.concatenate([near, near + np.array([0, 4.0, 0])]), up, person=np.arange(16) // 8
    )
    nearer = 1.7 / (1.7 + metres_taller)
    return up, replace(seen, ankle=seen.ankle * np.where(seen.person, nearer, 1)[:, None])


@pytest.mark.parametrize("metres_taller", [0.15, -0.15])
def test_people_of_another_size_do_not_tilt_the_plane(metres_taller):
    up, seen = two_sizes(metres_taller)
    found, sure_deg = tilt_by_feet(bodies(up), seen)
    alike, sure_alike_deg = tilt_by_feet(bodies(up), replace(seen, person=np.zeros(16, int)))
    assert angle_deg(found, up) < 0.7 * angle_deg(alike, up)
    assert angle_deg(found, up) < 1
    assert sure_alike_deg < sure_deg < 5


def test_two_people_who_stay_tell_of_up_if_they_are_as_tall_as_assumed():
    """One near, one far: a plane through their feet tilts only if one of them is misjudged."""
    stay = np.repeat([[0.0, 3.0, 0.0], [0.5, 9.0, 0.0]], 6, axis=0)
    guess = np.array([0.0, -1.0, 0.08])
    up, _ = tilt_by_feet(bodies(guess), contacts(stay, person=np.arange(12) // 6))
    assert angle_deg(up, LEVEL) < 0.75 * angle_deg(guess, LEVEL)


def plain_plane(points):
    """The normal of the least-squares plane, upwards."""
    normal = np.linalg.svd(points - points.mean(0))[2][2]
    return normal if normal[1] < 0 else -normal


def stepping(seconds=4.0, lift_m=0.3):
    """Somebody 1.7 m tall who stands on the left foot and taps with the right, twice a second."""
    n = round(seconds * FPS)
    time_s = np.arange(n) / FPS
    xyz = np.zeros((n, 17, 3), np.float32)
    leg = 1.7 * SHARE / 3
    for joint, height in (("knee", leg), ("ankle", 2 * leg)):
        for side in ("left", "right"):
            xyz[:, H36M17.index(f"{side}_{joint}"), 1] = height
    for joint, height in (("spine", leg / 2), ("thorax", leg)):
        xyz[:, H36M17.index(joint), 1] = -height
    up = lift_m * np.abs(np.sin(2 * np.pi * time_s))
    xyz[:, H36M17.index("right_ankle"), 1] -= up
    root = np.tile([0.3, 0.2, 5.0], (n, 1))
    return Stretch(xyz=xyz, root=root, score=np.ones((n, 17), np.float32), time_s=time_s)


def test_a_standing_foot_is_found_once_a_second_and_a_moving_one_is_not():
    stretch = stepping()
    found = find_contacts([stretch])
    ground = 0.2 + 2 * 1.7 * SHARE / 3
    still = np.abs(found.ankle[:, 1] - ground) < 0.01
    assert len(found) == still.sum() == 4
    assert found.seconds[still].max() <= 1.0
    assert found.sole_m[0] == pytest.approx(SOLE * 1.7, rel=0.1)


def test_an_ankle_that_was_guessed_tells_of_no_floor():
    stretch = stepping()
    stretch.score[:, [H36M17.index("left_ankle"), H36M17.index("right_ankle")]] = 0
    assert len(find_contacts([stretch])) == 0


def test_somebody_who_is_not_placed_has_no_feet_anywhere():
    stretch = stepping()
    stretch.root[:] = np.nan
    assert len(find_contacts([stretch])) == 0
