from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose3d_cli.errors import UnknownNameError
from pose3d_cli.files.bvh import read_bvh
from pose3d_cli.files.export.animation import animations
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.euler import ORDER, euler_angles
from pose3d_cli.files.export.names import PRESETS
from pose3d_cli.files.export.zoo.bvh import Bvh
from pose3d_cli.learn.rig import to_h36m
from pose3d_cli.pose.rig.skeleton import JOINTS, PARENTS, TIPS, places_in_h36m
from tests.rigs import T_POSE, posed, result_of, walking_round


def write(folder, result, **options):
    return Bvh().write(result, folder / "clip", ExportOptions(**options))


def motion_of(result, **options):
    [one] = animations(result, ExportOptions(**options))
    return one.motion


def in_file(name, preset="blender"):
    """Return what our reader calls a joint: tips after the joint they end."""
    names = PRESETS[preset].names
    return f"{names[PARENTS[name]]}_end" if name in TIPS else names[name]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_joint_comes_back_within_a_hundredth_of_a_millimetre(tmp_path, preset):
    result = result_of({3: walking_round(90)})
    [path] = write(tmp_path, result, preset=preset).files
    assert path == tmp_path / "clip_person3.bvh"
    found, expected = read_bvh(path), motion_of(result)
    unit_m = PRESETS[preset].metres_per_unit
    assert found.joints == tuple(in_file(joint, preset) for joint in JOINTS)
    assert np.abs(found.xyz * unit_m - expected.joints).max() < 1e-5
    assert np.abs(found.rest * unit_m - expected.rig.rest).max() < 1e-5
    assert found.fps == pytest.approx(30, rel=1e-9)
    assert found.notes == ()


def test_units_and_names_of_the_presets(tmp_path):
    result = result_of({0: np.repeat(T_POSE, 3, axis=0)})
    tall = {}
    for preset in PRESETS:
        [path] = write(tmp_path, result, preset=preset).files
        found = read_bvh(path)
        tall[preset] = np.ptp(found.xyz[0, :, 1])
        prefix = "mixamorig:" if preset == "mixamo" else ""
        assert found.joints[0] == f"{prefix}Hips"
        assert {f"{prefix}LeftForeArm", f"{prefix}RightUpLeg"} <= set(found.joints)
    assert tall["blender"] == pytest.approx(1.7, abs=0.1)
    assert tall["mixamo"] == pytest.approx(100 * tall["blender"], rel=1e-5)
    assert tall["cmu"] == pytest.approx(tall["blender"] * 0.45 / 0.0254, rel=1e-5)
    with pytest.raises(UnknownNameError, match="no preset 'mixamoo'; did you mean 'mixamo'"):
        ExportOptions(preset="mixamoo")


def test_our_own_import_of_motion_finds_the_limbs_again(tmp_path):
    xyz = walking_round(40)
    [path] = write(tmp_path, result_of({0: xyz}), preset="cmu").files
    pose = to_h36m(read_bvh(path)).xyz
    legs = [1, 2, 3, 4, 5, 6]  # arms are given other lengths there, as CMU's need it
    found = np.linalg.norm(np.diff(pose[:, legs], axis=1), axis=-1)
    expected = np.linalg.norm(np.diff(xyz[:, legs], axis=1), axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_text_is_what_readers_expect(tmp_path):
    [path] = write(tmp_path, result_of({0: walking_round(4)}, fps=30000 / 1001)).files
    text = path.read_text()
    lines = [line.strip() for line in text.splitlines()]
    assert lines[:3] == ["HIERARCHY", "ROOT Hips", "{"]
    order = "Zrotation Xrotation Yrotation"
    assert lines.count(f"CHANNELS 6 Xposition Yposition Zposition {order}") == 1
    assert lines.count(f"CHANNELS 3 {order}") == len(JOINTS) - len(TIPS) - 1
    assert lines.count("End Site") == len(TIPS)
    at = lines.index("MOTION")
    assert lines[at + 1] == "Frames: 4"
    assert float(lines[at + 2].removeprefix("Frame Time: ")) == pytest.approx(1001 / 30000, 1e-9)
    rows = lines[at + 3 :]
    assert {len(row.split()) for row in rows} == {3 + 3 * (len(JOINTS) - len(TIPS))}
    assert "-0.000000" not in text


def test_frames_at_odd_times_are_moved_to_an_even_rate(tmp_path):
    n_frames = 60
    random = np.random.default_rng(0)
    time_s = np.sort(np.arange(n_frames) / 30 + random.uniform(-0.012, 0.012, n_frames))
    steady = motion_of(result_of({0: walking_round(n_frames)}))
    xyz = steady.at(np.clip(time_s, 0, None)).joints[:, places_in_h36m()]
    exported = write(tmp_path, result_of({0: xyz}, time_s=time_s))
    assert any("resampled to an even 30 frames a second" in note for note in exported.notes)
    found = read_bvh(exported.files[0])
    times = time_s[0] + np.arange(len(found.xyz)) / 30
    assert abs(times[-1] - time_s[-1]) <= 1 / 30
    expected = steady.at(np.clip(times, 0, None)).joints
    assert np.abs(found.xyz - expected).max() < 0.02


def test_another_rate_changes_the_frames_and_not_the_duration(tmp_path):
    result = result_of({0: walking_round(61)})
    found = read_bvh(write(tmp_path, result, fps=60.0).files[0])
    assert found.fps == pytest.approx(60)
    assert len(found.xyz) == 121
    assert np.abs(found.xyz[::2] - motion_of(result).joints).max() < 1e-5


def test_times_of_a_millisecond_or_so_off_are_left_as_they_are(tmp_path):
    time_s = np.round(np.arange(40) / 30, 3)
    exported = write(tmp_path, result_of({0: walking_round(40)}, time_s=time_s))
    assert not any("resampled" in note for note in exported.notes)
    assert len(read_bvh(exported.files[0]).xyz) == 40


def test_gaps_late_comers_and_those_without_a_place_are_told(tmp_path):
    xyz = walking_round(30)
    nowhere = np.full((30, 17, 3), np.nan)
    rows = np.delete(np.arange(30), np.arange(10, 15))[6:]
    result = result_of({0: xyz[rows], 1: nowhere}, rows={0: rows})
    exported = write(tmp_path, result)
    assert [path.name for path in exported.files] == ["clip_person0.bvh"]
    told = "\n".join(exported.notes)
    assert "person 0 is out of sight in 5 of 24 frames; poses are interpolated there" in told
    assert "person 0 appears 0.200 s into the clip, where their BVH begins" in told
    assert "person 1 is left out" in told
    assert len(read_bvh(exported.files[0]).xyz) == 24
    held = write(tmp_path, result, fill="hold")
    assert any("the last pose is held there" in note for note in held.notes)
    found = read_bvh(held.files[0]).xyz
    np.testing.assert_allclose(found[4:9], found[3:4].repeat(5, axis=0), atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 40))
def test_euler_angles_say_the_same_turn_and_never_take_a_long_way(seed, step_deg):
    random = np.random.default_rng(seed)
    axes = random.normal(size=(80, 3))
    steps = Rotation.from_rotvec(
        np.deg2rad(step_deg) * axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    )
    turns = [Rotation.identity()]
    for one in steps:
        turns.append(one * turns[-1])
    quaternions = np.stack([turn.as_quat() for turn in turns])
    angles = euler_angles(quaternions)
    again = Rotation.from_euler(ORDER, angles).as_quat()
    np.testing.assert_allclose(np.abs((again * quaternions).sum(-1)), 1, atol=1e-9)
    assert np.abs(np.diff(angles, axis=0)).max() <= np.pi + 1e-9


@pytest.mark.parametrize("axis", "XYZ")
def test_euler_angles_go_on_through_full_turns_and_a_locked_gimbal(axis):
    angle = np.linspace(0, 4 * np.pi, 289)  # exactly at 90 degrees, too
    angles = euler_angles(Rotation.from_euler(axis, angle[:, None]).as_quat())
    np.testing.assert_allclose(angles[:, ORDER.index(axis)], angle, atol=1e-6)
    np.testing.assert_allclose(np.delete(angles, ORDER.index(axis), axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("side", [1, -1])
def test_a_gimbal_that_locks_keeps_one_angle_and_gives_the_other_the_rest(side):
    """Only the sum of two angles, or their difference, is known there."""
    x = side * np.deg2rad(np.concatenate([np.linspace(60, 89, 20), np.full(20, 90)]))
    z = 0.3 + np.linspace(0, 1, 40)
    given = np.stack([z, x, np.full(40, 0.8)], -1)
    angles = euler_angles(Rotation.from_euler(ORDER, given).as_quat())
    np.testing.assert_allclose(angles, given, atol=1e-5)


def test_one_frame_is_enough(tmp_path):
    exported = write(tmp_path, result_of({0: posed(1, left_hip=(-90, 0, 0))}))
    found = read_bvh(exported.files[0])
    assert len(found.xyz) == 1
    assert found.fps == pytest.approx(30)
