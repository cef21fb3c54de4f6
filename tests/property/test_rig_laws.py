from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from pose3d_cli.pose.rig.motion import forward_kinematics
from pose3d_cli.pose.rig.rotations import constant_bones, rotations
from pose3d_cli.pose.rig.skeleton import JOINTS, places_in_h36m, rig_of
from pose3d_cli.pose.skeleton import H36M17, other_side
from tests.rigs import posed

LIMITS = {
    "pelvis": 180, "spine": 40, "neck": 40, "left_shoulder": 80, "right_shoulder": 80,
    "left_hip": 60, "right_hip": 60, "left_elbow": 60, "right_elbow": 60, "left_knee": 60,
    "right_knee": 60, "left_collar": 15, "right_collar": 15,
}  # fmt: skip


def smooth(random, n_frames, scale):
    """Return vectors that wander; every tenth of a second is another."""
    values = gaussian_filter1d(random.normal(size=(n_frames + 40, 3)), 6, axis=0)[20:-20]
    return values * scale * 2


@st.composite
def motions(draw):
    """Somebody who moves any way, even ways that nobody can."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_frames = draw(st.integers(1, 60))
    turned = {joint: smooth(random, n_frames, limit) for joint, limit in LIMITS.items()}
    xyz = posed(n_frames, **turned)
    noise = draw(st.sampled_from([0.0, 0.002, 0.03]))
    return xyz + random.normal(0, noise, xyz.shape)


@settings(max_examples=60, deadline=None)
@given(motions())
def test_forward_kinematics_gives_the_joints_back_within_a_millimetre(xyz):
    rig = rig_of(xyz)
    turn = rotations(xyz, rig, fps=30.0)
    again = forward_kinematics(rig.offset, xyz[:, 0], turn)[:, places_in_h36m()]
    assert np.linalg.norm(again - constant_bones(xyz, rig), axis=-1).max() < 1e-3
    np.testing.assert_allclose(np.linalg.norm(turn, axis=-1), 1, atol=1e-9)
    assert ((turn[1:] * turn[:-1]).sum(-1) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(motions())
def test_the_mirror_image_has_mirrored_rotations(xyz):
    mirrored = (xyz * [-1, 1, 1])[:, H36M17.mirror]
    turn = rotations(xyz, rig_of(xyz), fps=30.0)
    other = rotations(mirrored, rig_of(mirrored), fps=30.0)
    swapped = [JOINTS.index(other_side(joint)) for joint in JOINTS]
    expected = turn[:, swapped] * [1, -1, -1, 1]
    same = np.abs((other * expected).sum(-1))
    np.testing.assert_allclose(same, 1, atol=1e-6)
    np.testing.assert_allclose(rig_of(mirrored).offset, rig_of(xyz).offset, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(motions(), st.floats(-180, 180), st.tuples(*[st.floats(-5, 5)] * 3))
def test_where_somebody_stands_and_looks_changes_nothing_but_the_root(xyz, degrees, step):
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    about_y = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    rig = rig_of(xyz)
    turn = rotations(xyz, rig, fps=30.0)
    other = rotations(xyz @ about_y.T + step, rig, fps=30.0)
    same = np.abs((other[:, 1:] * turn[:, 1:]).sum(-1))
    np.testing.assert_allclose(same, 1, atol=1e-6)
