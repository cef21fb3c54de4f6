"""Joint angles: known poses give known angles, and the angles give the poses back."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.euler import euler_angles
from pose3d_cli.files.export.joint_angles import plainest
from pose3d_cli.files.export.track import track_of
from pose3d_cli.files.export.zoo.angles import COLUMNS, Angles
from pose3d_cli.files.export.zoo.mot import Mot
from pose3d_cli.pose.skeleton import H36M17
from tests.rigs import posed, result_of, turning_oddly, walking_round

OPTIONS = ExportOptions()
HANG = {"left_shoulder": (0, 0, -90), "right_shoulder": (0, 0, 90)}
AWAY = {"pelvis": (0, 180, 0)}


def table(path):
    """Return the cells of a table by column; NaN where they are empty."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in rows[0]}


def angles_of(tmp_path, result):
    [path] = Angles().write(result, tmp_path / "clip", OPTIONS).files
    assert path.name == "clip_angles.csv"
    return table(path)


def mot(path):
    """Return the lines before the columns, and the columns."""
    head, _, body = path.read_text().partition("endheader\n")
    names, *rows = [line.split("\t") for line in body.splitlines()]
    values = np.array(rows, np.float64)
    return head.splitlines(), dict(zip(names, values.T, strict=True))


def test_who_stands_upright_with_hanging_arms_has_no_angles_at_all(tmp_path):
    found = angles_of(tmp_path, result_of({0: posed(3, **HANG, **AWAY)}))
    for column in COLUMNS:
        if "internal" in column:  # straight limbs do not show it
            assert np.isnan(found[column]).all()
        else:
            np.testing.assert_allclose(found[column], 0, atol=0.01, err_msg=column)


BENT = {"left_knee": (60, 0, 0), "right_knee": (60, 0, 0)}
FOREARMS = {"left_elbow": (0, -80, 0), "right_elbow": (0, 80, 0)}
POSES = [
    ({"left_knee": (40, 0, 0)}, {"left_knee_flexion": 40, "right_knee_flexion": 0}),
    ({"right_elbow": (0, 70, 0)}, {"right_elbow_flexion": 70, "left_elbow_flexion": 0}),
    ({"left_hip": (-30, 0, 0)}, {"left_hip_flexion": 30, "left_hip_adduction": 0}),
    ({"left_hip": (0, 0, 25)}, {"left_hip_adduction": -25, "left_hip_flexion": 0}),
    ({"right_hip": (0, 0, -25)}, {"right_hip_adduction": -25, "right_hip_flexion": 0}),
    ({"left_hip": (0, -20, 0), **BENT}, {"left_hip_internal_rotation": 20}),
    ({"right_hip": (0, 20, 0), **BENT}, {"right_hip_internal_rotation": 20}),
    ({}, {"left_shoulder_adduction": -90, "right_shoulder_elevation": 90}),
    ({"left_shoulder": (0, -90, 0)}, {"left_shoulder_flexion": 90, "left_shoulder_elevation": 90}),
    ({"right_shoulder": (0, 90, 0)}, {"right_shoulder_flexion": 90}),
    (HANG | FOREARMS, {"left_shoulder_internal_rotation": 0, "right_shoulder_flexion": 0}),
    ({"spine": (20, 0, 0)}, {"trunk_forward_lean": 20, "pelvis_forward_tilt": 0}),
    ({"spine": (0, 0, -15)}, {"trunk_right_lean": -15, "pelvis_right_drop": 0}),
    ({"spine": (0, 30, 0)}, {"back_left_rotation": 30, "pelvis_left_turn": 180}),
    ({"pelvis": (0, 90, 0)}, {"pelvis_left_turn": 270, "trunk_left_turn": 270}),
    ({"pelvis": (15, 0, 0)}, {"pelvis_forward_tilt": 15, "trunk_forward_lean": 15}),
    ({"pelvis": (0, 0, 10)}, {"pelvis_right_drop": 10, "trunk_right_lean": 10}),
]  # fmt: skip


@pytest.mark.parametrize(("turned", "expected"), POSES)
def test_known_turns_have_their_angles_with_their_signs(tmp_path, turned, expected):
    found = angles_of(tmp_path, result_of({0: posed(3, **turned)}))
    for name, degrees in expected.items():
        off = (found[f"{name}_deg"] - degrees + 180) % 360 - 180
        np.testing.assert_allclose(off, 0, atol=0.05, err_msg=name)


def test_tilt_is_that_of_the_person_whichever_way_they_face(tmp_path):
    heading = np.stack([np.zeros(36), np.arange(0, 360, 10.0), np.zeros(36)], -1)
    tilted = [Rotation.from_euler("YX", [turn, 15], degrees=True) for turn in heading[:, 1]]
    vectors = np.array([np.rad2deg(turn.as_rotvec()) for turn in tilted])
    found = angles_of(tmp_path, result_of({0: posed(36, pelvis=vectors)}))
    np.testing.assert_allclose(found["pelvis_forward_tilt_deg"], 15, atol=0.01)
    np.testing.assert_allclose(np.diff(found["pelvis_left_turn_deg"]), 10, atol=0.01)


def test_angles_never_jump(tmp_path):
    """A full circle, arms through the pole of their angles, a gap on the way."""
    xyz = walking_round(240)
    xyz[100:110] = np.nan
    found = angles_of(tmp_path, result_of({0: xyz}))
    for column in COLUMNS:
        known = np.flatnonzero(np.isfinite(found[column]))
        step = np.abs(np.diff(found[column][known])) / np.diff(known)
        assert step.max(initial=0) < 30, column
    assert np.ptp(found["pelvis_left_turn_deg"][np.isfinite(found["pelvis_left_turn_deg"])]) > 340


def test_arms_that_begin_at_the_pole_hang_at_zero_and_not_at_half_a_turn(tmp_path):
    """A T-pose is where flexion and rotation are one; beyond it they are half a turn away."""
    up = np.concatenate([np.linspace(8, -90, 60), np.full(60, -90.0)])
    left = np.stack([0 * up, 0 * up, up], -1)
    found = angles_of(tmp_path, result_of({0: posed(120, left_shoulder=left)}))
    assert found["left_shoulder_adduction_deg"][0] == pytest.approx(-98, abs=0.1)
    for name in ("adduction", "flexion"):
        assert found[f"left_shoulder_{name}_deg"][-1] == pytest.approx(0, abs=0.1)


def test_gaps_are_empty_and_frames_of_ones_absence_have_no_row(tmp_path):
    xyz = walking_round(12)
    xyz[0, 3] = xyz[5, 3] = xyz[11, 3] = np.nan  # one joint at both ends and within
    nowhere = np.full((2, 17, 3), np.nan)
    result = result_of({0: xyz, 1: nowhere}, rows={0: np.arange(3, 15), 1: np.arange(2)})
    exported = Angles().write(result, tmp_path / "clip", OPTIONS)
    found = table(exported.files[0])
    assert found["frame"].tolist() == [0, 1, *range(3, 15)]
    assert found["person"].tolist() == [1, 1, *[0] * 12]
    empty = np.isnan(found["left_hip_flexion_deg"])
    assert np.flatnonzero(empty).tolist() == [0, 1, 2, 7, 13]
    assert exported.notes == (
        "person 1 has no angles: there is no frame in which all joints have a place",
    )


def test_a_frame_has_the_angles_of_its_own_pose(tmp_path):
    knee = np.stack([np.linspace(20, 90, 12), np.zeros(12), np.zeros(12)], -1)
    xyz = posed(12, left_knee=knee)
    xyz[0] = xyz[4] = np.nan
    found = angles_of(tmp_path, result_of({0: xyz}, rows={0: np.arange(3, 15)}))
    expected = np.where(np.isin(np.arange(12), [0, 4]), np.nan, knee[:, 0])
    np.testing.assert_allclose(found["left_knee_flexion_deg"], expected, atol=0.05)


def test_a_mot_says_what_opensim_asks_for(tmp_path):
    result = result_of({3: walking_round(20)}, rows={3: np.arange(10, 30)})
    [path] = Mot().write(result, tmp_path / "my clip", OPTIONS).files
    head, found = mot(path)
    assert head[0] == "my clip_person3"
    assert head[1:5] == ["version=1", "nRows=20", f"nColumns={len(found)}", "inDegrees=yes"]
    np.testing.assert_allclose(found["time"], np.arange(10, 30) / 30, atol=1e-6)
    assert {"pelvis_tilt", "hip_flexion_r", "knee_angle_l", "lumbar_bending", "arm_flex_l"} < set(
        found
    )


def test_the_coordinates_put_the_bones_where_the_markers_are(tmp_path):
    """Joints as OpenSim's models turn them: about Z, then X, then Y; left X and Y mirrored."""
    result = result_of({0: turning_oddly(60)})
    [path] = Mot().write(result, tmp_path / "a", OPTIONS).files
    _, found = mot(path)
    xyz = track_of(result, result.people[0]).xyz[..., [1, 2, 0]]  # OpenSim's ground

    def ball(z, x, y, sign=1):
        angles = np.stack([found[z], sign * found[x], sign * found[y]], -1)
        return Rotation.from_euler("ZXY", angles, degrees=True)

    def bone(start, end):
        vector = xyz[:, H36M17.index(end)] - xyz[:, H36M17.index(start)]
        return vector / np.linalg.norm(vector, axis=-1, keepdims=True)

    down = [0.0, -1.0, 0.0]
    pelvis = ball("pelvis_tilt", "pelvis_list", "pelvis_rotation")
    chest = pelvis * ball("lumbar_extension", "lumbar_bending", "lumbar_rotation")
    near = {"atol": 2e-5}  # directions of bones: a hundredth of a millimetre at half a metre
    np.testing.assert_allclose(chest.apply([0, 1, 0]), bone("spine", "thorax"), **near)
    for side, end, sign in (("right", "r", 1), ("left", "l", -1)):
        names = (f"hip_flexion_{end}", f"hip_adduction_{end}", f"hip_rotation_{end}")
        thigh = pelvis * ball(*names, sign)
        np.testing.assert_allclose(thigh.apply(down), bone(f"{side}_hip", f"{side}_knee"), **near)
        bent = Rotation.from_euler("z", -found[f"knee_angle_{end}"][:, None], degrees=True)
        shin = (thigh * bent).apply(down)
        np.testing.assert_allclose(shin, bone(f"{side}_knee", f"{side}_ankle"), **near)
        arm = chest * ball(f"arm_flex_{end}", f"arm_add_{end}", f"arm_rot_{end}", sign)
        points = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")]
        np.testing.assert_allclose(arm.apply(down), bone(*points[:2]), **near)
        bent = Rotation.from_euler("z", found[f"elbow_flex_{end}"][:, None], degrees=True)
        np.testing.assert_allclose((arm * bent).apply(down), bone(*points[1:]), **near)
    places = np.stack([found[f"pelvis_t{axis}"] for axis in "xyz"], -1)
    np.testing.assert_allclose(places, xyz[:, 0], atol=1e-6)


def test_a_mot_has_nan_in_gaps_and_nobody_without_a_pose(tmp_path):
    xyz = walking_round(12)
    xyz[5, 3] = np.nan
    result = result_of({0: xyz, 1: np.full((12, 17, 3), np.nan)})
    exported = Mot().write(result, tmp_path / "a", OPTIONS)
    _, found = mot(exported.files[0])
    for name, values in found.items():
        assert np.flatnonzero(np.isnan(values)).tolist() == ([] if name == "time" else [5])
    assert "\tNaN" in exported.files[0].read_text()
    assert exported.notes == (
        "person 0: in 1 of 12 frames joints have no place; their angles are NaN",
        "person 1 is left out: there is no frame in which all joints have a place",
    )


@pytest.mark.parametrize("order", ["ZXY", "YXZ"])
@pytest.mark.parametrize("sign", [1, -1])
def test_at_the_pole_the_angles_go_on_from_where_they_were(order, sign):
    """There two axes are one: a library calls one of the angles 0, and the other jumps."""
    middle = sign * np.array([80, 85, 90, 90, 86, 80.0])
    told = np.stack([[20, 22, 24, 30, 31, 32.0], middle, [40, 40, 40, 40, 42, 43.0]], -1)
    turns = Rotation.from_euler(order, told, degrees=True)
    found = np.rad2deg(euler_angles(turns.as_quat(), order))
    np.testing.assert_allclose(found, told, atol=1e-3)


@given(
    st.sampled_from(["ZXY", "YXZ"]),
    st.lists(st.tuples(*[st.floats(-0.6, 0.6)] * 3), min_size=2, max_size=12),
    st.sampled_from([0.0, 90.0, -90.0]),
)
def test_angles_of_any_turns_say_the_same_turns(order, steps, middle):
    """Also where two axes are one; a jump of half a turn in one angle would say another turn."""
    start = Rotation.from_euler(order, [20, middle, 40], degrees=True)
    turns = [start]
    for step in steps:
        turns.append(turns[-1] * Rotation.from_rotvec(step))
    quaternions = np.array([turn.as_quat() for turn in turns])
    angles = plainest(euler_angles(quaternions, order))
    again = Rotation.from_euler(order, angles, degrees=True)
    off = (Rotation.from_quat(quaternions) * again.inv()).magnitude()
    assert off.max() < 1e-5
    assert np.abs(np.diff(angles, axis=0)).max() < 359
