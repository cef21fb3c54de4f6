from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.rig.motion import animate, forward_kinematics
from pose3d_cli.pose.rig.rotations import animation_axes, constant_bones, rotations
from pose3d_cli.pose.rig.skeleton import JOINTS, PARENTS, TIPS, places_in_h36m, rig_of
from pose3d_cli.pose.skeleton import H36M17
from tests.rigs import T_POSE, adult, posed, walking_round

FPS = 30.0


def at(xyz, joint):
    return xyz[:, H36M17.index(joint)]


def turns_deg(quaternions, joint):
    """Return by how many degrees a joint is turned, frame by frame."""
    w = np.abs(quaternions[:, JOINTS.index(joint), 3]).clip(0, 1)
    return np.rad2deg(2 * np.arccos(w))


def steps_deg(quaternions, joint):
    """Return by how many degrees a joint turns from frame to frame."""
    turn = quaternions[:, JOINTS.index(joint)]
    dots = np.abs((turn[1:] * turn[:-1]).sum(-1)).clip(0, 1)
    return np.rad2deg(2 * np.arccos(dots))


def test_a_t_pose_is_the_rest_of_the_rig():
    rig = adult()
    turn = rotations(T_POSE, rig, fps=FPS)
    np.testing.assert_allclose(turn, np.tile([0.0, 0, 0, 1], (1, len(JOINTS), 1)), atol=1e-7)
    place = dict(zip(JOINTS, rig.rest, strict=True))
    np.testing.assert_allclose(place["left_wrist"], [0.7, 0.46, 0], atol=1e-9)
    np.testing.assert_allclose(place["right_ankle"], [-0.12, -0.9, 0], atol=1e-9)
    assert place["head"][2] > 0.05  # the face is in front
    assert place["left_toe"][2] > 0.1
    np.testing.assert_allclose(rig.rest[places_in_h36m()] + [0, 1, 0], T_POSE[0], atol=1e-9)


def test_what_hangs_on_a_joint_follows_it_at_once():
    """Formats that nest joints write them in this order."""
    seen = []

    def visit(joint):
        seen.append(joint)
        for child, parent in PARENTS.items():
            if parent == joint:
                visit(child)

    visit("pelvis")
    assert tuple(seen) == JOINTS
    assert set(TIPS) == {"crown", "left_hand", "right_hand", "left_toe", "right_toe"}


def test_bones_are_medians_and_the_mean_of_left_and_right():
    xyz = np.repeat(T_POSE, 5, axis=0)
    left_knee, left_ankle = H36M17.index("left_knee"), H36M17.index("left_ankle")
    xyz[:, left_ankle] -= [0, 0.02, 0]
    xyz[0, left_ankle] -= [0, 3, 0]  # one wild frame
    xyz[1, left_knee] = np.nan  # and one that is not whole
    rig = rig_of(xyz)
    assert -rig.of("left_ankle")[1] == pytest.approx(0.46)
    np.testing.assert_allclose(rig.of("right_ankle"), rig.of("left_ankle") * [-1, 1, 1])
    with pytest.raises(ValueError, match="no frame in which all joints are known"):
        rig_of(np.full((3, 17, 3), np.nan))


@pytest.mark.parametrize(
    "turned",
    [
        {"left_shoulder": (20, 30, -40), "left_elbow": (0, -70, 0)},
        {"right_shoulder": (-30, 10, 60), "right_elbow": (0, 90, 0)},
        {"left_hip": (-80, 10, 15), "left_knee": (90, 0, 0)},
        {"right_hip": (-20, -25, 5), "right_knee": (40, 0, 0)},
        {"pelvis": (0, 180, 0), "left_hip": (-90, 0, 0), "left_knee": (90, 0, 0)},
        {"pelvis": (-90, 0, 0), "left_knee": (60, 0, 0), "right_elbow": (0, 45, 0)},
        {"spine": (30, 20, 10), "neck": (10, 40, 5), "left_elbow": (0, -120, 0)},
    ],
)
def test_rotations_that_made_a_pose_come_back(turned):
    """Sitting, lying, with the back to the camera: a bent limb shows how it is twisted."""
    turn = rotations(posed(4, **turned), adult(), fps=FPS)
    for joint in JOINTS:
        if joint in ("lower_back", "spine") and "spine" in turned:
            continue  # of the back's twist the rig gives each of the two its part
        vector = np.deg2rad(turned.get(joint, (0, 0, 0)))
        angle = max(np.linalg.norm(vector), 1e-12)
        expected = [*(np.sin(angle / 2) * vector / angle), np.cos(angle / 2)]
        np.testing.assert_allclose(turn[0, JOINTS.index(joint)], expected, atol=1e-6, err_msg=joint)


def test_straight_arms_hang_and_rise_without_twist_or_flip():
    """From hanging through the T-pose to overhead and back; elbows never bend."""
    angle = 90 * np.cos(np.linspace(0, 2 * np.pi, 120))
    none = np.zeros(120)
    xyz = posed(
        120,
        left_shoulder=np.stack([none, none, -angle], -1),
        right_shoulder=np.stack([none, none, angle], -1),
    )
    assert at(xyz, "left_wrist")[0, 1] < 1.0 < 1.9 < at(xyz, "left_wrist")[60, 1]
    turn = rotations(xyz, adult(), fps=FPS)
    for side in ("left", "right"):
        np.testing.assert_allclose(turns_deg(turn, f"{side}_shoulder"), np.abs(angle), atol=1e-3)
        assert steps_deg(turn, f"{side}_shoulder").max() < 5
        assert turns_deg(turn, f"{side}_elbow").max() < 1e-3


def test_twist_stays_put_while_the_elbow_is_straight():
    bend = np.concatenate([np.full(30, 80), np.linspace(80, 0, 15), np.zeros(60)])
    bend = np.concatenate([bend, bend[::-1]])
    none = np.zeros(len(bend))
    twist = np.tile([50.0, 0, 0], (len(bend), 1))  # about the upper arm, which lies along X
    xyz = posed(len(bend), left_shoulder=twist, left_elbow=np.stack([none, -bend, none], -1))
    random = np.random.default_rng(0)
    turn = rotations(xyz + random.normal(0, 5e-4, xyz.shape), adult(), fps=FPS)
    twisted = turns_deg(turn, "left_shoulder")
    np.testing.assert_allclose(twisted, 50, atol=3)
    assert steps_deg(turn, "left_shoulder").max() < 3


def test_a_limb_without_a_plane_is_not_twisted():
    xyz = posed(30, left_hip=(-40, 0, 20), right_shoulder=(0, 30, 0))
    turn = rotations(xyz, adult(), fps=FPS)
    assert np.rad2deg(2 * np.arcsin(np.abs(turn[:, JOINTS.index("left_hip"), 1]).max())) < 10
    np.testing.assert_allclose(turns_deg(turn, "right_shoulder"), 30, atol=1e-3)


def test_a_knee_bent_a_little_the_wrong_way_does_not_turn_the_leg_round():
    bend = np.concatenate([np.full(20, 60.0), np.linspace(60, -20, 20), np.full(20, -20.0)])
    none = np.zeros(len(bend))
    xyz = posed(len(bend), left_knee=np.stack([bend, none, none], -1))
    turn = rotations(xyz, adult(), fps=FPS)
    assert turns_deg(turn, "left_hip").max() < 1
    np.testing.assert_allclose(turns_deg(turn, "left_knee"), np.abs(bend), atol=0.5)


def test_an_elbow_bent_much_is_believed_whichever_way():
    """A hand on the back: the upper arm is turned inwards by more than a right angle."""
    turned = {"left_shoulder": (120, 0, 0), "left_elbow": (0, -90, 0)}
    turn = rotations(posed(20, **turned), adult(), fps=FPS)
    np.testing.assert_allclose(turns_deg(turn, "left_shoulder"), 120, atol=0.1)


def test_quaternions_do_not_jump_while_the_body_turns_twice():
    angle = np.linspace(0, 720, 240)
    xyz = posed(240, pelvis=np.stack([angle * 0, angle, angle * 0], -1), left_knee=(50, 0, 0))
    turn = rotations(xyz, adult(), fps=FPS)
    assert ((turn[1:] * turn[:-1]).sum(-1) > 0.99).all()
    assert (turn[0, :, 3] >= 0).all()
    assert turn[120, 0, 3] == pytest.approx(-1, abs=1e-3)  # once round is the other sign


def test_the_world_stands_upright_in_axes_of_animation():
    up, away, right = np.eye(3)[[2, 1, 0]]
    np.testing.assert_array_equal(animation_axes(up), [0, 1, 0])
    np.testing.assert_array_equal(animation_axes(away), [0, 0, -1])
    np.testing.assert_array_equal(animation_axes(right), [1, 0, 0])


def test_positions_that_are_not_finite_are_refused():
    xyz = np.repeat(T_POSE, 2, axis=0)
    xyz[1, 3] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        rotations(xyz, adult(), fps=FPS)


def gappy():
    """Somebody who is seen from frame 5 to 24 of 30, but for 10 to 14."""
    xyz = walking_round(30)
    xyz[:5] = xyz[10:15] = xyz[25:] = np.nan
    return xyz


def test_gaps_are_bridged_evenly_and_ends_are_cut():
    done = animate(gappy(), np.arange(30) / FPS, fps=FPS)
    motion = done.motion
    np.testing.assert_allclose(motion.time_s, np.arange(5, 25) / FPS)
    assert done.is_filled.tolist() == [5 <= i < 10 for i in range(20)]
    before, after = motion.root[4], motion.root[10]
    np.testing.assert_allclose(motion.root[7], (before + after) / 2, atol=1e-9)
    assert steps_deg(motion.turn[4:11], "left_hip").std() < 1e-6
    lengths = np.linalg.norm(np.diff(motion.joints[:, [7, 8]], axis=1), axis=-1)
    np.testing.assert_allclose(lengths, lengths[0, 0], atol=1e-9)


def test_a_gap_can_be_held():
    motion = animate(gappy(), np.arange(30) / FPS, fps=FPS, fill="hold").motion
    for frame in range(5, 10):
        np.testing.assert_array_equal(motion.turn[frame], motion.turn[4])
        np.testing.assert_array_equal(motion.root[frame], motion.root[4])
    assert np.abs(motion.root[10] - motion.root[4]).max() > 0.01


def test_how_far_constant_bones_move_joints_is_told():
    xyz = np.repeat(T_POSE, 3, axis=0)
    xyz[0, H36M17.index("left_wrist")] += [0.05, 0, 0]
    mean, most = animate(xyz, np.arange(3.0), fps=FPS).moved_m
    assert most == pytest.approx(0.05)
    assert mean == pytest.approx(0.05 / (3 * 17))


def test_one_frame_is_a_motion():
    motion = animate(T_POSE, np.array([0.4]), fps=FPS).motion
    assert motion.turn.shape == (1, len(JOINTS), 4)
    np.testing.assert_allclose(motion.joints[:, places_in_h36m()], T_POSE, atol=1e-9)


def test_the_motion_has_the_bones_of_the_rig_in_the_directions_seen():
    xyz = walking_round(60)
    xyz[:, H36M17.index("left_elbow")] += 0.02 * np.sin(np.arange(60))[:, None]
    rig = rig_of(xyz)
    motion = forward_kinematics(rig.offset, at(xyz, "pelvis"), rotations(xyz, rig, fps=FPS))
    expected = constant_bones(xyz, rig)
    np.testing.assert_allclose(motion[:, places_in_h36m()], expected, atol=1e-9)
    for parent, joint in (("left_shoulder", "left_elbow"), ("right_hip", "right_knee")):
        step, seen = (at(p, joint) - at(p, parent) for p in (expected, xyz))
        np.testing.assert_allclose(np.cross(step, seen), 0, atol=1e-9)
        assert (step * seen).sum(-1).min() > 0
