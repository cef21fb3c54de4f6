"""Up by bodies that stand as they are told to, before cameras held askew."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.feet import Stretch
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stand import find_world
from pose3d_cli.pose.upright import body_up, find_up, rolled_to, straightness
from pose3d_cli.pose.world import ASSUMED, NO_FLOOR, rotation_with_up
from tests.angles import angle_deg

FPS = 25.0
JOINTS = {  # of somebody 1.7 m tall who stands upright, facing away: x right, y away, z up
    "pelvis": (0.0, 0.0, 0.0),
    "hip": (0.1, 0.0, 0.0),
    "knee": (0.1, 0.0, -0.43),
    "ankle": (0.1, 0.0, -0.85),
    "spine": (0.0, 0.0, 0.24),
    "thorax": (0.0, 0.0, 0.49),
    "nose": (0.0, 0.08, 0.62),
    "head": (0.0, 0.0, 0.74),
    "shoulder": (0.17, 0.0, 0.46),
    "elbow": (0.2, 0.0, 0.2),
    "wrist": (0.2, 0.05, -0.03),
}


def person():
    """The joints of somebody who faces away from the camera, whose right is to the right."""
    xyz = np.zeros((17, 3))
    for row, joint in enumerate(H36M17.joints):
        side, _, part = joint.partition("_")
        x, y, z = JOINTS[part or joint]
        xyz[row] = (-x if side == "left" else x, y, z)
    return xyz


def turned(xyz, angle):
    c, s = np.cos(angle), np.sin(angle)
    return xyz @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]).T


def leaning(xyz, angle):
    """The same, tilted forward (away) by an angle about the hips' axis."""
    c, s = np.cos(angle), np.sin(angle)
    return xyz @ np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]]).T


def up_of(pitch_deg, roll_deg):
    pitch, roll = np.radians([pitch_deg, roll_deg])
    return np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def stretch(poses, up, where=(0.0, 5.0), camera_m=1.5, seconds=3.0, who=0):
    """A person in a world, seen by a camera whose up is `up`; poses may be a single one."""
    n = round(seconds * FPS)
    poses = np.broadcast_to(poses, (n, 17, 3))
    rotation = rotation_with_up(up)
    root = np.array([*where, 0.935 - camera_m]) @ rotation
    return Stretch(
        xyz=(poses @ rotation).astype(np.float32),
        root=np.tile(root, (n, 1)),
        score=np.ones((n, 17), np.float32),
        time_s=np.arange(n) / FPS,
        person=who,
    )


@pytest.mark.parametrize("facing", [0.0, 1.5, 3.0, -2.0])
@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(0, 0), (40, 0), (-10, 10), (35, -15)])
def test_up_of_somebody_who_stands_is_found_however_the_camera_is_held(facing, pitch_deg, roll_deg):
    up = up_of(pitch_deg, roll_deg)
    found = find_up([stretch(turned(person(), facing), up)])
    assert np.linalg.norm(found.up) == pytest.approx(1)
    assert angle_deg(found.up, up) < 3.5  # who stands straighter than those it was fitted to


def test_the_mirror_image_has_the_mirrored_up():
    xyz = turned(leaning(person(), 0.2), 1.0)[None]
    xyz = xyz + np.random.default_rng(0).normal(0, 0.02, xyz.shape)
    flip = np.array([-1.0, 1.0, 1.0])
    mirrored = (xyz * flip)[:, H36M17.mirror]
    np.testing.assert_allclose(body_up(mirrored), body_up(xyz) * flip, atol=1e-9)


def test_the_up_of_a_turned_pose_is_turned():
    random = np.random.default_rng(1)
    xyz = person()[None] + random.normal(0, 0.03, (5, 17, 3))
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    np.testing.assert_allclose(body_up(xyz @ rotation.T), body_up(xyz) @ rotation.T, atol=1e-9)


def test_who_leans_forward_as_walkers_do_is_taken_to_walk():
    """The line from the ankles to the head leans by 4 degrees, and up by less."""
    up = up_of(10, 0)
    found = find_up([stretch(leaning(person(), np.radians(4)), up)])
    assert angle_deg(found.up, up) < 1.5


def test_a_straight_body_counts_more_than_a_bent_one():
    bent = person()
    trunk = [row for row, joint in enumerate(H36M17.joints) if bent[row, 2] > 0.01]
    bent[trunk] = leaning(bent[trunk], 1.3)
    straight = person()
    assert straightness(straight[None])[0] > 0.95
    assert straightness(bent[None])[0] < 0.4
    up = up_of(20, 5)
    poses = np.concatenate([np.tile(straight, (40, 1, 1)), np.tile(bent, (35, 1, 1))])
    found = find_up([stretch(poses, up)])
    alone = find_up([stretch(straight, up)])
    assert angle_deg(found.up, alone.up) < 4
    assert found.sure_deg > alone.sure_deg + 2


def test_who_lies_down_does_not_turn_the_world():
    up = up_of(15, 0)
    lying = person()[:, [2, 1, 0]]
    standing = stretch(person(), up)
    both = find_up([standing, stretch(lying, up, where=(1.0, 4.0))])
    assert angle_deg(both.up, find_up([standing]).up) < 0.1
    assert find_up([stretch(lying, up)]) is None


def test_several_people_are_surer_than_one_and_sure_of_the_same():
    up = up_of(20, 8)
    people = [stretch(turned(person(), k), up, where=(k - 1.0, 5.0), who=k) for k in range(3)]
    alone, together = find_up(people[:1]), find_up(people)
    assert together.across_deg < 0.8 * alone.across_deg
    assert together.along_deg < 0.8 * alone.along_deg
    assert together.seconds == pytest.approx(3 * alone.seconds)
    assert angle_deg(together.up, up) < 3
    same = find_up([replace(one, person=0) for one in people])  # with two gaps
    assert same.across_deg > alone.across_deg - 0.01


def test_what_a_body_says_across_the_view_is_surer_than_along_it():
    found = find_up([stretch(person(), up_of(0, 0))])
    assert found.across_deg < found.along_deg
    np.testing.assert_allclose(np.abs(found.across), [1, 0, 0], atol=0.05)


def test_a_world_has_its_floor_below_the_feet():
    up = up_of(25, -10)
    world = find_world([stretch(person(), up, camera_m=2.2)])
    assert "by how bodies hold themselves, 3.0 s" in world.up
    assert world.camera_m[2] == pytest.approx(2.2, abs=0.35)  # 4 degrees at 5 m
    standing = stretch(person(), up, camera_m=2.2)
    ankles = [H36M17.index("left_ankle"), H36M17.index("right_ankle")]
    height = world.from_camera(standing.xyz + standing.root[:, None])[:, ankles, 2]
    np.testing.assert_allclose(height, 0.085, atol=0.02)
    assert 0 < world.up_sure_deg < 8
    assert 0 < world.floor_sure_m < 0.05


def test_a_camera_that_is_said_to_be_level_is_taken_at_its_word():
    world = find_world([stretch(person(), up_of(25, -10))], "camera")
    np.testing.assert_allclose(world.rotation[2], [0, -1, 0])
    assert world.up == "--up camera: it is level"
    assert np.isnan(world.up_sure_deg)


@pytest.mark.parametrize("down_deg", [-10.0, 0.0, 25.0, 80.0])
def test_a_pitch_that_is_said_is_kept_and_the_roll_is_found(down_deg):
    up = up_of(30, 12)
    world = find_world([stretch(person(), up)], down_deg)
    found = world.rotation[2]
    assert np.degrees(np.arcsin(-found[2])) == pytest.approx(down_deg)
    assert np.degrees(np.arctan2(found[0], -found[1])) == pytest.approx(12, abs=1)
    assert f"--up {down_deg:g}" in world.up


def test_a_pitch_that_is_said_needs_nobody():
    np.testing.assert_allclose(rolled_to(np.array([0.0, -1.0, 0.0]), 30.0), up_of(30, 0))
    world = find_world([], 30.0)
    np.testing.assert_allclose(world.rotation[2], up_of(30, 0), atol=1e-12)


def test_nobody_tells_of_no_world():
    world = find_world([])
    assert world.up == ASSUMED
    assert world.floor == NO_FLOOR
    assert np.isnan(world.floor_sure_m)
    np.testing.assert_array_equal(world.camera_m, 0)


def test_a_camera_that_moves_is_said_in_the_world():
    world = find_world([stretch(person(), up_of(10, 0))], camera_moves=True)
    assert "the camera moves" in world.up
    assert "the camera moves" in world.floor


def test_somebody_of_one_frame_tells_of_up_too():
    found = find_up([stretch(person(), up_of(10, 0), seconds=1 / FPS)])
    assert angle_deg(found.up, up_of(10, 0)) < 3.5


def test_what_is_not_placed_or_not_known_does_no_harm():
    up = up_of(20, 0)
    whole = stretch(person(), up)
    holes = stretch(person(), up)
    holes.xyz[::3] = np.nan
    holes.root[::5] = np.nan
    found = find_up([holes])
    assert angle_deg(found.up, find_up([whole]).up) < 1


@pytest.mark.parametrize(("said", "kept"), [("25", 25), ("-10", -10), ("camera", "camera")])
def test_up_can_be_said(pose3d, said, kept):
    ran = pose3d("lift", "--up", said, "--print-config", "--json")
    assert json.loads(ran.stdout)["up"] == kept


@pytest.mark.parametrize(
    ("up", "why"), [(86.0, "degrees from -85 to 85"), (-90.0, "degrees from -85 to 85")]
)
def test_a_camera_that_looks_straight_down_is_refused(up, why):
    with pytest.raises(ValueError, match=why):
        LiftSettings(up=up)
