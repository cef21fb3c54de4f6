"""Figures of clean-up: those of a motion without error, and of one whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.clean_bench import VARIANTS, measure, true_contacts
from pose3d_cli.learn.travel import TAKE_HZ, Take, _stand, cut_takes
from pose3d_cli.pose.camera import camera_from_fov
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stature import stature
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.world import World
from tests.walkers import STEP_S, stands, walk

FLOOR = World(camera_m=np.array([0.0, 0.0, 0.84]))  # ankles stand 8 cm over it


def a_take(off=(0.0, 0.0, 0.0)):
    motion = walk(4.0, TAKE_HZ)
    n = len(motion)
    keypoints = Keypoints2D(
        xy=np.zeros((n, 17, 2), np.float32),
        score=np.ones((n, 17), np.float32),
        frames=np.arange(n),
        time_s=motion.time_s,
        fps=TAKE_HZ,
        image_size=camera_from_fov(50.0, (100, 100)).image_size,
        skeleton=H36M17,
    )
    return Take(
        name="walk",
        keypoints=keypoints,
        xyz_root=motion.pose.astype(np.float32),
        root=motion.root + np.array(off),
        truth=motion.xyz,
        world=FLOOR,
    )


def test_a_motion_without_error_has_none():
    figures = measure(a_take(), VARIANTS["before"])
    for name in ("mpjpe_mm", "p_mpjpe_mm", "acceleration_mm", "path_mm", "picture_px"):
        assert getattr(figures, name) == pytest.approx(0, abs=1e-3), name
    assert figures.bone_spread_mm == pytest.approx(0, abs=1e-3)
    assert np.isnan(figures.held_slide_mm)
    assert np.isnan(figures.held)


def test_a_path_that_is_off_is_told_in_millimetres_and_pixels():
    figures = measure(a_take(off=(0.05, 0, 0)), VARIANTS["before"])
    assert figures.path_mm == pytest.approx(50)
    assert figures.path_speed_mm_s == pytest.approx(0, abs=1e-6)
    assert figures.picture_px == pytest.approx(10, rel=0.02)  # 50 mm, 5 m away
    assert figures.mpjpe_mm == pytest.approx(0, abs=1e-3)


def test_true_contacts_are_those_of_the_truth():
    take = a_take()
    found = np.zeros((len(take.keypoints), 2), bool)
    for foot, first, stop in true_contacts(take):
        found[first:stop, foot] = True
    true = np.stack([stands(take.keypoints.time_s, phase) for phase in (0.0, STEP_S)], -1)
    assert (found & true).sum() > 0.85 * true.sum()
    assert (found & ~true).sum() < 0.25 * found.sum()


def test_held_feet_are_told():
    figures = measure(a_take(), VARIANTS["all"])
    assert figures.held > 0.9
    assert figures.held_slide_mm < 4


def walker(name, seconds, size=1.0):
    xyz = World().from_camera(walk(seconds, 50.0).xyz) * size
    return MocapClip(
        name=name,
        subject="s",
        split="test",
        category="walk",
        licence="CC0",
        fps=50.0,
        xyz=xyz.astype(np.float32),
    )


def test_takes_are_even_of_one_size_on_the_floor_and_of_all_clips_in_turn():
    takes = cut_takes([walker("a", 14.0, 0.9), walker("b", 7.0), walker("c", 1.0)])
    assert [name for name, _ in takes] == ["a at 0 s", "b at 0 s", "a at 6 s", "a at 12 s"]
    for _, xyz in takes:
        assert stature(xyz) == pytest.approx(1.70, abs=0.01)
        assert np.percentile(xyz[:, [3, 6], 2].min(1), 10) == pytest.approx(0.08, abs=0.01)
    assert len(takes[0][1]) == 6 * TAKE_HZ


def test_a_camera_sees_all_of_a_take_and_stands_upright_over_the_floor():
    _, xyz = cut_takes([walker("a", 5.0)])[0]
    for seed in range(5):
        world, half = _stand(xyz, np.random.default_rng(seed))
        seen = world.to_camera(xyz)
        assert (np.abs(seen[..., :2] / seen[..., 2:]) < half).all()
        assert 0.7 <= world.camera_m[2] <= 2.4
        np.testing.assert_allclose(world.rotation @ world.rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(world.from_camera(seen), xyz, atol=1e-9)
        up = np.array([0, 0, 1.0]) @ world.rotation
        assert up[1] < -0.8  # upwards in the picture
